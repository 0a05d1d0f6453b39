import type { ReactNode } from "react";

import { texts } from "../../app/texts";
import { useView } from "../../app/url";
import { useWords } from "../../app/words";
import { Geography } from "../../components/Geography";
import { Tabs } from "../../components/Tabs";
import { Measure } from "../../gen/insights/metrics/v1/query_pb";
import type { Breakdown } from "../../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";

const tabs = { available: Measure.AVAILABLE, active: Measure.ACTIVE } as const;

/** Seats by country; tabs say whether the map shows those that are there or those that are used. */
export function UsageByGeography({ breakdown, actions }: { breakdown: Breakdown | undefined; actions: ReactNode }) {
  const { title, measure } = useWords();
  const { params, change } = useView();
  const chosen = params.get("map") === "active" ? "active" : "available";
  const name = title(SectionSchema, Section.USAGE_BY_GEOGRAPHY);
  const named = (Object.keys(tabs) as (keyof typeof tabs)[]).map((id) => ({ id, name: measure(tabs[id]) }));
  return (
    <Geography title={name} breakdown={breakdown} shade={tabs[chosen]} actions={actions}>
      <Tabs label={texts().mapOf({ title: name })} tabs={named} chosen={chosen} choose={(id) => change((next) => next.set("map", id))}>
        {null}
      </Tabs>
    </Geography>
  );
}
