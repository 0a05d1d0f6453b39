import { useMemo } from "react";

import { drawn } from "../app/format";
import { useWords } from "../app/words";
import type { Card, Figure } from "../gen/insights/reporting/v1/dashboards_pb";
import { Chart, type Series } from "./Chart";

type Part = { figure: Figure; kind: "bar" | "line"; percent?: boolean; colour: number };

type Props = { title: string; cards: Card[]; parts: Part[]; partial: boolean };

/** The trends of several cards in one chart. */
export function CardTrends({ title, cards, parts, partial }: Props) {
  const words = useWords();
  const months = useMemo(() => cards.find((card) => card.trend.length > 0)?.trend.map((point) => point.month) ?? [], [cards]);
  const series = useMemo<Series[]>(
    () =>
      parts.flatMap(({ figure, ...look }) => {
        const card = cards.find((candidate) => candidate.figure === figure);
        if (!card || card.trend.length === 0) return [];
        return [{ ...look, name: words.figure(figure), values: card.trend.map((point) => drawn(point.value)) }];
      }),
    [cards, parts],
  );
  return <Chart title={title} months={months} series={series} partial={partial} />;
}
