import { useState, type ReactNode } from "react";

import { dimensions } from "../app/dimensions";
import { texts } from "../app/texts";
import { presets, scopes, type useView } from "../app/url";
import { useWords } from "../app/words";
import { Scope, ScopeSchema, type Dimension } from "../gen/insights/metrics/v1/query_pb";
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";
import { SelectField } from "./Field";
import { FilterDialog, knownName } from "./FilterDialog";

type Props = {
  view: ReturnType<typeof useView>;
  defaultScope: Scope;
  without: Dimension[];
  coverage: Coverage | undefined;
  extra: ReactNode;
};

/** Range, scope, switches and filters; every change goes into the URL. */
export function FilterBar({ view, defaultScope, without, coverage, extra }: Props) {
  const { params, change } = view;
  const [asking, setAsking] = useState<string | null>(null);
  const words = useWords();
  const text = texts();
  const offered = dimensions.filter((entry) => !without.includes(entry.dimension));
  const chosen = offered.flatMap((entry) => params.getAll(entry.name).map((value) => ({ entry, value })));
  return (
    <section className="filters" aria-label={text.pageFilters}>
      <RangePicker view={view} coverage={coverage} />
      <SelectField
        label={text.scope}
        value={params.get("scope") ?? scopes.find(({ scope }) => scope === defaultScope)?.value ?? ""}
        choose={(value) => change((next) => next.set("scope", value))}
      >
        {scopes.map(({ value, scope }) => (
          <option key={value} value={value}>
            {words.title(ScopeSchema, scope)}
          </option>
        ))}
      </SelectField>
      {extra}
      <SelectField label={text.filter} value="" choose={(value) => setAsking(value || null)}>
        <option value="">{text.addFilter}</option>
        {offered.map(({ name, dimension }) => (
          <option key={name} value={name}>
            {words.dimension(dimension)}
          </option>
        ))}
      </SelectField>
      <div className="switches">
        <Switch view={view} name="grace" label={text.includeGrace} />
        <Switch view={view} name="free" label={text.includeFree} />
      </div>
      {chosen.length > 0 && (
        <ul className="chips" aria-label={text.filtersInForce}>
          {chosen.map(({ entry, value }) => (
            <li key={`${entry.name}=${value}`}>
              <span>
                {words.dimension(entry.dimension)}: <strong>{knownName(entry.name, value)}</strong>
              </span>
              <button
                type="button"
                aria-label={text.removeFilter(words.dimension(entry.dimension), value)}
                onClick={() => change((next) => next.delete(entry.name, value))}
              >
                ×
              </button>
            </li>
          ))}
          <li className="clear">
            <button type="button" onClick={() => change((next) => offered.forEach(({ name }) => next.delete(name)))}>
              {text.clearAll}
            </button>
          </li>
        </ul>
      )}
      {asking && <FilterDialog key={asking} name={asking} view={view} close={() => setAsking(null)} />}
    </section>
  );
}

function RangePicker({ view, coverage }: { view: Props["view"]; coverage: Coverage | undefined }) {
  const { params, change } = view;
  const custom = params.has("from") || params.has("to");
  const chosen = custom ? "custom" : (params.get("range") ?? "12");
  const last = coverage?.freshness?.completeThrough.slice(0, 7) ?? "";
  const first = coverage?.freshness?.firstMonth ?? "";
  const text = texts();
  const set = (name: string, value: string) => change((next) => next.set(name, value));
  return (
    <fieldset className="range">
      <legend>{text.range}</legend>
      {presets.map((months) => (
        <label key={months} className="segment">
          <input
            type="radio"
            name="range"
            checked={chosen === months}
            onChange={() =>
              change((next) => {
                next.delete("from");
                next.delete("to");
                next.set("range", months);
              })
            }
          />
          <span>{text.months(months)}</span>
        </label>
      ))}
      <label className="segment">
        <input
          type="radio"
          name="range"
          checked={custom}
          onChange={() =>
            change((next) => {
              next.delete("range");
              next.set("from", coverage?.fromMonth ?? last);
              next.set("to", coverage?.toMonth ?? last);
            })
          }
        />
        <span>{text.custom}</span>
      </label>
      {custom && (
        <span className="months">
          <input
            type="month"
            aria-label={text.firstMonth}
            value={params.get("from") ?? ""}
            min={first}
            max={params.get("to") ?? last}
            onChange={(event) => event.target.value && set("from", event.target.value)}
          />
          <span aria-hidden="true">–</span>
          <input
            type="month"
            aria-label={text.lastMonth}
            value={params.get("to") ?? ""}
            min={params.get("from") ?? first}
            max={last}
            onChange={(event) => event.target.value && set("to", event.target.value)}
          />
        </span>
      )}
    </fieldset>
  );
}

function Switch({ view, name, label }: { view: Props["view"]; name: string; label: string }) {
  return (
    <label className="switch">
      <input
        type="checkbox"
        checked={view.params.get(name) === "1"}
        onChange={(event) =>
          view.change((next) => (event.target.checked ? next.set(name, "1") : next.delete(name)))
        }
      />
      <span>{label}</span>
    </label>
  );
}
