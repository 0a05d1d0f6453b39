import { useId, useState } from "react";

import { reporting } from "../../app/client";
import { valueName } from "../../app/format";
import { useLoad } from "../../app/load";
import { texts } from "../../app/texts";
import { useView } from "../../app/url";
import { useWords } from "../../app/words";
import { remember } from "../../components/FilterDialog";
import { Dimension } from "../../gen/insights/metrics/v1/query_pb";

/** The portfolio, or one customer found by name or id. */
export function CustomerPicker({ chosen, name }: { chosen: string; name: string }) {
  const { change } = useView();
  const [search, setSearch] = useState<string | null>(null);
  const id = useId();
  const words = useWords();
  const pick = (customer: string) => {
    setSearch(null);
    change((next) => (customer ? next.set("of", customer) : next.delete("of")));
  };
  return (
    <div className="field picker">
      <label htmlFor={id}>{words.dimension(Dimension.CUSTOMER)}</label>
      <span className="picked">
        <input
          id={id}
          type="search"
          autoComplete="off"
          placeholder={texts().wholePortfolio}
          value={search ?? (name || chosen)}
          onFocus={() => setSearch("")}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setSearch(null);
          }}
          aria-expanded={search !== null}
          aria-controls={`${id}-list`}
          role="combobox"
        />
        {chosen && (
          <button type="button" aria-label={texts().showPortfolio} onClick={() => pick("")}>
            ×
          </button>
        )}
      </span>
      {search !== null && <Matches id={`${id}-list`} search={search} pick={pick} close={() => setSearch(null)} />}
    </div>
  );
}

type MatchesProps = { id: string; search: string; pick: (customer: string) => void; close: () => void };

function Matches({ id, search, pick, close }: MatchesProps) {
  const list = useLoad(search, (signal) => reporting.listFilterValues({ dimension: Dimension.CUSTOMER, search }, { signal }));
  const values = (list.data?.values ?? []).slice(0, 12);
  return (
    <ul id={id} className="matches panel" aria-label={texts().customersFound}>
      {values.map(({ value, name }) => {
        const customer = value?.value ?? "";
        remember("customer", customer, name);
        return (
          <li key={customer}>
            <button type="button" onClick={() => pick(customer)}>
              {valueName(value, name)} <small>{customer}</small>
            </button>
          </li>
        );
      })}
      {values.length === 0 && <li className="empty">{list.loading ? texts().loadingNow : texts().nothingFound}</li>}
      <li className="clear">
        <button type="button" onClick={close}>
          {texts().close}
        </button>
      </li>
    </ul>
  );
}
