// Series of the range before, as dashed lines under those of the page.
import { texts } from "../app/texts";
import type { Series } from "./series";

/** Adds the lines of the range before; months without data before are gaps. */
export function compared(series: Series[], before: Series[], missing: number): Series[] {
  const gaps = Array<null>(missing).fill(null);
  const lines = before.map(
    (entry): Series => ({
      id: `${entry.id}-before`,
      name: texts().beforeRange({ name: entry.name }),
      kind: "line",
      dashed: true,
      colour: entry.colour,
      values: [...gaps, ...entry.values],
      ...(entry.percent ? { percent: true } : {}),
    }),
  );
  return [...series, ...lines];
}
