import { useMemo, useState, type ReactNode } from "react";

import { drawn } from "../../app/format";
import { valueText } from "../../app/names";
import { texts } from "../../app/texts";
import { addFilter, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { Drawing } from "../../charts/MonthChart";
import { COLOURS, type Series } from "../../charts/series";
import { groupKey } from "../../components/BreakdownTable";
import { Panel } from "../../components/Panel";
import { Empty } from "../../components/States";
import { Tabs } from "../../components/Tabs";
import { Measure } from "../../gen/insights/metrics/v1/query_pb";
import type { Breakdown } from "../../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";

const tabs = { available: Measure.AVAILABLE, assigned: Measure.ASSIGNED, active: Measure.ACTIVE } as const;
type Tab = keyof typeof tabs;

type Props = { breakdown: Breakdown | undefined; partial: boolean; actions: ReactNode };

/** Seats of each SKU by month: available, assigned or active. */
export function SkuTrend({ breakdown, partial, actions }: Props) {
  const { title, measure } = useWords();
  const { params, change } = useView();
  const [table, setTable] = useState(false);
  const text = texts();
  const named = (Object.keys(tabs) as Tab[]).map((id) => ({ id, name: measure(tabs[id]) }));
  const chosen = named.find(({ id }) => id === params.get("seats"))?.id ?? "available";
  const groups = breakdown?.groups ?? [];
  const at = breakdown?.measures.indexOf(tabs[chosen]) ?? -1;
  const months = useMemo(() => groups[0]?.trend.map((point) => point.month) ?? [], [breakdown]);
  const series = useMemo<Series[]>(
    () =>
      groups.map((group, index) => ({
        id: groupKey(group),
        name: valueText("sku", group.key?.value, group.name),
        kind: "bar",
        stack: "skus",
        colour: (index % COLOURS) + 1,
        values: group.trend.map((point) => drawn(point.values[at])),
      })),
    [breakdown, at],
  );
  const name = title(SectionSchema, Section.USAGE_BY_SKU);
  const turn = (
    <button type="button" className="quiet" aria-pressed={table} onClick={() => setTable(!table)}>
      {table ? text.showChart : text.showTable}
    </button>
  );
  return (
    <Panel title={name} actions={<>{turn}{actions}</>}>
      <Tabs label={text.whichSeats} tabs={named} chosen={chosen} choose={(id) => change((next) => next.set("seats", id))}>
        {series.length === 0 ? (
          <Empty>{text.nothingMatches}</Empty>
        ) : (
          <Drawing
            title={name}
            table={table}
            months={months}
            series={series}
            partial={partial}
            pick={(id) => id.startsWith("=") && change(addFilter("sku", id.slice(1)))}
          />
        )}
      </Tabs>
    </Panel>
  );
}
