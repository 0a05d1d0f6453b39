import type { ReactNode } from "react";

import { beyond, drawn, figure, fractionOf, month, NO_FIGURE, share } from "../app/format";
import { valueText } from "../app/names";
import { texts } from "../app/texts";
import { parameterOf } from "../app/url";
import { useWords } from "../app/words";
import { Basis, Measure, type Value } from "../gen/insights/metrics/v1/query_pb";
import type { Breakdown, Group } from "../gen/insights/reporting/v1/dashboards_pb";
import { ChangeLine } from "./ChangeLine";
import { DataTable, type Column } from "./DataTable";
import { Over } from "./Over";
import { Overlapping } from "./Overlapping";
import { Panel } from "./Panel";
import { Sparkline } from "./Sparkline";
import { Empty } from "./States";
import { ValueLink } from "./ValueLink";

type Props = {
  title: string;
  breakdown: Breakdown | undefined;
  /** Titles of measures that differ on this page. */
  words?: Partial<Record<Measure, string>>;
  /** Measure of the trend. */
  trend: Measure;
  actions?: ReactNode;
};

/** A table of more measures than this has no place for bars. */
const WIDE = 5;

/** Basis of the reasons shown beside a measure. */
const basisOf: Partial<Record<Measure, Basis>> = {
  [Measure.USAGE_PERCENT]: Basis.USERS,
  [Measure.ACTIVE_USAGE_PERCENT]: Basis.ENTITLEMENTS,
};

/** Figures of the last month by one dimension, with their trends. */
export function BreakdownTable({ title, breakdown, words = {}, trend, actions }: Props) {
  const columns = useColumns(breakdown, words, trend);
  const groups = breakdown?.groups ?? [];
  return (
    <Panel title={title} actions={actions} note={breakdown?.overlapping && <Overlapping />}>
      {groups.length === 0 ? <Empty>{texts().nothingMatches}</Empty> : <DataTable title={title} columns={columns} rows={groups} keyOf={groupKey} />}
    </Panel>
  );
}

/** React key of a group; the missing value has its own. */
export const groupKey = (group: Group): string => (group.key?.value === undefined ? "none" : `=${group.key.value}`);

/** The columns of a breakdown: the value, its measures, how the first changed, and its trend. */
export function useColumns(breakdown: Breakdown | undefined, words: Props["words"] = {}, trend?: Measure, bars = true): Column<Group>[] {
  const { dimension: dimensionName, measure: measureName, measureTerm } = useWords();
  const text = texts();
  if (!breakdown) return [];
  const { dimension, measures } = breakdown;
  const largest = Math.max(0, ...breakdown.groups.map((group) => drawn(group.values[0]) ?? 0));
  const nameOf = (group: Group) => valueText(parameterOf(dimension), group.key?.value, group.name);
  const figures = measures.map((measure, index): Column<Group> => {
    const name = words[measure] ?? measureName(measure);
    return {
      id: Measure[measure],
      title: name,
      number: true,
      term: measureTerm(measure),
      by: (group) => drawn(group.values[index]),
      cell: (group) => (
        <>
          {index === 0 && bars && measures.length <= WIDE && <Bar value={group.values[0]} largest={largest} />}
          <FigureCell value={group.values[index]} part={share(group.shares[index])} />
          {beyond(group.values[index]) && (
            <Over
              name={text.valueOf({ label: name, name: nameOf(group) })}
              value={group.values[index]}
              reasons={group.reasons.find((entry) => entry.basis === basisOf[measure])}
            />
          )}
        </>
      ),
    };
  });
  const trendIndex = trend === undefined ? -1 : measures.indexOf(trend);
  const changed = breakdown.groups.find((group) => group.change)?.change;
  return [
    {
      id: "value",
      title: dimensionName(dimension),
      by: nameOf,
      cell: (group) => <ValueLink dimension={dimension} value={group.key} name={group.name} />,
    },
    ...figures,
    ...(changed ? [changeColumn(text.changeSince({ base: month(changed.baseToMonth) }))] : []),
    ...(trendIndex < 0
      ? []
      : [
          {
            id: "trend",
            title: text.trend,
            cell: (group: Group) => (
              <Sparkline
                points={group.trend.map((point) => ({ month: point.month, value: point.values[trendIndex] }))}
                label={text.byMonth({ label: nameOf(group) })}
              />
            ),
          },
        ]),
  ];
}

const changeColumn = (title: string): Column<Group> => ({
  id: "change",
  title,
  number: true,
  by: (group) => group.change?.change?.value ?? null,
  cell: (group) => group.change && <ChangeLine change={group.change} burden={false} base={false} />,
});

/** A figure with its fraction, or its share of the whole, below it. */
export function FigureCell({ value, part = "" }: { value: Value | undefined; part?: string }) {
  const below = fractionOf(value) || part;
  return (
    <span className="figure">
      {figure(value) || NO_FIGURE}
      {below && <small>{below}</small>}
    </span>
  );
}

export function Bar({ value, largest }: { value: Value | undefined; largest: number }) {
  const size = drawn(value);
  if (size === null || largest === 0) return null;
  return <progress className="bar" aria-hidden="true" max={largest} value={size} />;
}
