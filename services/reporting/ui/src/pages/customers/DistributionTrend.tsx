import { useMemo, useState, type ReactNode } from "react";

import { drawn } from "../../app/format";
import { valueText } from "../../app/names";
import { texts } from "../../app/texts";
import { addFilter, NONE, parameterOf, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { Drawing } from "../../charts/MonthChart";
import { COLOURS, type Series } from "../../charts/series";
import { groupKey } from "../../components/BreakdownTable";
import { Overlapping } from "../../components/Overlapping";
import { Panel } from "../../components/Panel";
import { Empty } from "../../components/States";
import { Tabs } from "../../components/Tabs";
import { Dimension } from "../../gen/insights/metrics/v1/query_pb";
import { UndefinedReason, UndefinedReasonSchema, type Breakdown } from "../../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";

type Props = { breakdowns: Breakdown[]; partial: boolean; files: (dimension: Dimension) => ReactNode };

/** Customers by month and group, a tab for each dimension; the five largest and the others, or all. */
export function DistributionTrend({ breakdowns, partial, files }: Props) {
  const { title, dimension } = useWords();
  const { params, change } = useView();
  const [table, setTable] = useState(false);
  const text = texts();
  const tabs = breakdowns.map((entry) => ({ id: parameterOf(entry.dimension), name: dimension(entry.dimension) }));
  const chosen = tabs.find(({ id }) => id === params.get("trend"))?.id ?? tabs[0]?.id ?? "";
  const shown = breakdowns.find((entry) => parameterOf(entry.dimension) === chosen);
  const drawing = useMemo(() => (shown ? seriesOf(shown) : undefined), [shown]);
  if (!shown || !drawing) return null;
  const name = title(SectionSchema, Section.CUSTOMER_DISTRIBUTION_TREND);
  const all = params.get("groups") === "all";
  const reason = shown.others?.undefinedReason ?? UndefinedReason.UNSPECIFIED;
  return (
    <Panel
      title={name}
      note={shown.overlapping && <Overlapping />}
      actions={
        <>
          <button type="button" className="quiet" aria-pressed={all} onClick={() => change((next) => (all ? next.delete("groups") : next.set("groups", "all")))}>
            {all ? text.largestGroups : text.allGroups}
          </button>
          <button type="button" className="quiet" aria-pressed={table} onClick={() => setTable(!table)}>
            {table ? text.showChart : text.showTable}
          </button>
          {files(shown.dimension)}
        </>
      }
    >
      <Tabs label={text.splitBy} tabs={tabs} chosen={chosen} choose={(id) => change((next) => next.set("trend", id))}>
        {drawing.series.length === 0 ? (
          <Empty>{text.nothingMatches}</Empty>
        ) : (
          <Drawing
            key={chosen}
            title={name}
            table={table}
            months={drawing.months}
            series={drawing.series}
            partial={partial}
            pick={(id) => id.startsWith("=") || id === "none" ? change(addFilter(chosen, id === "none" ? NONE : id.slice(1))) : undefined}
          />
        )}
        {reason !== UndefinedReason.UNSPECIFIED && <p className="hint">{title(UndefinedReasonSchema, reason)}</p>}
      </Tabs>
    </Panel>
  );
}

function seriesOf({ dimension, groups, others, overlapping }: Breakdown): { months: string[]; series: Series[] } {
  const stack = overlapping ? {} : { stack: "groups" };
  const one = (id: string, name: string, index: number, trend: (typeof groups)[number]["trend"]): Series => ({
    id,
    name,
    kind: "bar",
    ...stack,
    colour: (index % COLOURS) + 1,
    values: trend.map((point) => drawn(point.values[0])),
  });
  const series = groups.map((group, index) => one(groupKey(group), valueText(parameterOf(dimension), group.key?.value, group.name), index, group.trend));
  if (others && others.trend.length > 0) series.push(one("others", texts().otherGroups({ count: others.groups }), groups.length, others.trend));
  return { months: groups[0]?.trend.map((point) => point.month) ?? [], series };
}
