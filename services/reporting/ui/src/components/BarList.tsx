import { drawn, figure, share } from "../app/format";
import { valueText } from "../app/names";
import { texts } from "../app/texts";
import { parameterOf } from "../app/url";
import type { Breakdown } from "../gen/insights/reporting/v1/dashboards_pb";
import { Bar, groupKey } from "./BreakdownTable";
import { ChangeLine } from "./ChangeLine";
import { Empty } from "./States";
import { ValueLink } from "./ValueLink";

type Props = {
  breakdown: Breakdown;
  /** Which of its measures. */
  at?: number;
  off: ReadonlySet<string>;
  toggle: (key: string) => void;
};

/** Groups as bars; one that is switched off leaves the scale to the others. */
export function BarList({ breakdown, at = 0, off, toggle }: Props) {
  const { dimension, groups } = breakdown;
  const text = texts();
  const on = groups.filter((group) => !off.has(groupKey(group)));
  const largest = Math.max(0, ...on.map((group) => drawn(group.values[at]) ?? 0));
  if (groups.length === 0) return <Empty>{text.nothingMatches}</Empty>;
  return (
    <ul className="bar-list">
      {groups.map((group) => {
        const key = groupKey(group);
        const shown = !off.has(key);
        const name = valueText(parameterOf(dimension), group.key?.value, group.name);
        return (
          <li key={key} className={shown ? undefined : "off"}>
            <input type="checkbox" checked={shown} aria-label={text.draw({ name })} onChange={() => toggle(key)} />
            <span className="bar-name">
              <ValueLink dimension={dimension} value={group.key} name={group.name} />
            </span>
            {shown ? <Bar value={group.values[at]} largest={largest} /> : <span />}
            <span className="number">
              {figure(group.values[at])} <small>{share(group.shares[at])}</small>
            </span>
            <span className="bar-change">{group.change && <ChangeLine change={group.change} burden={false} base={false} />}</span>
          </li>
        );
      })}
    </ul>
  );
}
