import { texts } from "../app/texts";
import type { LoadedReport } from "../app/report";
import { useView } from "../app/url";

/** What a reader must know before the figures: they are old, of another time, or there are newer ones. */
export function Notices({ report }: { report: LoadedReport<unknown> }) {
  const { params, change } = useView();
  const text = texts();
  const asOf = params.get("as-of");
  return (
    <div className="notices" aria-live="polite">
      {report.away && (
        <p className="notice warn" data-testid="away">
          {text.awayHint} <button type="button" onClick={report.again}>{text.tryAgain}</button>
        </p>
      )}
      {report.newer && !report.away && (
        <p className="notice" data-testid="newer">
          {text.newFigures} <button type="button" onClick={report.again}>{text.showThem}</button>
        </p>
      )}
      {asOf && (
        <p className="notice warn">
          {text.asOf({ time: asOf })} <button type="button" onClick={() => change((next) => next.delete("as-of"))}>{text.showNow}</button>
        </p>
      )}
    </div>
  );
}
