import type { ReactNode } from "react";

import { useWords } from "../../app/words";
import { BreakdownTable } from "../../components/BreakdownTable";
import { Measure } from "../../gen/insights/metrics/v1/query_pb";
import type { Breakdown } from "../../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";

/** How the seats of the last month are distributed over SKUs, with shares. */
export function SkuDistribution({ breakdown, actions }: { breakdown: Breakdown | undefined; actions: ReactNode }) {
  const { title } = useWords();
  return (
    <BreakdownTable
      title={title(SectionSchema, Section.USAGE_DISTRIBUTION)}
      breakdown={breakdown}
      trend={Measure.ACTIVE_USAGE_PERCENT}
      actions={actions}
    />
  );
}
