// Formats of figures and months in the language of the page. Nothing is computed here: numbers come from the API.
import type { DimensionValue, Percentage, Value } from "../gen/insights/metrics/v1/query_pb";
import { language, type Language } from "./language";
import { texts } from "./texts";

type Formats = {
  whole: Intl.NumberFormat;
  decimal: Intl.NumberFormat;
  percent: Intl.NumberFormat;
  signed: Intl.NumberFormat;
  month: Intl.DateTimeFormat;
};

const formatsOf = (locale: string): Formats => ({
  whole: new Intl.NumberFormat(locale),
  decimal: new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }),
  percent: new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  signed: new Intl.NumberFormat(locale, {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
    signDisplay: "exceptZero",
  }),
  month: new Intl.DateTimeFormat(locale, { month: "short", year: "numeric", timeZone: "UTC" }),
});

/** Portuguese numbers use the separators of Brazil, as in the API's texts. */
const all: Record<Language, Formats> = { en: formatsOf("en"), pt: formatsOf("pt-BR") };

const formats = (): Formats => all[language()];

/** Text for an absent figure. */
export const NO_FIGURE = "–";

export function count(value: bigint | number | undefined): string {
  return value === undefined ? NO_FIGURE : formats().whole.format(value);
}

/** A number of a chart, which may be a share. */
export const decimal = (value: number): string => formats().decimal.format(value);

export function percentage(value: number | undefined): string {
  return value === undefined ? NO_FIGURE : `${formats().percent.format(value)} %`;
}

export function change(value: number, points: boolean): string {
  return `${formats().signed.format(value)} ${points ? texts().points : "%"}`;
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
  return texts().ofWhole(count(value.numerator), count(value.denominator));
}

export function fractionOf(value: Value | undefined): string {
  return value?.kind.case === "percentage" ? fraction(value.kind.value) : "";
}

/** "Mar 2026" */
export function month(text: string): string {
  const date = new Date(`${text}-01T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? text : formats().month.format(date);
}

/** "Mar 2025 – Feb 2026", or one month. */
export function months(from: string, to: string): string {
  return from === to ? month(to) : `${month(from)} – ${month(to)}`;
}

export function valueName(key: DimensionValue | undefined, name = ""): string {
  return name || key?.value || texts().missing;
}
