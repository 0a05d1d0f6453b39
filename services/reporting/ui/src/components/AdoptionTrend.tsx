import { useMemo, type ReactNode } from "react";

import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { seriesOfCards, type Before, type Part } from "../charts/cards";
import { MonthChart } from "../charts/MonthChart";
import { Figure, type Card } from "../gen/insights/reporting/v1/dashboards_pb";

const parts: Part[] = [
  { figure: Figure.DEPLOYMENT_PERCENT, kind: "line", percent: true, colour: 5 },
  { figure: Figure.USAGE_PERCENT_USERS, kind: "line", percent: true, colour: 2 },
  { figure: Figure.USAGE_PERCENT_ENTITLEMENTS, kind: "line", percent: true, colour: 4 },
];

type Props = { cards: Card[]; before: Before | undefined; partial: boolean; actions: ReactNode };

/** Deployment and both usages by month. */
export function AdoptionTrend({ cards, before, partial, actions }: Props) {
  const { figure } = useWords();
  const { months, series } = useMemo(() => seriesOfCards(cards, parts, figure, before), [cards, before]);
  return <MonthChart title={texts().deploymentByMonth} months={months} series={series} partial={partial} actions={actions} />;
}
