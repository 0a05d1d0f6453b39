import { change as written, flat, month, months, NO_FIGURE } from "../app/format";
import { texts } from "../app/texts";
import { ChangeKind, type Change } from "../gen/insights/reporting/v1/dashboards_pb";

type Props = { change: Change; burden: boolean; /** Says what it compares with. */ base?: boolean };

/** A change with the months that it compares with; good, bad or neither. */
export function ChangeLine({ change, burden, base: told = true }: Props) {
  const text = texts();
  const value = change.change?.value;
  if (value === undefined) return <p className="change none">{told ? text.noBase : NO_FIGURE}</p>;
  if (change.kind === ChangeKind.CHURN) {
    const look = flat(value) ? "flat" : "bad";
    return <p className={`change ${look}`}>{text.ofCustomers({ percent: written(value, false).replace(/[+±]/, ""), month: month(change.baseToMonth) })}</p>;
  }
  const look = flat(value) ? "flat" : value > 0 === burden ? "bad" : "good";
  const base = months(change.baseFromMonth, change.baseToMonth);
  return (
    <p className={`change ${look}`}>
      {!flat(value) && <span aria-hidden="true">{value > 0 ? "▲" : "▼"} </span>}
      {written(value, change.kind === ChangeKind.POINTS)}{" "}
      {told && <small>{change.kind === ChangeKind.FLOW ? text.against({ base }) : text.since({ base })}</small>}
    </p>
  );
}
