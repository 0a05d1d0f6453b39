import { Code, type ConnectError } from "@connectrpc/connect";
import type { ReactNode } from "react";

import { violations } from "../app/details";

/** While nothing is there yet. */
export function Skeleton() {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      <div className="cards">
        {[0, 1, 2, 3].map((index) => (
          <div key={index} className="card ghost" />
        ))}
      </div>
      <div className="panel ghost tall" />
    </div>
  );
}

const titles: Partial<Record<Code, string>> = {
  [Code.PermissionDenied]: "Your roles do not include this dashboard",
  [Code.InvalidArgument]: "These filters cannot be answered",
  [Code.NotFound]: "There is no such customer",
  [Code.Unavailable]: "The figures cannot be reached now",
  [Code.DeadlineExceeded]: "The figures took too long",
  [Code.ResourceExhausted]: "Too many requests at once",
};

/** What went wrong, and what can be done about it. */
export function Failure({ error, again }: { error: ConnectError; again: () => void }) {
  const faults = violations(error);
  return (
    <section className="state failed" role="alert">
      <h2>{titles[error.code] ?? "The figures could not be loaded"}</h2>
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
          Try again
        </button>
      )}
    </section>
  );
}

/** Where a section has nothing to show. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}
