import { useState } from "react";

import { drawn, figure, fractionOf, NO_FIGURE, valueName } from "../app/format";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { Basis, Measure, MeasureSchema, type Value } from "../gen/insights/metrics/v1/query_pb";
import type { Breakdown, Group } from "../gen/insights/reporting/v1/dashboards_pb";
import { ReasonsButton } from "./Reasons";
import { Sparkline } from "./Sparkline";
import { Empty } from "./States";

type Props = {
  title: string;
  breakdown: Breakdown | undefined;
  /** Titles of measures that differ on this page. */
  words?: Partial<Record<Measure, string>>;
  /** Measure of the trend. */
  trend: Measure;
};

const SHORT = 8;

/** Basis of the reasons shown beside a measure. */
const basisOf: Partial<Record<Measure, Basis>> = {
  [Measure.USAGE_PERCENT]: Basis.USERS,
  [Measure.ACTIVE_USAGE_PERCENT]: Basis.ENTITLEMENTS,
};

/** Figures of the last month by one dimension, with their trends. */
export function BreakdownTable({ title, breakdown, words = {}, trend }: Props) {
  const [all, setAll] = useState(false);
  const { dimension, title: titleOf } = useWords();
  const text = texts();
  if (!breakdown || breakdown.groups.length === 0) {
    return (
      <section className="panel" aria-label={title}>
        <h2>{title}</h2>
        <Empty>{text.nothingMatches}</Empty>
      </section>
    );
  }
  const { groups, measures } = breakdown;
  const largest = Math.max(0, ...groups.map((group) => drawn(group.values[0]) ?? 0));
  const shown = all ? groups : groups.slice(0, SHORT);
  const trendIndex = measures.indexOf(trend);
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
        {breakdown.overlapping && (
          <span className="badge" title={text.overlappingHint}>
            {text.overlapping}
          </span>
        )}
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label={text.table(title)}>
        <table>
          <thead>
            <tr>
              <th scope="col">{dimension(breakdown.dimension)}</th>
              {measures.map((measure) => (
                <th scope="col" className="number" key={measure}>
                  {words[measure] ?? titleOf(MeasureSchema, measure)}
                </th>
              ))}
              <th scope="col">{text.trend}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((group) => (
              <Row key={keyOf(group)} group={group} measures={measures} words={words} largest={largest} trendIndex={trendIndex} />
            ))}
          </tbody>
        </table>
      </div>
      {groups.length > SHORT && (
        <button type="button" className="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? text.showFewer : text.showAll(groups.length)}
        </button>
      )}
    </section>
  );
}

/** React key of a group; the missing value has its own. */
const keyOf = (group: Group): string => (group.key?.value === undefined ? "none" : `=${group.key.value}`);

type RowProps = {
  group: Group;
  measures: Measure[];
  words: Partial<Record<Measure, string>>;
  largest: number;
  trendIndex: number;
};

function Row({ group, measures, words, largest, trendIndex }: RowProps) {
  const { title: titleOf } = useWords();
  const text = texts();
  const name = valueName(group.key, group.name);
  const points = group.trend.map((point) => ({ month: point.month, value: point.values[trendIndex], partial: point.partial }));
  return (
    <tr>
      <th scope="row">{name}</th>
      {measures.map((measure, index) => (
        <td className="number" key={measure}>
          {index === 0 && <Bar value={group.values[0]} largest={largest} />}
          <Figure value={group.values[index]} />
          {basisOf[measure] !== undefined && (
            <span className="why-slot">
              <ReasonsButton
                reasons={group.reasons.find((entry) => entry.basis === basisOf[measure])}
                label={text.valueOf(words[measure] ?? titleOf(MeasureSchema, measure), name, figure(group.values[index]))}
              />
            </span>
          )}
        </td>
      ))}
      <td>
        <Sparkline points={points} label={text.byMonth(name)} />
      </td>
    </tr>
  );
}

function Figure({ value }: { value: Value | undefined }) {
  const parts = fractionOf(value);
  return (
    <span className="figure" title={parts || undefined}>
      {figure(value) || NO_FIGURE}
      {parts && <small>{parts}</small>}
    </span>
  );
}

function Bar({ value, largest }: { value: Value | undefined; largest: number }) {
  const size = drawn(value);
  if (size === null || largest === 0) return null;
  return <progress className="bar" aria-hidden="true" max={largest} value={size} />;
}
