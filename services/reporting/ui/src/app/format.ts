// Formats of figures, months and times in the language of the page. Nothing is computed here: numbers come from the API.
import { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";

import type { Percentage, Value } from "../gen/insights/metrics/v1/query_pb";
import { language, type Language } from "./language";
import { texts } from "./texts";

type Formats = {
  whole: Intl.NumberFormat;
  decimal: Intl.NumberFormat;
  percent: Intl.NumberFormat;
  short: Intl.NumberFormat;
  signed: Intl.NumberFormat;
  bytes: Intl.NumberFormat;
  month: Intl.DateTimeFormat;
  narrow: Intl.DateTimeFormat;
  day: Intl.DateTimeFormat;
  today: Intl.DateTimeFormat;
  time: Intl.DateTimeFormat;
};

const formatsOf = (locale: string): Formats => ({
  whole: new Intl.NumberFormat(locale),
  decimal: new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }),
  percent: new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  short: new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  signed: new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" }),
  bytes: new Intl.NumberFormat(locale, { notation: "compact", style: "unit", unit: "byte", unitDisplay: "narrow" }),
  month: new Intl.DateTimeFormat(locale, { month: "short", year: "numeric", timeZone: "UTC" }),
  narrow: new Intl.DateTimeFormat(locale, { month: "short", year: "2-digit", timeZone: "UTC" }),
  day: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" }),
  today: new Intl.DateTimeFormat(locale, { dateStyle: "long" }),
  time: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }),
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

/** A share beside the count that it belongs to. */
export function share(value: Value | undefined): string {
  const percent = value?.kind.case === "percentage" ? value.kind.value.value : undefined;
  return percent === undefined ? "" : `${formats().short.format(percent)} %`;
}

/** A change with its sign; one that is written as zero has none. */
export function change(value: number, points: boolean): string {
  const unit = points ? texts().points : "%";
  return flat(value) ? `±${formats().short.format(0)} ${unit}` : `${formats().signed.format(value)} ${unit}`;
}

/** Whether a change is zero as it is written. */
export const flat = (value: number): boolean => Math.abs(value) < 0.05;

export const bytes = (value: bigint): string => formats().bytes.format(value);

export function figure(value: Value | undefined): string {
  switch (value?.kind.case) {
    case "count":
      return count(value.kind.value);
    case "percentage":
      return percentage(value.kind.value.value);
    case "amount":
      return amount(value.kind.value);
    default:
      return NO_FIGURE;
  }
}

/** An amount as the API writes it, with the separators of the language. */
export const amount = (text: string, currency = ""): string => {
  const written = formats().percent.format(text as Intl.StringNumericLiteral);
  return currency ? `${written} ${currency}` : written;
};

/** A figure as a chart draws it; null leaves a gap. */
export function drawn(value: Value | undefined): number | null {
  switch (value?.kind.case) {
    case "count":
      return Number(value.kind.value);
    case "percentage":
      return value.kind.value.value ?? null;
    case "amount":
      return Number(value.kind.value);
    default:
      return null;
  }
}

/** "124 of 474", or nothing when a side is unknown. */
export function fraction(value: Percentage | undefined): string {
  if (value?.numerator === undefined || value.denominator === undefined) return "";
  return texts().ofWhole({ part: count(value.numerator), whole: count(value.denominator) });
}

export function fractionOf(value: Value | undefined): string {
  return value?.kind.case === "percentage" ? fraction(value.kind.value) : "";
}

/** Whether a figure is a percentage beyond 100. */
export const beyond = (value: Value | undefined): boolean =>
  value?.kind.case === "percentage" && (value.kind.value.value ?? 0) > 100;

const written = (text: string, format: Intl.DateTimeFormat): string => {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : format.format(date);
};

/** "Mar 2026" */
export const month = (text: string): string => written(`${text}-01T00:00:00Z`, formats().month).replace(" de ", " ");

/** "Mar 26", for axes. */
export const shortMonth = (text: string): string => written(`${text}-01T00:00:00Z`, formats().narrow).replace(" de ", " ");

/** "Mar 2025 – Feb 2026", or one month. */
export function months(from: string, to: string): string {
  return from === to ? month(to) : `${month(from)} – ${month(to)}`;
}

/** "20 Jun 2026", of a day of the partner's calendar. */
export const day = (text: string): string => (text ? written(`${text}T00:00:00Z`, formats().day) : NO_FIGURE);

/** The day of the reader's calendar. */
export const today = (): string => formats().today.format(new Date());

export const time = (stamp: Timestamp | undefined): string => (stamp ? formats().time.format(timestampDate(stamp)) : NO_FIGURE);
