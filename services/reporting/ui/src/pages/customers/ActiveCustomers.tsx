import { useMemo, type ReactNode } from "react";

import { useWords } from "../../app/words";
import { compared } from "../../charts/compared";
import { MonthChart } from "../../charts/MonthChart";
import type { Series } from "../../charts/series";
import { Figure, type ActivityPoint, type Coverage } from "../../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";

type Props = { activity: ActivityPoint[]; before: { data: ActivityPoint[]; missing: number } | undefined; coverage: Coverage; actions: ReactNode };

/** Active customers as columns, all customers as a line. */
export function ActiveCustomers({ activity, before, coverage, actions }: Props) {
  const { title, figure } = useWords();
  const months = useMemo(() => activity.map((entry) => entry.month), [activity]);
  const series = useMemo<Series[]>(() => {
    const of = (points: ActivityPoint[]): Series[] => [
      { id: "active", name: figure(Figure.ACTIVE_CUSTOMERS), kind: "bar", colour: 2, values: points.map((entry) => Number(entry.activeCustomers)) },
      { id: "customers", name: figure(Figure.CUSTOMERS), kind: "line", colour: 1, values: points.map((entry) => Number(entry.customers)) },
    ];
    return before ? compared(of(activity), of(before.data), before.missing) : of(activity);
  }, [activity, before]);
  return <MonthChart title={title(SectionSchema, Section.ACTIVE_CUSTOMERS)} months={months} series={series} partial={coverage.partial} actions={actions} />;
}
