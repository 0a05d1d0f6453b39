// Words of the product from the API in the language of the page: titles of enum values (GetWords), and definitions of figures
// and reasons (ListGlossaryTerms).
import type { DescEnum } from "@bufbuild/protobuf";
import { createContext, useContext } from "react";

import { DimensionSchema, Reason, ReasonSchema, type Dimension } from "../gen/insights/metrics/v1/query_pb";
import { Figure, FigureSchema } from "../gen/insights/reporting/v1/dashboards_pb";
import { GlossaryKind } from "../gen/insights/reporting/v1/words_pb";
import { reporting } from "./client";

export type Words = {
  /** Title of an enum's value; empty for the unspecified one. */
  title: (schema: DescEnum, value: number) => string;
  /** Definition of a figure. */
  figureMeaning: (figure: Figure) => string;
  /** Definition of a reason. */
  reasonMeaning: (reason: Reason) => string;
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
  const definitions = new Map(glossary.terms.map(({ kind, id, definition }) => [`${kind}/${id}`, definition]));
  const named = (schema: DescEnum, value: number) => schema.value[value]?.name ?? "";
  return {
    title: (schema, value) => titles.get(named(schema, value)) ?? "",
    figureMeaning: (figure) => definitions.get(termOf[figure].join("/")) ?? "",
    reasonMeaning: (reason) => definitions.get(`${GlossaryKind.REASON}/${Reason[reason]}`) ?? "",
  };
}

const silent: Words = { title: () => "", figureMeaning: () => "", reasonMeaning: () => "" };

const Context = createContext<Words>(silent);

export const WordsProvider = Context.Provider;

/** The words, with shortcuts for frequent enums. */
export function useWords() {
  const words = useContext(Context);
  return {
    ...words,
    dimension: (value: Dimension) => words.title(DimensionSchema, value),
    figure: (value: Figure) => words.title(FigureSchema, value),
    reason: (value: Reason) => words.title(ReasonSchema, value),
  };
}
