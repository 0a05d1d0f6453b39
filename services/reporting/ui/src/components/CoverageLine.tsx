import { day, month, months } from "../app/format";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { ScopeSchema, SourceSchema } from "../gen/insights/metrics/v1/query_pb";
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";
import { Popover } from "./Popover";

/** Data that ends longer ago than this, in days, is called old. */
const OLD = 7;

/** What a page covers and how fresh it is. */
export function CoverageLine({ coverage, stale }: { coverage: Coverage; stale: boolean }) {
  const { freshness } = coverage;
  const { title } = useWords();
  const text = texts();
  const age = freshness ? Math.floor((Date.now() - Date.parse(`${freshness.completeThrough}T00:00:00Z`)) / 86_400_000) : 0;
  return (
    <div className="coverage" role="status" data-testid="coverage" data-version={String(freshness?.version ?? "")} aria-busy={stale}>
      <span>
        <strong>{months(coverage.fromMonth, coverage.toMonth)}</strong>
      </span>
      <span>{title(ScopeSchema, coverage.scope)}</span>
      {freshness && <span>{text.completeThrough({ day: day(freshness.completeThrough) })}</span>}
      {age > OLD && <Mark face={text.oldData({ days: age })} hint={text.oldDataHint} warn />}
      <span>{title(SourceSchema, coverage.source)}</span>
      {coverage.partial && <Mark face={text.partial({ month: month(coverage.toMonth) })} hint={text.partialHint} warn />}
      {coverage.lowerBound && <Mark face={text.lowerBound} hint={text.lowerBoundHint} warn />}
      {coverage.carried && <Mark face={text.carried} hint={text.carriedHint} warn />}
      {coverage.redacted && <Mark face={text.hiddenFields} hint={text.hiddenFieldsHint} />}
      {freshness && <span className="version">{text.version({ version: String(freshness.version) })}</span>}
      {stale && <span className="badge">{text.loadingNow}</span>}
    </div>
  );
}

/** Something that a reader must know about all figures of the page; a press says it in a sentence. */
function Mark({ face, hint, warn = false }: { face: string; hint: string; warn?: boolean }) {
  return (
    <Popover face={face} className={warn ? "badge warn" : "badge"} title={face}>
      <p>{hint}</p>
    </Popover>
  );
}
