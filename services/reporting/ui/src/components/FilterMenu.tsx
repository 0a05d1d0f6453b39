import { useId, useRef, useState, type KeyboardEvent } from "react";

import { dimensions } from "../app/dimensions";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import type { Dimension } from "../gen/insights/metrics/v1/query_pb";
import { FilterDialog } from "./FilterDialog";

/** Chooses what to filter by; arrow keys walk, Enter opens the values. */
export function FilterMenu({ without }: { without: Dimension[] }) {
  const [asking, setAsking] = useState<string>();
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const words = useWords();
  const walk = (event: KeyboardEvent<HTMLUListElement>) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const items = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = items.findIndex((item) => item === document.activeElement);
    items[(at + step + items.length) % items.length]?.focus();
  };
  return (
    <>
      <button type="button" popoverTarget={id} className="add-filter">
        {texts().addFilter}
      </button>
      <ul
        ref={list}
        id={id}
        popover="auto"
        className="panel menu-list"
        aria-label={texts().addFilter}
        onKeyDown={walk}
        onToggle={(event) => event.newState === "open" && list.current?.querySelector("button")?.focus()}
      >
        {dimensions
          .filter((entry) => !without.includes(entry.dimension))
          .map(({ name, dimension }) => (
            <li key={name}>
              <button
                type="button"
                className="quiet"
                data-dimension={name}
                onClick={() => (list.current?.hidePopover(), setAsking(name))}
              >
                {words.dimension(dimension)}
              </button>
            </li>
          ))}
      </ul>
      {asking && <FilterDialog key={asking} name={asking} close={() => setAsking(undefined)} />}
    </>
  );
}
