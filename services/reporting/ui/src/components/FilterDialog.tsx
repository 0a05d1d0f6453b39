import { useEffect, useRef, useState } from "react";

import { reporting } from "../app/client";
import { useDebounced } from "../app/debounced";
import { dimensions } from "../app/dimensions";
import { useLoad } from "../app/load";
import { valueText } from "../app/names";
import { texts } from "../app/texts";
import { NONE, useView } from "../app/url";
import { useWords } from "../app/words";
import { Dimension } from "../gen/insights/metrics/v1/query_pb";
import { Empty, Failure } from "./States";

/** Chooses values of one dimension; Enter with nothing chosen takes the first that was found. */
export function FilterDialog({ name, close }: { name: string; close: () => void }) {
  const view = useView();
  const dimension = dimensions.find((candidate) => candidate.name === name)?.dimension ?? Dimension.UNSPECIFIED;
  const label = useWords().dimension(dimension);
  const dialog = useRef<HTMLDialogElement>(null);
  const [search, setSearch] = useState("");
  const before = view.params.getAll(name);
  const [chosen, setChosen] = useState<string[]>(before);
  const settled = useDebounced(search);
  const list = useLoad(`${dimension}/${settled}`, (signal) => reporting.listFilterValues({ dimension, search: settled }, { signal }));
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  const toggle = (value: string) => setChosen((now) => (now.includes(value) ? now.filter((other) => other !== value) : [...now, value]));
  const apply = () => {
    const unchanged = chosen.join("\n") === before.join("\n");
    const first = search && unchanged ? list.data?.values[0] : undefined;
    const wanted = first ? [...chosen, first.value?.value ?? NONE] : chosen;
    view.change((next) => {
      next.delete(name);
      new Set(wanted).forEach((value) => next.append(name, value));
    });
    close();
  };
  return (
    <dialog ref={dialog} className="panel" aria-labelledby="filter-title" onClose={close}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          // What was typed must have been searched for.
          if (settled === search && !list.loading) apply();
        }}
      >
        <h2 id="filter-title">{label}</h2>
        <input
          type="search"
          autoFocus
          aria-label={texts().searchFor({ label })}
          placeholder={texts().search}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        {list.error && <Failure error={list.error} again={list.again} />}
        {!list.data && !list.error && <Empty>{texts().loadingNow}</Empty>}
        {list.data?.values.length === 0 && <Empty>{texts().nothingFound}</Empty>}
        <ul className="values" aria-busy={list.loading || settled !== search}>
          {list.data?.values.map(({ value, name: own }) => {
            const plain = value?.value ?? NONE;
            return (
              <li key={plain}>
                <label>
                  <input type="checkbox" checked={chosen.includes(plain)} onChange={() => toggle(plain)} />
                  <bdi>{valueText(name, value?.value, own)}</bdi>
                  {own && <small>{plain}</small>}
                </label>
              </li>
            );
          })}
        </ul>
        {list.data?.truncated && <Empty>{texts().andMore}</Empty>}
        <div className="actions">
          <button type="button" className="quiet" onClick={close}>
            {texts().cancel}
          </button>
          <button type="submit" className="primary">
            {texts().apply}
          </button>
        </div>
      </form>
    </dialog>
  );
}
