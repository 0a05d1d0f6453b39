// The trends of cards as series of one chart.
import { drawn } from "../app/format";
import { FigureSchema, type Card, type Figure } from "../gen/insights/reporting/v1/dashboards_pb";
import type { Series } from "./series";

export type Part = { figure: Figure; kind: "bar" | "line"; percent?: boolean; colour: number };

export function seriesOfCards(cards: Card[], parts: readonly Part[], nameOf: (figure: Figure) => string): { months: string[]; series: Series[] } {
  const found = parts.flatMap(({ figure, ...look }) => {
    const card = cards.find((candidate) => candidate.figure === figure);
    if (!card || card.trend.length === 0) return [];
    const id = FigureSchema.value[figure]?.name ?? "";
    return [{ card, series: { ...look, id, name: nameOf(figure), values: card.trend.map((point) => drawn(point.value)) } }];
  });
  return { months: found[0]?.card.trend.map((point) => point.month) ?? [], series: found.map(({ series }) => series) };
}
