import { texts } from "../app/texts";
import { presetIn, presets, useView } from "../app/url";
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";

/** The months of a page: a length, or from one month to another. */
export function RangePicker({ coverage }: { coverage: Coverage | undefined }) {
  const { params, change } = useView();
  const chosen = presetIn(params);
  const last = coverage?.freshness?.completeThrough.slice(0, 7) ?? "";
  const first = coverage?.freshness?.firstMonth ?? "";
  const text = texts();
  const preset = (months: string) => change((next) => (next.delete("from"), next.delete("to"), next.set("range", months)));
  const custom = () =>
    change((next) => (next.delete("range"), next.set("from", coverage?.fromMonth ?? last), next.set("to", coverage?.toMonth ?? last)));
  return (
    <fieldset className="range">
      <legend>{text.range}</legend>
      {presets.map((months) => (
        <label key={months} className="segment">
          <input type="radio" name="range" checked={chosen === months} onChange={() => preset(months)} />
          <span>{text.months({ count: months })}</span>
        </label>
      ))}
      <label className="segment">
        <input type="radio" name="range" checked={chosen === undefined} onChange={custom} />
        <span>{text.custom}</span>
      </label>
      {chosen === undefined && (
        <span className="months">
          <MonthField name="from" label={text.firstMonth} min={first} max={params.get("to") ?? last} />
          <span aria-hidden="true">–</span>
          <MonthField name="to" label={text.lastMonth} min={params.get("from") ?? first} max={last} />
        </span>
      )}
    </fieldset>
  );
}

function MonthField({ name, label, min, max }: { name: string; label: string; min: string; max: string }) {
  const { params, change } = useView();
  return (
    <input
      type="month"
      aria-label={label}
      value={params.get(name) ?? ""}
      min={min}
      max={max}
      onChange={(event) => event.target.value && change((next) => next.set(name, event.target.value))}
    />
  );
}
