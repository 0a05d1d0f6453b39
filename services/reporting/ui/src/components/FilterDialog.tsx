import { useEffect, useRef, useState } from "react";

import { reporting } from "../app/client";
import { valueName } from "../app/format";
import { dimensions } from "../app/dimensions";
import { useLoad } from "../app/load";
import { texts } from "../app/texts";
import { NONE, type useView } from "../app/url";
import { useWords } from "../app/words";
import { Dimension } from "../gen/insights/metrics/v1/query_pb";
import { Empty, Failure } from "./States";

/** Names seen so far, so that chips of ids can show them. */
const names = new Map<string, string>();

export const knownName = (parameter: string, value: string): string => names.get(`${parameter}=${value}`) ?? value;

export function remember(parameter: string, value: string, name: string): void {
  if (name) names.set(`${parameter}=${value}`, name);
}

type Props = { name: string; view: ReturnType<typeof useView>; close: () => void };

/** Chooses values of one dimension. */
export function FilterDialog({ name, view, close }: Props) {
  const entry = dimensions.find((candidate) => candidate.name === name);
  const dimension = entry?.dimension ?? Dimension.UNSPECIFIED;
  const label = useWords().dimension(dimension);
  const dialog = useRef<HTMLDialogElement>(null);
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState<string[]>(view.params.getAll(name));
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  const toggle = (value: string) =>
    setChosen((before) => (before.includes(value) ? before.filter((other) => other !== value) : [...before, value]));
  const apply = () => {
    view.change((next) => {
      next.delete(name);
      chosen.forEach((value) => next.append(name, value));
    });
    close();
  };
  return (
    <dialog ref={dialog} className="panel" aria-labelledby="filter-title" onClose={close}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <h2 id="filter-title">{label}</h2>
        <input
          type="search"
          aria-label={texts().searchFor(label)}
          placeholder={texts().search}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <Values dimension={dimension} parameter={name} search={search} chosen={chosen} toggle={toggle} />
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

type ValuesProps = {
  dimension: Dimension;
  parameter: string;
  search: string;
  chosen: string[];
  toggle: (value: string) => void;
};

function Values({ dimension, parameter, search, chosen, toggle }: ValuesProps) {
  const list = useLoad(`${dimension}/${search}`, (signal) => reporting.listFilterValues({ dimension, search }, { signal }));
  if (list.error) return <Failure error={list.error} again={list.again} />;
  if (!list.data) return <Empty>{texts().loadingNow}</Empty>;
  if (list.data.values.length === 0) return <Empty>{texts().nothingFound}</Empty>;
  return (
    <>
      <ul className="values">
        {list.data.values.map(({ value, name }) => {
          const text = value?.value ?? NONE;
          remember(parameter, text, name);
          return (
            <li key={text}>
              <label>
                <input type="checkbox" checked={chosen.includes(text)} onChange={() => toggle(text)} />
                <span>{valueName(value, name)}</span>
                {name && <small>{text}</small>}
              </label>
            </li>
          );
        })}
      </ul>
      {list.data.truncated && <Empty>{texts().andMore}</Empty>}
    </>
  );
}
