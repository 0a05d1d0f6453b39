import { useState } from "react";

import { reporting } from "../../app/client";
import { download, type Outcome } from "../../app/download";
import { bytes, count, day, months, time } from "../../app/format";
import { texts } from "../../app/texts";
import { useWords } from "../../app/words";
import { ExportReport, ExportReportSchema, ExportState, ExportStateSchema, type Export } from "../../gen/insights/reporting/v1/exports_pb";

type Fetching = { percent: number; outcome?: Outcome; failed?: true };

/** One export: what it is, how far, and what can be done with it. */
export function ExportItem({ entry, changed }: { entry: Export; changed: () => void }) {
  const [fetching, setFetching] = useState<Fetching>();
  const { title } = useWords();
  const text = texts();
  const { state, order } = entry;
  const running = state === ExportState.WAITING || state === ExportState.RUNNING;
  const get = () => {
    setFetching({ percent: 0 });
    download(entry, (percent) => setFetching({ percent })).then(
      (outcome) => setFetching({ percent: 100, outcome }),
      () => setFetching({ percent: 0, failed: true }),
    );
  };
  const act = (call: Promise<unknown>) => void call.then(changed, changed);
  const report = order?.report ?? ExportReport.UNSPECIFIED;
  return (
    <li className="export" data-export={entry.id} data-state={ExportState[state]}>
      <div className="export-name">
        <strong>
          <bdi>{entry.fileName || order?.name || entry.id}</bdi>
        </strong>
        <span className={state === ExportState.FAILED ? "badge warn" : "badge"}>{title(ExportStateSchema, state)}</span>
        {entry.redacted && <span className="badge">{text.hiddenFields}</span>}
      </div>
      <p className="subtitle">
        {report !== ExportReport.UNSPECIFIED && `${title(ExportReportSchema, report)} · `}
        {order?.query && `${months(order.query.fromMonth, order.query.toMonth)} · `}
        {time(entry.createTime)}
        {state === ExportState.DONE &&
          ` · ${text.rows({ count: Number(entry.rows), text: count(entry.rows) })} · ${bytes(entry.bytes)} · ${text.completeThrough({ day: day(entry.completeThrough) })} · ${text.keptUntil({ time: time(entry.expireTime) })}`}
      </p>
      {running && <progress max={100} value={entry.progressPercent} aria-label={title(ExportStateSchema, state)} />}
      {entry.failure && <p role="alert">{entry.failure}</p>}
      {entry.sha256 && (
        <p className="checksum">
          SHA-256 <code>{entry.sha256}</code>
        </p>
      )}
      {fetching && <FetchState fetching={fetching} />}
      <div className="actions">
        {state === ExportState.DONE && (
          <button type="button" className="primary" onClick={get}>
            {text.download}
          </button>
        )}
        {running && (
          <button type="button" onClick={() => act(reporting.cancelExport({ id: entry.id }))}>
            {text.stop}
          </button>
        )}
        {!running && (
          <button type="button" className="quiet" onClick={() => act(reporting.deleteExport({ id: entry.id }))}>
            {text.remove}
          </button>
        )}
      </div>
    </li>
  );
}

function FetchState({ fetching }: { fetching: Fetching }) {
  const text = texts();
  if (fetching.failed) return <p role="alert">{text.downloadFailed}</p>;
  if (fetching.outcome) return <p role="status" data-testid="fetched">{fetching.outcome === "checked" ? text.downloadChecked : text.downloadHandedOver}</p>;
  return <progress max={100} value={fetching.percent} aria-label={text.download} />;
}
