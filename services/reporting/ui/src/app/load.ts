// Loading with its states: nothing yet, there, failed; an older answer never overwrites a newer one.
import { Code, ConnectError } from "@connectrpc/connect";
import { useEffect, useState } from "react";

export type Loaded<T> = {
  data: T | undefined;
  error: ConnectError | undefined;
  loading: boolean;
};

export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> & { again: () => void } {
  const [state, setState] = useState<Loaded<T>>({ data: undefined, error: undefined, loading: true });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    load(controller.signal)
      .then((data) => {
        if (!controller.signal.aborted) setState({ data, error: undefined, loading: false });
      })
      .catch((fault: unknown) => {
        const error = ConnectError.from(fault);
        if (!controller.signal.aborted && error.code !== Code.Canceled) {
          setState({ data: undefined, error, loading: false });
        }
      });
    return () => controller.abort();
    // The key stands for everything `load` closes over.
  }, [key, attempt]);
  return { ...state, again: () => setAttempt((count) => count + 1) };
}
