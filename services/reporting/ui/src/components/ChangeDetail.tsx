import { change as written, count, fraction, months } from "../app/format";
import { texts, type Texts } from "../app/texts";
import { ChangeKind, type Change } from "../gen/insights/reporting/v1/dashboards_pb";

/** Text before the base months of a change. */
const against: Record<ChangeKind, (text: Texts) => string> = {
  [ChangeKind.UNSPECIFIED]: () => "",
  [ChangeKind.STOCK]: (text) => text.changeAgainstEnd,
  [ChangeKind.FLOW]: (text) => text.changeAgainst,
  [ChangeKind.CHURN]: (text) => text.changeOfCustomers,
  [ChangeKind.POINTS]: (text) => text.changeAgainstEnd,
};

/** How a change is made. */
export function ChangeDetail({ change }: { change: Change }) {
  const { kind } = change;
  const say = texts();
  const base = `${against[kind](say)} ${months(change.baseFromMonth, change.baseToMonth)}`;
  const value = change.change?.value;
  if (value === undefined) {
    const reason = change.change?.denominator === 0n ? say.noChangeZero : say.noChangeNoData;
    return <>{say.noChange({ base, reason })}</>;
  }
  const parts = kind === ChangeKind.POINTS ? "" : fraction(change.change);
  const text = written(value, kind === ChangeKind.POINTS);
  return (
    <>
      {kind === ChangeKind.CHURN ? text.replace(/[+±]/, "") : text} {base}
      {parts && kind !== ChangeKind.CHURN && `: ${say.onBase({ part: count(change.change?.numerator), whole: count(change.change?.denominator) })}`}
      {parts && kind === ChangeKind.CHURN && `: ${parts}`}
    </>
  );
}
