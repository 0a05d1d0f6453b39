import { Code, type ConnectError } from "@connectrpc/connect";
import type { ReactNode } from "react";

import { violations } from "../app/details";
import { texts, type Texts } from "../app/texts";

/** Placeholder while a page loads. */
export function Skeleton() {
  return (
    <div className="skeleton" role="status" aria-label={texts().loading}>
      <div className="cards">
        {[0, 1, 2, 3].map((index) => (
          <div key={index} className="card ghost" />
        ))}
      </div>
      <div className="panel ghost tall" />
    </div>
  );
}

const titles: Partial<Record<Code, (text: Texts) => string>> = {
  [Code.PermissionDenied]: (text) => text.failedRoles,
  [Code.InvalidArgument]: (text) => text.failedFilters,
  [Code.NotFound]: (text) => text.failedNotFound,
  [Code.Unavailable]: (text) => text.failedUnavailable,
  [Code.DeadlineExceeded]: (text) => text.failedDeadline,
  [Code.ResourceExhausted]: (text) => text.failedExhausted,
};

/** An error, with its field violations and a retry button. */
export function Failure({ error, again }: { error: ConnectError; again: () => void }) {
  const faults = violations(error);
  return (
    <section className="state failed" role="alert">
      <h2>{titles[error.code]?.(texts()) ?? texts().failed}</h2>
      {faults.length > 0 ? (
        <ul>
          {faults.map((fault) => (
            <li key={fault.field + fault.description}>
              <code>{fault.field}</code> {fault.description}
            </li>
          ))}
        </ul>
      ) : (
        <p>{error.rawMessage}</p>
      )}
      {error.code !== Code.PermissionDenied && (
        <button type="button" onClick={again}>
          {texts().tryAgain}
        </button>
      )}
    </section>
  );
}

/** Text of an empty section. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}
