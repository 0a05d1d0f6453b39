import { useMemo } from "react";

import { texts } from "../../app/texts";
import { useWords } from "../../app/words";
import { Chart, type Series } from "../../components/Chart";
import { Measure, MeasureSchema } from "../../gen/insights/metrics/v1/query_pb";
import type { Movement } from "../../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";

/** New, existing and churned customers by month; churned below the axis. */
export function Movements({ movements, partial }: { movements: Movement[]; partial: boolean }) {
  const { title } = useWords();
  const named = (measure: Measure) => title(MeasureSchema, measure);
  const months = useMemo(() => movements.map((entry) => entry.month), [movements]);
  const series = useMemo<Series[]>(
    () => [
      { name: named(Measure.EXISTING), kind: "bar", stack: "customers", colour: 1, values: movements.map((entry) => Number(entry.existingCustomers)) },
      { name: named(Measure.NEW), kind: "bar", stack: "customers", colour: 2, values: movements.map((entry) => Number(entry.newCustomers)) },
      { name: named(Measure.CHURNED), kind: "bar", stack: "customers", below: true, colour: 3, values: movements.map((entry) => Number(entry.churnedCustomers)) },
      { name: texts().returningAmongNew(named(Measure.RETURNING), named(Measure.NEW)), kind: "line", hidden: true, colour: 4, values: movements.map((entry) => Number(entry.returningCustomers)) },
    ],
    [movements],
  );
  return <Chart title={title(SectionSchema, Section.CUSTOMER_ADDS_AND_CHURNS)} months={months} series={series} partial={partial} />;
}
