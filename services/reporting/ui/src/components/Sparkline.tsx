import { drawn, figure, month } from "../app/format";
import { texts } from "../app/texts";
import type { Value } from "../gen/insights/metrics/v1/query_pb";

export type SparkPoint = { month: string; value?: Value | undefined };

const WIDTH = 120;
const HEIGHT = 32;
const EDGE = 3;

/** A small trend by month that begins at zero, so that what is flat looks flat; its figures are text for screen readers. */
export function Sparkline({ points, label }: { points: SparkPoint[]; label: string }) {
  const values = points.map((point) => drawn(point.value));
  const known = values.filter((value) => value !== null);
  const text = points.map((point) => `${month(point.month)} ${figure(point.value)}`).join(", ");
  if (known.length === 0) return <span className="spark none">{texts().noTrend}</span>;
  const low = Math.min(0, ...known);
  const span = Math.max(0, ...known) - low || 1;
  const x = (index: number) => (EDGE + (index * (WIDTH - 2 * EDGE)) / Math.max(1, values.length - 1)).toFixed(1);
  const y = (value: number) => (HEIGHT - EDGE - ((value - low) * (HEIGHT - 2 * EDGE)) / span).toFixed(1);
  const runs = pieces(values.map((value, index) => (value === null ? null : `${x(index)},${y(value)}`)));
  const last = values.at(-1);
  return (
    <svg className="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${label}: ${text}`}>
      <title>{text}</title>
      <path className="zero" d={`M${EDGE} ${y(0)}H${WIDTH - EDGE}`} />
      {runs.map((run) => (
        <polyline key={run[0]} points={run.join(" ")} />
      ))}
      {last !== null && last !== undefined && <path className="end" d={`M${x(values.length - 1)} ${y(last)}h0.01`} />}
    </svg>
  );
}

/** Lines between gaps. */
function pieces(points: (string | null)[]): string[][] {
  const runs: string[][] = [[]];
  for (const point of points) {
    if (point === null) runs.push([]);
    else runs.at(-1)?.push(point);
  }
  return runs.filter((run) => run.length > 0);
}
