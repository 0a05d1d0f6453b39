import { count } from "../../app/format";
import type { CustomerTotals } from "../../gen/insights/reporting/v1/dashboards_pb";

/** What the range came to. */
export function Totals({ totals }: { totals: CustomerTotals }) {
  const entries: [string, bigint][] = [
    ["Added", totals.added],
    ["Churned", totals.churned],
    ["Net added", totals.netAdded],
    ["Churned in the last month", totals.lastMonthChurn],
  ];
  return (
    <section aria-label="Totals over the range">
      <dl className="totals">
        {entries.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{count(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
