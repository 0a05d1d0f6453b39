// The trends of cards as series of one chart.
import { drawn } from "../app/format";
import { FigureSchema, type Card, type Figure } from "../gen/insights/reporting/v1/dashboards_pb";
import { compared } from "./compared";
import type { Series } from "./series";

export type Part = { figure: Figure; kind: "bar" | "line"; percent?: boolean; colour: number };

/** The cards of the range before, and how many of its months have no data. */
export type Before = { data: Card[]; missing: number };

export function seriesOfCards(
  cards: Card[],
  parts: readonly Part[],
  nameOf: (figure: Figure) => string,
  before?: Before,
): { months: string[]; series: Series[] } {
  const months = cards.find((card) => card.trend.length > 0)?.trend.map((point) => point.month) ?? [];
  const series = seriesOf(cards, parts, nameOf);
  return { months, series: before ? compared(series, seriesOf(before.data, parts, nameOf), before.missing) : series };
}

function seriesOf(cards: Card[], parts: readonly Part[], nameOf: (figure: Figure) => string): Series[] {
  return parts.flatMap(({ figure, ...look }) => {
    const card = cards.find((candidate) => candidate.figure === figure);
    if (!card || card.trend.length === 0) return [];
    const id = FigureSchema.value[figure]?.name ?? "";
    return [{ ...look, id, name: nameOf(figure), values: card.trend.map((point) => drawn(point.value)) }];
  });
}
