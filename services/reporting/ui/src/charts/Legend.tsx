import type { Series } from "./series";

type Props = { label: string; series: Series[]; off: ReadonlySet<string>; toggle: (id: string) => void };

/** Which series are drawn; each can be taken away and brought back, by keyboard too. */
export function Legend({ label, series, off, toggle }: Props) {
  return (
    <ul className="legend" aria-label={label}>
      {series.map((entry) => (
        <li key={entry.id}>
          <button type="button" aria-pressed={!off.has(entry.id)} onClick={() => toggle(entry.id)}>
            <span className={`key-colour series-${entry.colour}${entry.dashed ? " dashed" : ""}`} aria-hidden="true" />
            <bdi>{entry.name}</bdi>
          </button>
        </li>
      ))}
    </ul>
  );
}
