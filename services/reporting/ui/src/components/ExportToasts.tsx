import { dismiss, useJobs } from "../app/exports";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { ExportState, ExportStateSchema } from "../gen/insights/reporting/v1/exports_pb";
import { Link } from "./Link";

/** How far the files are that were ordered here. */
export function ExportToasts() {
  const jobs = useJobs();
  const text = texts();
  const { title } = useWords();
  return (
    <div className="toasts" aria-live="polite">
      {jobs.map((job) => (
        <div key={job.id} className="panel toast" data-testid="toast" data-state={ExportState[job.state]}>
          <p>
            <strong>{job.name}</strong> {title(ExportStateSchema, job.state)}
          </p>
          {job.failure && <p role="alert">{job.failure}</p>}
          {job.state === ExportState.RUNNING && <progress max={100} value={job.percent} aria-label={job.name} />}
          <Link to="/downloads">{text.toDownloads}</Link>
          <button type="button" className="quiet icon" aria-label={text.close} onClick={() => dismiss(job.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
