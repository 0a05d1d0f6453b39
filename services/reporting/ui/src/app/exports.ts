// Exports that were ordered in this tab: followed until their file is there, then fetched.
import { ConnectError } from "@connectrpc/connect";
import { useSyncExternalStore } from "react";

import { ExportState, type Export, type ExportOrder } from "../gen/insights/reporting/v1/exports_pb";
import { reporting } from "./client";
import { download } from "./download";

export type Job = { id: string; name: string; state: ExportState; percent: number; failure: string };

/** How often a running export is looked at, in milliseconds. */
const INTERVAL = 500;

const listeners = new Set<() => void>();
let jobs: Job[] = [];

function become(next: Job[]): void {
  jobs = next;
  listeners.forEach((changed) => changed());
}

const put = (job: Job): void => become([...jobs.filter((other) => other.id !== job.id), job]);

/** Orders a file and fetches it as soon as it is there. */
export async function order(what: ExportOrder): Promise<void> {
  const own = crypto.randomUUID();
  try {
    const { export: made } = await reporting.createExport({ requestId: own, order: what });
    if (made) await follow(made);
  } catch (fault) {
    put({ id: own, name: what.name, state: ExportState.FAILED, percent: 0, failure: ConnectError.from(fault).rawMessage });
  }
}

async function follow(made: Export): Promise<void> {
  let now = made;
  for (;;) {
    put({ id: now.id, name: now.fileName || now.order?.name || now.id, state: now.state, percent: now.progressPercent, failure: now.failure });
    if (now.state !== ExportState.WAITING && now.state !== ExportState.RUNNING) break;
    await new Promise((resolve) => window.setTimeout(resolve, INTERVAL));
    now = (await reporting.getExport({ id: made.id })).export ?? now;
  }
  if (now.state === ExportState.DONE) await download(now, () => undefined);
}

export const dismiss = (id: string): void => become(jobs.filter((job) => job.id !== id));

export function useJobs(): Job[] {
  return useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    () => jobs,
  );
}
