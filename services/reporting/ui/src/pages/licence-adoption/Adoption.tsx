import { useMemo } from "react";

import { BreakdownTable } from "../../components/BreakdownTable";
import { CardTrends } from "../../components/CardTrends";
import { Summary } from "../../components/SummaryCard";
import { Measure } from "../../gen/insights/metrics/v1/query_pb";
import { Figure, type GetLicenceAdoptionDashboardResponse } from "../../gen/insights/reporting/v1/dashboards_pb";
import type { BasisName } from "./BasisPicker";

const words = { [Measure.ACTIVE_USAGE_PERCENT]: "Usage % · entitlements" };

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
  const cards = useMemo(
    () => order[basis].flatMap((figure) => data.cards.find((card) => card.figure === figure) ?? []),
    [data.cards, basis],
  );
  return (
    <>
      <Summary cards={cards} />
      <CardTrends title="Deployment and usage by month" cards={data.cards} parts={[...parts]} partial={partial} />
      <BreakdownTable
        title="By product"
        breakdown={data.byProduct}
        words={words}
        trend={basis === "users" ? Measure.USAGE_PERCENT : Measure.ACTIVE_USAGE_PERCENT}
      />
      <BreakdownTable title="By service (users)" breakdown={data.byService} trend={Measure.USAGE_PERCENT} />
    </>
  );
}
