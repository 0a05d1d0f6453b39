// Words of the product from the API in the language of the page: titles of enum values (GetWords), and definitions of figures
// and reasons (ListGlossaryTerms).
import type { DescEnum } from "@bufbuild/protobuf";
import { createContext, useContext } from "react";

import { DimensionSchema, Measure, MeasureSchema, Reason, ReasonSchema, type Dimension } from "../gen/insights/metrics/v1/query_pb";
import { Figure, FigureSchema } from "../gen/insights/reporting/v1/dashboards_pb";
import { GlossaryKind, type GlossaryTerm } from "../gen/insights/reporting/v1/words_pb";
import { reporting } from "./client";
import { remember } from "./names";

export type Words = {
  /** Title of an enum's value; empty for the unspecified one. */
  title: (schema: DescEnum, value: number) => string;
  /** The term of the glossary that defines a figure. */
  figureTerm: (figure: Figure) => GlossaryTerm | undefined;
  /** The term that defines a measure. */
  measureTerm: (measure: Measure) => GlossaryTerm | undefined;
  /** Definition of a reason. */
  reasonMeaning: (reason: Reason) => string;
  /** The whole glossary, in the order in which its terms build on each other. */
  terms: GlossaryTerm[];
};

/** The term of the glossary that defines a figure. */
const termOf: Record<Figure, [GlossaryKind, string]> = {
  [Figure.UNSPECIFIED]: [GlossaryKind.UNSPECIFIED, ""],
  [Figure.CUSTOMERS]: [GlossaryKind.MEASURE, "customers"],
  [Figure.ACTIVE_CUSTOMERS]: [GlossaryKind.MEASURE, "active_customers"],
  [Figure.CUSTOMERS_ADDED]: [GlossaryKind.RANGE_FIGURE, "added"],
  [Figure.CUSTOMERS_CHURNED]: [GlossaryKind.RANGE_FIGURE, "churned_over_range"],
  [Figure.NET_ADDED]: [GlossaryKind.RANGE_FIGURE, "net_added"],
  [Figure.LAST_MONTH_CHURN]: [GlossaryKind.RANGE_FIGURE, "last_month_churn"],
  [Figure.SUBSCRIPTIONS]: [GlossaryKind.MEASURE, "subscriptions"],
  [Figure.AVAILABLE_SEATS]: [GlossaryKind.MEASURE, "available"],
  [Figure.ASSIGNED_SEATS]: [GlossaryKind.MEASURE, "assigned"],
  [Figure.ACTIVE_SEATS]: [GlossaryKind.MEASURE, "active"],
  [Figure.ACTIVE_USAGE_PERCENT]: [GlossaryKind.MEASURE, "active_usage_percent"],
  [Figure.DEPLOYMENT_PERCENT]: [GlossaryKind.MEASURE, "deployment_percent"],
  [Figure.USAGE_PERCENT_USERS]: [GlossaryKind.BASIS, "users"],
  [Figure.USAGE_PERCENT_ENTITLEMENTS]: [GlossaryKind.BASIS, "entitlements"],
  [Figure.ACTIVE_USERS]: [GlossaryKind.MEASURE, "active_users"],
  [Figure.TOTAL_USERS]: [GlossaryKind.MEASURE, "total_users"],
  [Figure.DEPLOYMENT_OPPORTUNITY]: [GlossaryKind.MEASURE, "deployment_opportunity"],
  [Figure.IDLE_SEATS]: [GlossaryKind.MEASURE, "idle_seats"],
};

/** Loads the words in the language of the page. */
export async function loadWords(signal: AbortSignal): Promise<Words> {
  const [answer, glossary] = await Promise.all([
    reporting.getWords({}, { signal }),
    reporting.listGlossaryTerms({}, { signal }),
  ]);
  const titles = new Map(answer.words.map(({ key, text }) => [key, text]));
  glossary.terms.filter(({ kind }) => kind === GlossaryKind.STANDING).forEach(({ id, title }) => remember("standing", id, title));
  const terms = new Map(glossary.terms.map((term) => [`${term.kind}/${term.id}`, term]));
  const named = (schema: DescEnum, value: number) => schema.value[value]?.name ?? "";
  return {
    title: (schema, value) => titles.get(named(schema, value)) ?? "",
    figureTerm: (figure) => terms.get(termOf[figure].join("/")),
    measureTerm: (measure) => terms.get(`${GlossaryKind.MEASURE}/${Measure[measure].toLowerCase()}`),
    reasonMeaning: (reason) => terms.get(`${GlossaryKind.REASON}/${Reason[reason]}`)?.definition ?? "",
    terms: glossary.terms,
  };
}

const silent: Words = { title: () => "", figureTerm: () => undefined, measureTerm: () => undefined, reasonMeaning: () => "", terms: [] };

const Context = createContext<Words>(silent);

export const WordsProvider = Context.Provider;

/** The words, with shortcuts for frequent enums. */
export function useWords() {
  const words = useContext(Context);
  return {
    ...words,
    dimension: (value: Dimension) => words.title(DimensionSchema, value),
    figure: (value: Figure) => words.title(FigureSchema, value),
    measure: (value: Measure) => words.title(MeasureSchema, value),
    reason: (value: Reason) => words.title(ReasonSchema, value),
  };
}
