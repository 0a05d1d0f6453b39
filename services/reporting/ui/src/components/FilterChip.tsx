import { useValueText } from "../app/names";
import { texts } from "../app/texts";
import { useView } from "../app/url";

type Props = { parameter: string; dimension: string; value: string; unused: boolean };

/** A filter in force, by name, and the way to take it away. */
export function FilterChip({ parameter, dimension, value, unused }: Props) {
  const { change } = useView();
  const name = useValueText(parameter, value);
  const text = texts();
  return (
    <li className={unused ? "unused" : undefined}>
      <span>
        {dimension}:{" "}
        <strong>
          <bdi>{name}</bdi>
        </strong>
        {unused && <small> {text.notHere}</small>}
      </span>
      <button
        type="button"
        aria-label={text.removeFilter({ label: dimension, value: name })}
        onClick={() => change((next) => next.delete(parameter, value))}
      >
        ×
      </button>
    </li>
  );
}
