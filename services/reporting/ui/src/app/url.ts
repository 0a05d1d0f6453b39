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

function subscribe(changed: () => void): () => void {
  window.addEventListener("popstate", changed);
  return () => window.removeEventListener("popstate", changed);
}

const current = (): string => window.location.pathname + window.location.search;

/** Goes to a page, or to another state of it. */
export function go(path: string, params: URLSearchParams): void {
  const search = params.toString();
  window.history.pushState(null, "", search ? `${path}?${search}` : path);
  window.dispatchEvent(new PopStateEvent("popstate"));
}

/** The page and its state, and a function that changes the state. */
export function useView(): View & { change: (edit: (params: URLSearchParams) => void) => void } {
  const url = useSyncExternalStore(subscribe, current);
  const [path = "/", search = ""] = url.split("?", 2);
  const change = useCallback((edit: (params: URLSearchParams) => void) => {
    const params = new URLSearchParams(window.location.search);
    edit(params);
    go(window.location.pathname, params);
  }, []);
  return { path, params: new URLSearchParams(search), change };
}

export const presets = ["3", "6", "12"] as const;

const presetOf: Record<string, RangePreset> = {
  "3": RangePreset.THREE_MONTHS,
  "6": RangePreset.SIX_MONTHS,
  "12": RangePreset.TWELVE_MONTHS,
};

/** The scopes in the order in which they are offered, with their names in the URL. */
export const scopes: { value: string; scope: Scope }[] = [
  { value: "sold-or-managed", scope: Scope.SOLD_OR_MANAGED },
  { value: "own", scope: Scope.OWN },
  { value: "all", scope: Scope.ALL_SELLERS },
];

/** The filters in the URL, one parameter per dimension. */
export function filtersOf(params: URLSearchParams): Filter[] {
  return dimensions.flatMap(({ name, dimension }) => {
    const values = params.getAll(name);
    if (values.length === 0) return [];
    const wire = values.map((value) => (value === NONE ? {} : { value }));
    return [create(FilterSchema, { dimension, values: wire })];
  });
}

/** What the URL asks for. */
export function pageFilters(params: URLSearchParams): PageFilters {
  const from = params.get("from") ?? "";
  const to = params.get("to") ?? "";
  const custom = from !== "" || to !== "";
  const asOf = new Date(params.get("as-of") ?? "");
  return create(PageFiltersSchema, {
    preset: custom ? RangePreset.UNSPECIFIED : (presetOf[params.get("range") ?? ""] ?? RangePreset.UNSPECIFIED),
    fromMonth: from,
    toMonth: to,
    filters: filtersOf(params),
    scope: scopes.find(({ value }) => value === params.get("scope"))?.scope ?? Scope.UNSPECIFIED,
    includeGrace: params.get("grace") === "1",
    includeFree: params.get("free") === "1",
    ...(Number.isNaN(asOf.getTime()) ? {} : { asOf: timestampFromDate(asOf) }),
  });
}

/** The name under which a dimension stands in the URL. */
export function parameterOf(dimension: Dimension): string {
  return dimensions.find((entry) => entry.dimension === dimension)?.name ?? "";
}
