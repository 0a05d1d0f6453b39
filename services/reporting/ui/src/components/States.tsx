import { Code, type ConnectError } from "@connectrpc/connect";
import type { ReactNode } from "react";

import { violations } from "../app/details";
import { texts, type Texts } from "../app/texts";

/** Placeholder while a page loads. */
export function Skeleton() {
  return (
    <div className="skeleton" role="status" aria-label={texts().loading}>
      <div className="cards" data-count="4">
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
  [Code.Unknown]: (text) => text.failedUnavailable,
  [Code.DeadlineExceeded]: (text) => text.failedDeadline,
  [Code.ResourceExhausted]: (text) => text.failedExhausted,
};

/** Faults that the same call would meet again. */
const final = [Code.PermissionDenied, Code.NotFound, Code.InvalidArgument];

/** An error in words, with its field violations and, where that helps, a retry. */
export function Failure({ error, again }: { error: ConnectError; again: () => void }) {
  const faults = violations(error);
  const text = texts();
  return (
    <section className="state failed" role="alert">
      <h2>{titles[error.code]?.(text) ?? text.failed}</h2>
      {faults.length > 0 && (
        <ul>
          {faults.map((fault) => (
            <li key={fault.field + fault.description}>
              {fieldName(fault.field, text)} {fault.description}
            </li>
          ))}
        </ul>
      )}
      {!(error.code in titles) && <p>{error.rawMessage}</p>}
      {!final.includes(error.code) && (
        <button type="button" onClick={again}>
          {text.tryAgain}
        </button>
      )}
    </section>
  );
}

/** The page's names of the fields that it sends. */
function fieldName(field: string, text: Texts): string {
  if (field.endsWith("from_month")) return `${text.firstMonth}:`;
  if (field.endsWith("to_month")) return `${text.lastMonth}:`;
  if (field.includes("filters")) return `${text.filters}:`;
  return `${field}:`;
}

/** Text of an empty section. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}
