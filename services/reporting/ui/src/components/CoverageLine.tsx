import { month, months } from "../app/format";
import { scopeName, sourceName } from "../app/labels";
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";

/** What a page covers and how fresh it is. */
export function CoverageLine({ coverage, stale }: { coverage: Coverage; stale: boolean }) {
  const { freshness } = coverage;
  return (
    <div className="coverage" role="status" data-testid="coverage" aria-busy={stale}>
      <span>
        <strong>{months(coverage.fromMonth, coverage.toMonth)}</strong>
      </span>
      <span>{scopeName[coverage.scope]}</span>
      {freshness && (
        <>
          <span>complete through {freshness.completeThrough}</span>
          <span title={`Epoch ${freshness.epoch}`}>version {freshness.version.toString()}</span>
        </>
      )}
      <span>{sourceName[coverage.source]}</span>
      {coverage.partial && (
        <span className="badge warn" title="The data does not reach the end of the last month yet.">
          {month(coverage.toMonth)} is partial *
        </span>
      )}
      {coverage.lowerBound && (
        <span className="badge" title="Of some activity only the last date is known: the true figures may be greater.">
          activity is a lower bound
        </span>
      )}
      {coverage.redacted && (
        <span className="badge" title="Your roles do not see everything that was asked for.">
          some fields are hidden from your roles
        </span>
      )}
      {stale && <span className="badge">loading …</span>}
    </div>
  );
}
