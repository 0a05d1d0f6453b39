import { useId } from "react";

import { count } from "../app/format";
import { basisName, reasons as words } from "../app/labels";
import type { Reasons } from "../gen/insights/reporting/v1/dashboards_pb";

/** Why a usage percentage is what it is: covered and the reasons make up the numerator. */
export function ReasonsDetail({ reasons }: { reasons: Reasons }) {
  const { explanation, basis } = reasons;
  if (!explanation) return null;
  const rows = explanation.reasons.filter((row) => row.count > 0n);
  return (
    <table className="reasons">
      <caption>
        {count(explanation.numerator)} active {basisName[basis]} against {count(explanation.denominator)}
      </caption>
      <tbody>
        <tr>
          <th scope="row">Covered by the total</th>
          <td>{count(explanation.covered)}</td>
        </tr>
        {rows.map((row) => (
          <tr key={row.reason}>
            <th scope="row" title={words[row.reason].meaning}>
              {words[row.reason].label}
            </th>
            <td>{count(row.count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A percentage's reasons behind a button beside the number; offered where something is not covered. */
export function ReasonsButton({ reasons, label }: { reasons: Reasons | undefined; label: string }) {
  const id = useId();
  const uncovered = reasons?.explanation?.reasons.some((row) => row.count > 0n) ?? false;
  if (!reasons || !uncovered) return null;
  return (
    <>
      <button type="button" className="why" popoverTarget={id} aria-label={`Why ${label}`}>
        why
      </button>
      <div id={id} popover="auto" className="panel popover" role="dialog" aria-label={`Why ${label}`}>
        <h3>{label}</h3>
        <ReasonsDetail reasons={reasons} />
      </div>
    </>
  );
}
