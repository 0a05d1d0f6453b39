// The state of a page lives in its URL, so that a link shows what its sender saw.
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useCallback, useSyncExternalStore } from "react";

import { Dimension, FilterSchema, Scope, type Filter } from "../gen/insights/metrics/v1/query_pb";
import { PageFiltersSchema, RangePreset, type PageFilters } from "../gen/insights/reporting/v1/dashboards_pb";
import { dimensions } from "./dimensions";

/** How a missing value is written, as on the command line. */
export const NONE = "(none)";

export type View = {
  path: string;
  params: URLSearchParams;
};

export type Edit = (params: URLSearchParams) => void;

function subscribe(changed: () => void): () => void {
  window.addEventListener("popstate", changed);
  return () => window.removeEventListener("popstate", changed);
}

const current = (): string => window.location.pathname + window.location.search;

/** Goes to an address within the page. */
export function go(address: string): void {
  if (address === current()) return;
  window.history.pushState(null, "", address);
  window.dispatchEvent(new PopStateEvent("popstate"));
}

/** An address with its state. */
export function address(path: string, params: URLSearchParams): string {
  const search = params.toString();
  return search ? `${path}?${search}` : path;
}

/** The page and its state, and a function that changes the state. */
export function useView(): View & { change: (edit: Edit) => void } {
  const url = useSyncExternalStore(subscribe, current);
  const [path = "/", search = ""] = url.split("?", 2);
  const change = useCallback((edit: Edit) => {
    const params = new URLSearchParams(window.location.search);
    edit(params);
    go(address(window.location.pathname, params));
  }, []);
  return { path, params: new URLSearchParams(search), change };
}

/** What of a page's state every page understands. */
const shared = ["range", "from", "to", "scope", "grace", "free", "as-of", "compare", ...dimensions.map(({ name }) => name)];

/** The address of another page, with the range and the filters of this one. */
export function elsewhere(path: string, edit?: Edit): string {
  const params = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(window.location.search)) {
    if (shared.includes(name)) params.append(name, value);
  }
  edit?.(params);
  return address(path, params);
}

/** Adds a value of a dimension to the filters. */
export const addFilter =
  (name: string, value: string): Edit =>
  (params) => {
    if (!params.has(name, value)) params.append(name, value);
  };

export const presets = ["3", "6", "12"] as const;

const presetOf: Record<string, RangePreset> = {
  "3": RangePreset.THREE_MONTHS,
  "6": RangePreset.SIX_MONTHS,
  "12": RangePreset.TWELVE_MONTHS,
};

/** The preset in force, one that is not known being as none; nothing for a custom range. */
export function presetIn(params: URLSearchParams): string | undefined {
  if (params.has("from") || params.has("to")) return undefined;
  const range = params.get("range") ?? "";
  return range in presetOf ? range : "12";
}

/** The scopes in the order in which they are offered, with their names in the URL. */
export const scopes: { value: string; scope: Scope }[] = [
  { value: "sold-or-managed", scope: Scope.SOLD_OR_MANAGED },
  { value: "own", scope: Scope.OWN },
  { value: "all", scope: Scope.ALL_SELLERS },
];

/** The filters in the URL, one parameter per dimension. */
export function filtersOf(params: URLSearchParams, without: Dimension[] = []): Filter[] {
  return dimensions.flatMap(({ name, dimension }) => {
    const values = params.getAll(name);
    if (values.length === 0 || without.includes(dimension)) return [];
    const wire = values.map((value) => (value === NONE ? {} : { value }));
    return [create(FilterSchema, { dimension, values: wire })];
  });
}

/** What the URL asks for; dimensions that a page cannot be filtered by are left out. */
export function pageFilters(params: URLSearchParams, without: Dimension[] = []): PageFilters {
  const from = params.get("from") ?? "";
  const to = params.get("to") ?? "";
  const asOf = new Date(params.get("as-of") ?? "");
  return create(PageFiltersSchema, {
    preset: presetOf[presetIn(params) ?? ""] ?? RangePreset.UNSPECIFIED,
    fromMonth: from,
    toMonth: to,
    filters: filtersOf(params, without),
    scope: scopes.find(({ value }) => value === params.get("scope"))?.scope ?? Scope.UNSPECIFIED,
    includeGrace: params.get("grace") === "1",
    includeFree: params.get("free") === "1",
    ...(Number.isNaN(asOf.getTime()) ? {} : { asOf: timestampFromDate(asOf) }),
  });
}

/** What of the URL a page's figures depend on. */
export function figuresKey(params: URLSearchParams, own: string[] = []): string {
  const kept = [...params].filter(([name]) => name !== "compare" && (shared.includes(name) || own.includes(name)));
  return new URLSearchParams(kept).toString();
}

/** The name under which a dimension stands in the URL. */
export function parameterOf(dimension: Dimension): string {
  return dimensions.find((entry) => entry.dimension === dimension)?.name ?? "";
}
