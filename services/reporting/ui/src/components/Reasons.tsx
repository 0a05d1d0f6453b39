import { useId } from "react";

import { count } from "../app/format";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { Basis, BasisSchema, Reason } from "../gen/insights/metrics/v1/query_pb";
import type { Reasons } from "../gen/insights/reporting/v1/dashboards_pb";

/** Explains a usage percentage: the covered part and the reasons sum to its numerator. */
export function ReasonsDetail({ reasons }: { reasons: Reasons }) {
  const { explanation, basis } = reasons;
  const words = useWords();
  if (!explanation) return null;
  const named = words.title(BasisSchema, basis === Basis.UNSPECIFIED ? Basis.USERS : basis);
  const rows = explanation.reasons.filter((row) => row.count > 0n);
  return (
    <table className="reasons">
      <caption>
        {texts().reasonsCaption(count(explanation.numerator), named, count(explanation.denominator))}
      </caption>
      <tbody>
        <tr>
          <th scope="row">{texts().covered}</th>
          <td>{count(explanation.covered)}</td>
        </tr>
        {rows.map((row) => (
          <tr key={row.reason}>
            <th scope="row" title={words.reasonMeaning(row.reason)}>
              {row.reason === Reason.UNSPECIFIED ? texts().other : words.reason(row.reason)}
            </th>
            <td>{count(row.count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A button that shows the reasons of a percentage; absent when its whole numerator is covered. */
export function ReasonsButton({ reasons, label }: { reasons: Reasons | undefined; label: string }) {
  const id = useId();
  const uncovered = reasons?.explanation?.reasons.some((row) => row.count > 0n) ?? false;
  if (!reasons || !uncovered) return null;
  return (
    <>
      <button type="button" className="why" popoverTarget={id} aria-label={texts().whyOf(label)}>
        {texts().why}
      </button>
      <div id={id} popover="auto" className="panel popover" role="dialog" aria-label={texts().whyOf(label)}>
        <h3>{label}</h3>
        <ReasonsDetail reasons={reasons} />
      </div>
    </>
  );
}
