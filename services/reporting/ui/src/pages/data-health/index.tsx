import { ingestion } from "../../app/client";
import { count, day, time } from "../../app/format";
import { useLoad } from "../../app/load";
import { texts } from "../../app/texts";
import { Failure, Skeleton } from "../../components/States";
import { Quarantine } from "./Quarantine";
import { WaitingRecords } from "./WaitingRecords";

/** How the data is: how fresh, what was refused and why, what waits and for what. */
export function DataHealthPage() {
  const text = texts();
  const fresh = useLoad("freshness", (signal) => ingestion.getFreshness({}, { signal }));
  const facts: [string, string][] = fresh.data
    ? [
        [text.completeThroughTitle, day(fresh.data.completeThrough)],
        [text.lastImport, time(fresh.data.lastIngestTime)],
        [text.quarantined, count(fresh.data.rejected)],
        [text.waitingRecords, count(fresh.data.waiting)],
        [text.versionTitle, count(fresh.data.version)],
      ]
    : [];
  return (
    <>
      <div className="title">
        <div>
          <h1>{text.dataHealth}</h1>
          <p className="subtitle">{text.dataHealthHint}</p>
        </div>
      </div>
      {fresh.error && <Failure error={fresh.error} again={fresh.again} />}
      {!fresh.data && !fresh.error && <Skeleton />}
      {fresh.data && (
        <div className="sections">
          <dl className="facts" data-testid="health">
            {facts.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <Quarantine changed={fresh.again} />
          <WaitingRecords />
        </div>
      )}
    </>
  );
}
