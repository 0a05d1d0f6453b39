import { texts } from "../app/texts";

export type Slice = { id: string; name: string; size: number; text: string };

type Props = { label: string; slices: Slice[]; chosen: string | undefined; choose: (id: string) => void };

const RADIUS = 70;
const CENTRE = 90;

/** A ring of parts; each can be chosen by mouse or keyboard. */
export function Donut({ label, slices, chosen, choose }: Props) {
  const whole = slices.reduce((sum, slice) => sum + slice.size, 0);
  let before = 0;
  if (whole === 0) return null;
  return (
    <div className="donut">
      <svg viewBox="0 0 180 180" role="group" aria-label={label}>
        {slices.map((slice, index) => {
          const begin = before;
          before += slice.size / whole;
          return (
            <path
              key={slice.id}
              className={`slice series-${(index % 8) + 1}${slice.id === chosen ? " chosen" : ""}`}
              d={arc(begin, before)}
              role="button"
              tabIndex={0}
              aria-pressed={slice.id === chosen}
              aria-label={texts().namedFigure({ name: slice.name, figure: slice.text })}
              onClick={() => choose(slice.id)}
              onKeyDown={(event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), choose(slice.id))}
            >
              <title>{texts().namedFigure({ name: slice.name, figure: slice.text })}</title>
            </path>
          );
        })}
      </svg>
      <ul>
        {slices.map((slice, index) => (
          <li key={slice.id}>
            <button type="button" className="quiet" aria-pressed={slice.id === chosen} onClick={() => choose(slice.id)}>
              <span className={`key-colour series-${(index % 8) + 1}`} aria-hidden="true" />
              <bdi>{slice.name}</bdi>
              <strong>{slice.text}</strong>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A part of the ring, from one share of the turn to another. */
function arc(from: number, to: number): string {
  const end = Math.min(to, from + 0.9999);
  const at = (share: number) => {
    const angle = 2 * Math.PI * share - Math.PI / 2;
    return `${(CENTRE + RADIUS * Math.cos(angle)).toFixed(2)} ${(CENTRE + RADIUS * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${at(from)}A${RADIUS} ${RADIUS} 0 ${end - from > 0.5 ? 1 : 0} 1 ${at(end)}`;
}
