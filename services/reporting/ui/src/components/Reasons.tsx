import { count } from "../app/format";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { Basis, BasisSchema, Reason } from "../gen/insights/metrics/v1/query_pb";
import type { Reasons } from "../gen/insights/reporting/v1/dashboards_pb";

/** Explains a usage percentage: the covered part and the reasons sum to its numerator. */
export function ReasonsDetail({ reasons }: { reasons: Reasons }) {
  const { explanation, basis } = reasons;
  const words = useWords();
  const text = texts();
  if (!explanation) return null;
  const named = words.title(BasisSchema, basis === Basis.UNSPECIFIED ? Basis.USERS : basis);
  const rows = explanation.reasons.filter((row) => row.count > 0n);
  return (
    <table className="reasons">
      <caption>
        {text.reasonsCaption({ numerator: count(explanation.numerator), basis: named, denominator: count(explanation.denominator) })}
      </caption>
      <tbody>
        <tr>
          <th scope="row">{text.covered}</th>
          <td>{count(explanation.covered)}</td>
        </tr>
        {rows.map((row) => (
          <tr key={row.reason}>
            <th scope="row">
              {row.reason === Reason.UNSPECIFIED ? text.other : words.reason(row.reason)}
              <small>{words.reasonMeaning(row.reason)}</small>
            </th>
            <td>{count(row.count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
