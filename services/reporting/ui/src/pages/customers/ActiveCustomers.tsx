import { useMemo } from "react";

import { useWords } from "../../app/words";
import { Chart, type Series } from "../../components/Chart";
import { Figure, type ActivityPoint } from "../../gen/insights/reporting/v1/dashboards_pb";

/** Active customers as columns, all customers as a line. */
export function ActiveCustomers({ activity, partial }: { activity: ActivityPoint[]; partial: boolean }) {
  const words = useWords();
  const months = useMemo(() => activity.map((entry) => entry.month), [activity]);
  const series = useMemo<Series[]>(
    () => [
      { name: words.figure(Figure.ACTIVE_CUSTOMERS), kind: "bar", colour: 2, values: activity.map((entry) => Number(entry.activeCustomers)) },
      { name: words.figure(Figure.CUSTOMERS), kind: "line", colour: 1, values: activity.map((entry) => Number(entry.customers)) },
    ],
    [activity],
  );
  return <Chart title={words.figure(Figure.ACTIVE_CUSTOMERS)} months={months} series={series} partial={partial} />;
}
