// How figures are written. Nothing is reckoned here: numbers come from the API.
import type { DimensionValue, Percentage, Value } from "../gen/insights/metrics/v1/query_pb";

const whole = new Intl.NumberFormat("en");
const percent = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const signed = new Intl.NumberFormat("en", {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
  signDisplay: "exceptZero",
});
const monthName = new Intl.DateTimeFormat("en", { month: "short", year: "numeric", timeZone: "UTC" });

/** What stands where there is no figure. */
export const NO_FIGURE = "–";

export function count(value: bigint | number | undefined): string {
  return value === undefined ? NO_FIGURE : whole.format(value);
}

export function percentage(value: number | undefined): string {
  return value === undefined ? NO_FIGURE : `${percent.format(value)} %`;
}

export function change(value: number, points: boolean): string {
  return `${signed.format(value)} ${points ? "pts" : "%"}`;
}

export function figure(value: Value | undefined): string {
  switch (value?.kind.case) {
    case "count":
      return count(value.kind.value);
    case "percentage":
      return percentage(value.kind.value.value);
    case "amount":
      return value.kind.value;
    default:
      return NO_FIGURE;
  }
}

/** A figure as a chart draws it; null leaves a gap. */
export function drawn(value: Value | undefined): number | null {
  switch (value?.kind.case) {
    case "count":
      return Number(value.kind.value);
    case "percentage":
      return value.kind.value.value ?? null;
    default:
      return null;
  }
}

/** "124 of 474", or nothing when a side is unknown. */
export function fraction(value: Percentage | undefined): string {
  if (value?.numerator === undefined || value.denominator === undefined) return "";
  return `${count(value.numerator)} of ${count(value.denominator)}`;
}

export function fractionOf(value: Value | undefined): string {
  return value?.kind.case === "percentage" ? fraction(value.kind.value) : "";
}

/** "Mar 2026" */
export function month(text: string): string {
  const date = new Date(`${text}-01T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? text : monthName.format(date);
}

/** "Mar 2025 – Feb 2026", or one month. */
export function months(from: string, to: string): string {
  return from === to ? month(to) : `${month(from)} – ${month(to)}`;
}

export function valueName(key: DimensionValue | undefined, name = ""): string {
  return name || key?.value || "(none)";
}
