import { useMemo, type ReactNode } from "react";

import { texts } from "../../app/texts";
import { useWords } from "../../app/words";
import { MonthChart } from "../../charts/MonthChart";
import type { Series } from "../../charts/series";
import { Measure } from "../../gen/insights/metrics/v1/query_pb";
import type { Coverage, Movement } from "../../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";

type Props = { movements: Movement[]; coverage: Coverage; actions: ReactNode };

/** New, existing and churned customers by month; churned below zero, on a scale of its own. */
export function Movements({ movements, coverage, actions }: Props) {
  const { title, measure } = useWords();
  const months = useMemo(() => movements.map((entry) => entry.month), [movements]);
  const series = useMemo<Series[]>(() => {
    // Who was there in the earliest month with data came nobody knows when: drawn as existing.
    const existing = movements.map((entry) => Number(entry.earliest ? entry.newCustomers : entry.existingCustomers));
    const fresh = movements.map((entry) => (entry.earliest ? 0 : Number(entry.newCustomers)));
    const churned = movements.map((entry) => Number(entry.churnedCustomers));
    const returning = movements.map((entry) => (entry.earliest ? 0 : Number(entry.returningCustomers)));
    return [
      { id: "existing", name: measure(Measure.EXISTING), kind: "bar", stack: "customers", colour: 1, hidden: true, values: existing },
      { id: "new", name: measure(Measure.NEW), kind: "bar", stack: "customers", colour: 6, values: fresh },
      { id: "churned", name: measure(Measure.CHURNED), kind: "bar", below: true, colour: 3, values: churned },
      {
        id: "returning",
        name: texts().returningAmongNew({ returning: measure(Measure.RETURNING), fresh: measure(Measure.NEW) }),
        kind: "line",
        hidden: true,
        colour: 4,
        values: returning,
      },
    ];
  }, [movements]);
  return (
    <MonthChart
      title={title(SectionSchema, Section.CUSTOMER_ADDS_AND_CHURNS)}
      months={months}
      series={series}
      partial={coverage.partial}
      actions={actions}
    />
  );
}
