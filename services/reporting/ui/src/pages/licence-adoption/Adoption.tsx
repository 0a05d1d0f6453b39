import { useMemo } from "react";

import { texts } from "../../app/texts";
import { useWords } from "../../app/words";
import { BreakdownTable } from "../../components/BreakdownTable";
import { CardTrends } from "../../components/CardTrends";
import { Summary } from "../../components/SummaryCard";
import { Measure } from "../../gen/insights/metrics/v1/query_pb";
import { Figure, type GetLicenceAdoptionDashboardResponse } from "../../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";
import type { BasisName } from "./BasisPicker";

const parts = [
  { figure: Figure.DEPLOYMENT_PERCENT, kind: "line", percent: true, colour: 1 },
  { figure: Figure.USAGE_PERCENT_USERS, kind: "line", percent: true, colour: 2 },
  { figure: Figure.USAGE_PERCENT_ENTITLEMENTS, kind: "line", percent: true, colour: 4 },
] as const;

const order: Record<BasisName, Figure[]> = {
  users: [
    Figure.DEPLOYMENT_PERCENT,
    Figure.USAGE_PERCENT_USERS,
    Figure.ACTIVE_USERS,
    Figure.TOTAL_USERS,
    Figure.USAGE_PERCENT_ENTITLEMENTS,
    Figure.AVAILABLE_SEATS,
    Figure.ASSIGNED_SEATS,
    Figure.ACTIVE_SEATS,
    Figure.DEPLOYMENT_OPPORTUNITY,
    Figure.IDLE_SEATS,
  ],
  entitlements: [
    Figure.DEPLOYMENT_PERCENT,
    Figure.USAGE_PERCENT_ENTITLEMENTS,
    Figure.ACTIVE_SEATS,
    Figure.AVAILABLE_SEATS,
    Figure.USAGE_PERCENT_USERS,
    Figure.ACTIVE_USERS,
    Figure.TOTAL_USERS,
    Figure.ASSIGNED_SEATS,
    Figure.DEPLOYMENT_OPPORTUNITY,
    Figure.IDLE_SEATS,
  ],
};

type Props = { data: GetLicenceAdoptionDashboardResponse; basis: BasisName; partial: boolean };

/** Deployment and usage, as figures, over time, by product and by service. */
export function Adoption({ data, basis, partial }: Props) {
  const { figure: figureName, title } = useWords();
  const words = {
    [Measure.USAGE_PERCENT]: figureName(Figure.USAGE_PERCENT_USERS),
    [Measure.ACTIVE_USAGE_PERCENT]: figureName(Figure.USAGE_PERCENT_ENTITLEMENTS),
  };
  const cards = useMemo(
    () => order[basis].flatMap((figure) => data.cards.find((card) => card.figure === figure) ?? []),
    [data.cards, basis],
  );
  return (
    <>
      <Summary cards={cards} />
      <CardTrends title={texts().deploymentByMonth} cards={data.cards} parts={[...parts]} partial={partial} />
      <BreakdownTable
        title={title(SectionSchema, Section.ADOPTION_BY_PRODUCT)}
        breakdown={data.byProduct}
        words={words}
        trend={basis === "users" ? Measure.USAGE_PERCENT : Measure.ACTIVE_USAGE_PERCENT}
      />
      <BreakdownTable
        title={title(SectionSchema, Section.ADOPTION_BY_SERVICE)}
        breakdown={data.byService}
        words={words}
        trend={Measure.USAGE_PERCENT}
      />
    </>
  );
}
