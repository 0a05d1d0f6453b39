// The range before a page's own, of equal length, to compare with; as far back as there is data.
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";
import { useLoad } from "./load";
import { useView } from "./url";

/** Adds months to a month of the calendar. */
function plus(month: string, months: number): string {
  const date = new Date(`${month}-01T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + months);
  return date.toISOString().slice(0, 7);
}

/** How many months lie from one to another, both included. */
function length(from: string, to: string): number {
  const [one, other] = [from, to].map((month) => Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)));
  return (other ?? 0) - (one ?? 0) + 1;
}

/** The address of a page's range before; nothing when there is no data before. */
export function precedingRange({ fromMonth, toMonth, freshness }: Coverage): { from: string; to: string; missing: number } | undefined {
  const months = length(fromMonth, toMonth);
  const [from, to, first] = [plus(fromMonth, -months), plus(fromMonth, -1), freshness?.firstMonth ?? ""];
  if (first === "" || first > to) return undefined;
  return from >= first ? { from, to, missing: 0 } : { from: first, to, missing: length(from, first) - 1 };
}

/** What a page shows of the range before, while the reader compares; its series begin with as many gaps as months are missing. */
export function usePreceding<T>(
  coverage: Coverage | undefined,
  key: string,
  load: (params: URLSearchParams, signal: AbortSignal) => Promise<T>,
): { data: T; missing: number } | undefined {
  const { params } = useView();
  const range = coverage && params.get("compare") === "1" ? precedingRange(coverage) : undefined;
  const loaded = useLoad(range ? `${key}/${range.from}/${range.to}` : "", async (signal) => {
    if (!range) return undefined;
    const before = new URLSearchParams(params);
    before.delete("range");
    before.set("from", range.from);
    before.set("to", range.to);
    return { data: await load(before, signal), missing: range.missing };
  });
  return range ? loaded.data : undefined;
}
