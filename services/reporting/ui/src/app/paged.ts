// A list that is read page by page: more of it follows when asked for.
import { ConnectError } from "@connectrpc/connect";
import { useEffect, useState } from "react";

import { useLoad } from "./load";

export type Page<T, R> = { answer: R; rows: T[]; next: string };

export function usePaged<T, R>(key: string, load: (token: string, signal?: AbortSignal) => Promise<Page<T, R>>) {
  const first = useLoad(key, (signal) => load("", signal));
  const [later, setLater] = useState<Page<T, R>[]>([]);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<ConnectError>();
  useEffect(() => {
    setLater([]);
    setFault(undefined);
  }, [key, first.data]);
  const pages = first.data ? [first.data, ...later] : [];
  const next = pages.at(-1)?.next ?? "";
  const more = () => {
    setBusy(true);
    load(next)
      .then((page) => setLater((before) => [...before, page]))
      .catch((error: unknown) => setFault(ConnectError.from(error)))
      .finally(() => setBusy(false));
  };
  return {
    answer: first.data?.answer,
    rows: pages.flatMap((page) => page.rows),
    loading: first.loading || busy,
    error: first.error ?? fault,
    again: first.again,
    /** Whether there is more, and how to get it. */
    more: next ? more : undefined,
  };
}
