import { useMemo } from "react";

import { Chart, type Series } from "../../components/Chart";
import type { ActivityPoint } from "../../gen/insights/reporting/v1/dashboards_pb";

/** Active customers as columns, all customers as a line. */
export function ActiveCustomers({ activity, partial }: { activity: ActivityPoint[]; partial: boolean }) {
  const months = useMemo(() => activity.map((entry) => entry.month), [activity]);
  const series = useMemo<Series[]>(
    () => [
      { name: "Active customers", kind: "bar", colour: 2, values: activity.map((entry) => Number(entry.activeCustomers)) },
      { name: "Customers", kind: "line", colour: 1, values: activity.map((entry) => Number(entry.customers)) },
    ],
    [activity],
  );
  return <Chart title="Active customers" months={months} series={series} partial={partial} />;
}
