import { useMemo, type ReactNode } from "react";

import { texts } from "../../app/texts";
import { useWords } from "../../app/words";
import { seriesOfCards, type Before, type Part } from "../../charts/cards";
import { MonthChart } from "../../charts/MonthChart";
import { Figure, type Card } from "../../gen/insights/reporting/v1/dashboards_pb";

const parts: Part[] = [
  { figure: Figure.AVAILABLE_SEATS, kind: "bar", colour: 1 },
  { figure: Figure.ASSIGNED_SEATS, kind: "bar", colour: 5 },
  { figure: Figure.ACTIVE_SEATS, kind: "bar", colour: 2 },
  { figure: Figure.ACTIVE_USAGE_PERCENT, kind: "line", percent: true, colour: 4 },
];

type Props = { cards: Card[]; before: Before | undefined; partial: boolean; actions: ReactNode };

/** Seats by month, and how many of them are used. */
export function Trends({ cards, before, partial, actions }: Props) {
  const { figure } = useWords();
  const { months, series } = useMemo(() => seriesOfCards(cards, parts, figure, before), [cards, before]);
  return <MonthChart title={texts().seatsByMonth} months={months} series={series} partial={partial} actions={actions} />;
}
