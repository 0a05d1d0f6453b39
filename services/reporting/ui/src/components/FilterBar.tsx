import { useState, type ReactNode } from "react";

import { dimensions } from "../app/dimensions";
import { texts } from "../app/texts";
import { scopes, useView } from "../app/url";
import { useWords } from "../app/words";
import { ScopeSchema, type Dimension, type Scope } from "../gen/insights/metrics/v1/query_pb";
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";
import { CompareSwitch } from "./CompareSwitch";
import { SelectField } from "./Field";
import { FilterChip } from "./FilterChip";
import { FilterMenu } from "./FilterMenu";
import { RangePicker } from "./RangePicker";

type Props = { defaultScope: Scope; without: Dimension[]; coverage: Coverage | undefined; extra: ReactNode };

/** Range, scope, switches and filters; every change goes into the URL. On a narrow screen it is folded. */
export function FilterBar({ defaultScope, without, coverage, extra }: Props) {
  const { params, change } = useView();
  const [open, setOpen] = useState(false);
  const words = useWords();
  const text = texts();
  const scope = scopes.find(({ value }) => value === params.get("scope")) ?? scopes.find((entry) => entry.scope === defaultScope);
  const chosen = dimensions.flatMap((entry) => params.getAll(entry.name).map((value) => ({ ...entry, value })));
  return (
    <section className={open ? "filters open" : "filters"} aria-label={text.pageFilters}>
      <button type="button" className="fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        {text.filters}
      </button>
      <div className="filter-fields">
        <RangePicker coverage={coverage} />
        <SelectField label={text.scope} value={scope?.value ?? ""} choose={(value) => change((next) => next.set("scope", value))}>
          {scopes.map(({ value, scope: named }) => (
            <option key={value} value={value}>
              {words.title(ScopeSchema, named)}
            </option>
          ))}
        </SelectField>
        {extra}
        <FilterMenu without={without} />
        <div className="switches">
          <Switch name="grace" label={text.includeGrace} />
          <Switch name="free" label={text.includeFree} />
          <CompareSwitch />
        </div>
      </div>
      {params.get("free") === "1" && <p className="hint">{text.freeHint}</p>}
      {chosen.length > 0 && (
        <ul className="chips" aria-label={text.filtersInForce}>
          {chosen.map(({ name, dimension, value }) => (
            <FilterChip
              key={`${name}=${value}`}
              parameter={name}
              dimension={words.dimension(dimension)}
              value={value}
              unused={without.includes(dimension)}
            />
          ))}
          <li className="clear">
            <button type="button" onClick={() => change((next) => dimensions.forEach(({ name }) => next.delete(name)))}>
              {text.clearAll}
            </button>
          </li>
        </ul>
      )}
    </section>
  );
}

function Switch({ name, label }: { name: string; label: string }) {
  const { params, change } = useView();
  return (
    <label className="switch">
      <input
        type="checkbox"
        checked={params.get(name) === "1"}
        onChange={(event) => change((next) => (event.target.checked ? next.set(name, "1") : next.delete(name)))}
      />
      <span>{label}</span>
    </label>
  );
}
