import { month, months } from "../app/format";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { ScopeSchema, SourceSchema } from "../gen/insights/metrics/v1/query_pb";
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";

/** What a page covers and how fresh it is. */
export function CoverageLine({ coverage, stale }: { coverage: Coverage; stale: boolean }) {
  const { freshness } = coverage;
  const { title } = useWords();
  const text = texts();
  return (
    <div className="coverage" role="status" data-testid="coverage" aria-busy={stale}>
      <span>
        <strong>{months(coverage.fromMonth, coverage.toMonth)}</strong>
      </span>
      <span>{title(ScopeSchema, coverage.scope)}</span>
      {freshness && (
        <>
          <span>{text.completeThrough(freshness.completeThrough)}</span>
          <span title={text.epoch(freshness.epoch)}>{text.version(freshness.version)}</span>
        </>
      )}
      <span>{title(SourceSchema, coverage.source)}</span>
      {coverage.partial && (
        <span className="badge warn" title={text.partialHint}>
          {text.partial(month(coverage.toMonth))}
        </span>
      )}
      {coverage.lowerBound && (
        <span className="badge" title={text.activityLowerBoundHint}>
          {text.activityLowerBound}
        </span>
      )}
      {coverage.carried && (
        <span className="badge warn" title={text.carriedHint}>
          {text.carried}
        </span>
      )}
      {coverage.redacted && (
        <span className="badge" title={text.hiddenFieldsHint}>
          {text.hiddenFields}
        </span>
      )}
      {stale && <span className="badge">{text.loadingNow}</span>}
    </div>
  );
}
