import { useMemo } from "react";

import { Chart, type Series } from "../../components/Chart";
import type { Movement } from "../../gen/insights/reporting/v1/dashboards_pb";

/** New, existing and churned customers by month; churned below the axis. */
export function Movements({ movements, partial }: { movements: Movement[]; partial: boolean }) {
  const months = useMemo(() => movements.map((entry) => entry.month), [movements]);
  const series = useMemo<Series[]>(
    () => [
      { name: "Existing", kind: "bar", stack: "customers", colour: 1, values: movements.map((entry) => Number(entry.existingCustomers)) },
      { name: "New", kind: "bar", stack: "customers", colour: 2, values: movements.map((entry) => Number(entry.newCustomers)) },
      { name: "Churned", kind: "bar", stack: "customers", below: true, colour: 3, values: movements.map((entry) => Number(entry.churnedCustomers)) },
      { name: "Returning (among new)", kind: "line", hidden: true, colour: 4, values: movements.map((entry) => Number(entry.returningCustomers)) },
    ],
    [movements],
  );
  return <Chart title="Customer adds and churns" months={months} series={series} partial={partial} />;
}
