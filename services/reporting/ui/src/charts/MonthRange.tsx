import { month } from "../app/format";
import { texts } from "../app/texts";

type Props = { months: string[]; from: number; to: number; change: (from: number, to: number) => void };

/** Zooms a chart to some of its months: two handles, by mouse, touch or arrow keys. */
export function MonthRange({ months, from, to, change }: Props) {
  const text = texts();
  const last = months.length - 1;
  return (
    <div className="month-range">
      <output>{month(months[from] ?? "")}</output>
      <input
        type="range"
        min={0}
        max={last}
        value={from}
        aria-label={text.zoomFrom}
        aria-valuetext={month(months[from] ?? "")}
        onChange={(event) => change(Math.min(Number(event.target.value), to), to)}
      />
      <input
        type="range"
        min={0}
        max={last}
        value={to}
        aria-label={text.zoomTo}
        aria-valuetext={month(months[to] ?? "")}
        onChange={(event) => change(from, Math.max(Number(event.target.value), from))}
      />
      <output>{month(months[to] ?? "")}</output>
    </div>
  );
}
