import { useId, useState, type KeyboardEvent } from "react";

import { reporting } from "../app/client";
import { useDebounced } from "../app/debounced";
import { useLoad } from "../app/load";
import { valueText } from "../app/names";
import { texts } from "../app/texts";
import { elsewhere, go } from "../app/url";
import { Dimension } from "../gen/insights/metrics/v1/query_pb";

/** How many of the customers found are offered. */
const OFFERED = 12;

/** Finds a customer by name or id and opens its page. */
export function CustomerPicker() {
  const [search, setSearch] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const id = useId();
  const text = texts();
  const settled = useDebounced(search);
  const list = useLoad(open ? `customers/${settled}` : "", async (signal) =>
    open ? reporting.listFilterValues({ dimension: Dimension.CUSTOMER, search: settled }, { signal }) : undefined,
  );
  const found = (list.data?.values ?? []).filter(({ value }) => value?.value !== undefined);
  const offered = found.slice(0, OFFERED);
  const ready = settled === search && !list.loading;
  const pick = (customer: string | undefined) => {
    if (customer === undefined) return;
    setOpen(false);
    setSearch("");
    go(elsewhere("/customer", (params) => (params.delete("customer"), params.set("of", customer))));
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Escape") setOpen(false);
    if (event.key === "Enter" && open && ready) pick(offered[at]?.value?.value);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || offered.length === 0) return;
    event.preventDefault();
    setAt((at + step + offered.length) % offered.length);
  };
  return (
    <div className="picker" onBlur={(event) => event.currentTarget.contains(event.relatedTarget) || setOpen(false)}>
      <input
        type="search"
        role="combobox"
        autoComplete="off"
        aria-label={text.findCustomer}
        placeholder={text.findCustomer}
        value={search}
        aria-expanded={open}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={open && offered[at] ? `${id}-${at}` : undefined}
        onFocus={() => setOpen(true)}
        onChange={(event) => (setSearch(event.target.value), setOpen(true), setAt(0))}
        onKeyDown={press}
      />
      <div className={open ? "matches panel" : "matches panel closed"}>
        <ul id={`${id}-list`} role="listbox" aria-label={text.customersFound}>
          {open &&
            offered.map(({ value, name }, index) => (
              <li
                key={value?.value}
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === at}
                onPointerDown={(event) => event.preventDefault()}
                onClick={() => pick(value?.value)}
              >
                <bdi>{valueText("customer", value?.value, name)}</bdi> <small>{value?.value}</small>
              </li>
            ))}
        </ul>
        {open && offered.length === 0 && <p className="empty">{ready ? text.nothingFound : text.loadingNow}</p>}
        {open && (found.length > OFFERED || list.data?.truncated) && <p className="empty">{text.andMore}</p>}
      </div>
    </div>
  );
}
