// Loads data for a component: pending, loaded or failed. An older answer never overwrites a newer one, and a failure leaves the
// last good answer where it is.
import { Code, ConnectError } from "@connectrpc/connect";
import { useEffect, useState } from "react";

export type Loaded<T> = {
  /** The newest answer, also while the next one is under way or has failed. */
  data: T | undefined;
  error: ConnectError | undefined;
  /** Whether `data` and `error` belong to an earlier key. */
  loading: boolean;
  again: () => void;
};

type Settled<T> = { key: string; data: T | undefined; error: ConnectError | undefined };

export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [settled, setSettled] = useState<Settled<T>>();
  const [attempt, setAttempt] = useState(0);
  const wanted = `${attempt}/${key}`;
  useEffect(() => {
    const controller = new AbortController();
    load(controller.signal)
      .then((data) => {
        if (!controller.signal.aborted) setSettled({ key: wanted, data, error: undefined });
      })
      .catch((fault: unknown) => {
        const error = ConnectError.from(fault);
        if (controller.signal.aborted || error.code === Code.Canceled) return;
        // Figures stay while their server is away; those of other filters would be wrong.
        setSettled((before) => ({ key: wanted, data: away(error) && same(before?.key, key) ? before?.data : undefined, error }));
      });
    return () => controller.abort();
    // The key identifies everything that `load` closes over.
  }, [wanted]);
  return {
    data: settled?.data,
    error: settled?.error,
    loading: settled?.key !== wanted,
    again: () => setAttempt((count) => count + 1),
  };
}

const same = (settled: string | undefined, key: string): boolean => settled?.slice(settled.indexOf("/") + 1) === key;

/** Whether the server could not be reached, rather than refused. */
export const away = (error: ConnectError | undefined): boolean =>
  error !== undefined && [Code.Unavailable, Code.Unknown, Code.DeadlineExceeded].includes(error.code);
