import { useState, type ReactNode } from "react";

import { texts } from "../../app/texts";
import { parameterOf, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { BarList } from "../../components/BarList";
import { Overlapping } from "../../components/Overlapping";
import { Panel } from "../../components/Panel";
import { Tabs } from "../../components/Tabs";
import type { Dimension } from "../../gen/insights/metrics/v1/query_pb";
import type { Breakdown } from "../../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";

type Props = { breakdowns: Breakdown[]; files: (dimension: Dimension) => ReactNode };

/** Customers by location, segment, channel, pricing model and attribution type, a tab each. */
export function Distribution({ breakdowns, files }: Props) {
  const { title, dimension } = useWords();
  const { params, change } = useView();
  const [off, setOff] = useState<ReadonlySet<string>>(new Set());
  const tabs = breakdowns.map((entry) => ({ id: parameterOf(entry.dimension), name: dimension(entry.dimension) }));
  const chosen = tabs.find(({ id }) => id === params.get("spread"))?.id ?? tabs[0]?.id ?? "";
  const shown = breakdowns.find((entry) => parameterOf(entry.dimension) === chosen);
  if (!shown) return null;
  const toggle = (key: string) => setOff((before) => (before.has(key) ? new Set([...before].filter((one) => one !== key)) : new Set([...before, key])));
  return (
    <Panel title={title(SectionSchema, Section.CUSTOMER_DISTRIBUTION)} actions={files(shown.dimension)} note={shown.overlapping && <Overlapping />}>
      <Tabs label={texts().splitBy} tabs={tabs} chosen={chosen} choose={(id) => change((next) => next.set("spread", id))}>
        <BarList breakdown={shown} off={off} toggle={toggle} />
      </Tabs>
    </Panel>
  );
}
