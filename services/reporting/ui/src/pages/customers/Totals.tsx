import { count } from "../../app/format";
import { texts } from "../../app/texts";
import { useWords } from "../../app/words";
import { Measure, MeasureSchema } from "../../gen/insights/metrics/v1/query_pb";
import { Figure, type CustomerTotals } from "../../gen/insights/reporting/v1/dashboards_pb";

/** Totals over the range. */
export function Totals({ totals }: { totals: CustomerTotals }) {
  const words = useWords();
  const entries: [string, bigint][] = [
    [texts().added, totals.added],
    [words.title(MeasureSchema, Measure.CHURNED), totals.churned],
    [words.figure(Figure.NET_ADDED), totals.netAdded],
    [words.figure(Figure.LAST_MONTH_CHURN), totals.lastMonthChurn],
  ];
  return (
    <section aria-label={texts().totals}>
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
