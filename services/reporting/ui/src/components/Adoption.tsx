import { useMemo } from "react";

import { texts } from "../app/texts";
import { useWords } from "../app/words";
import type { Before } from "../charts/cards";
import { Dimension, Measure, type Filter } from "../gen/insights/metrics/v1/query_pb";
import { Figure, type Coverage, type GetLicenceAdoptionDashboardResponse } from "../gen/insights/reporting/v1/dashboards_pb";
import { ExportReport } from "../gen/insights/reporting/v1/exports_pb";
import { Section, SectionSchema } from "../gen/insights/reporting/v1/words_pb";
import { AdoptionTrend } from "./AdoptionTrend";
import { BreakdownTable } from "./BreakdownTable";
import { ExportMenu } from "./ExportMenu";
import { Summary } from "./Summary";
import type { BasisName } from "./BasisPicker";

const first: Record<BasisName, Figure[]> = {
  users: [Figure.DEPLOYMENT_PERCENT, Figure.USAGE_PERCENT_USERS, Figure.ACTIVE_USERS, Figure.TOTAL_USERS, Figure.USAGE_PERCENT_ENTITLEMENTS],
  entitlements: [Figure.DEPLOYMENT_PERCENT, Figure.USAGE_PERCENT_ENTITLEMENTS, Figure.ACTIVE_SEATS, Figure.AVAILABLE_SEATS, Figure.USAGE_PERCENT_USERS],
};

const SEATS = [Measure.DEPLOYMENT_PERCENT, Measure.ACTIVE_USAGE_PERCENT, Measure.DEPLOYMENT_OPPORTUNITY, Measure.IDLE_SEATS];

type Props = { data: GetLicenceAdoptionDashboardResponse; coverage: Coverage; basis: BasisName; before: Before | undefined; filters?: Filter[] };

/** Deployment and usage: as figures, over time, by product, by service and by customer. */
export function Adoption({ data, coverage, basis, before, filters = [] }: Props) {
  const { figure: figureName, title } = useWords();
  const text = texts();
  const words = {
    [Measure.USAGE_PERCENT]: figureName(Figure.USAGE_PERCENT_USERS),
    [Measure.ACTIVE_USAGE_PERCENT]: figureName(Figure.USAGE_PERCENT_ENTITLEMENTS),
  };
  const cards = useMemo(() => {
    const rank = (figure: Figure) => (first[basis].includes(figure) ? first[basis].indexOf(figure) : first[basis].length);
    return [...data.cards].sort((one, next) => rank(one.figure) - rank(next.figure));
  }, [data.cards, basis]);
  const files = (name: string, measures: Measure[], groupBy: Dimension[], report: ExportReport) => (
    <ExportMenu name={name} coverage={coverage} rows={{ measures, groupBy, filters }} whole={{ report, filters }} />
  );
  const byProduct = title(SectionSchema, Section.ADOPTION_BY_PRODUCT);
  const byService = title(SectionSchema, Section.ADOPTION_BY_SERVICE);
  const trend = basis === "users" ? Measure.USAGE_PERCENT : Measure.ACTIVE_USAGE_PERCENT;
  return (
    <>
      <Summary cards={cards} />
      <AdoptionTrend
        cards={data.cards}
        before={before}
        partial={coverage.partial}
        actions={files(text.deploymentByMonth, [...SEATS, Measure.USAGE_PERCENT], [], ExportReport.LICENCE_USAGE)}
      />
      <BreakdownTable
        title={byProduct}
        breakdown={data.byProduct}
        words={words}
        trend={trend}
        actions={files(byProduct, [...SEATS, Measure.USAGE_PERCENT], [Dimension.PRODUCT], ExportReport.LICENCE_USAGE)}
      />
      <BreakdownTable
        title={byService}
        breakdown={data.byService}
        words={words}
        trend={Measure.USAGE_PERCENT}
        actions={files(byService, [Measure.ACTIVE_USERS, Measure.TOTAL_USERS, Measure.USAGE_PERCENT], [Dimension.SERVICE], ExportReport.OFFICE_USAGE)}
      />
      {data.byCustomer && (
        <BreakdownTable
          title={text.adoptionByCustomer}
          breakdown={data.byCustomer}
          words={words}
          trend={Measure.ACTIVE_USAGE_PERCENT}
          actions={files(text.adoptionByCustomer, SEATS, [Dimension.CUSTOMER], ExportReport.LICENCE_USAGE)}
        />
      )}
    </>
  );
}
