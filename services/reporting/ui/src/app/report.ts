// A dashboard's answer, and whether there is a newer one: looked for quietly while the page is read, shown when asked for.
import { ConnectError } from "@connectrpc/connect";
import { useEffect, useRef, useState } from "react";

import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";
import { away, useLoad, type Loaded } from "./load";

/** How often a newer answer is looked for, in milliseconds. */
const INTERVAL = 60_000;

export type LoadedReport<T> = Loaded<T> & {
  /** Newer figures are there. */
  newer: boolean;
  /** The server cannot be reached: `data` is what it said last. */
  away: boolean;
};

export function useReport<T extends { coverage?: Coverage | undefined }>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
): LoadedReport<T> {
  const loaded = useLoad(key, load);
  const [lost, setLost] = useState(false);
  const [newer, setNewer] = useState("");
  const version = versionOf(loaded.data);
  const ask = useRef(load);
  ask.current = load;
  const broken = away(loaded.error);
  useEffect(() => {
    if (!version) return undefined;
    const controller = new AbortController();
    const look = () => {
      if (document.visibilityState !== "visible") return;
      ask
        .current(controller.signal)
        .then((answer) => {
          setLost(false);
          setNewer(versionOf(answer));
          if (broken) loaded.again();
        })
        .catch((fault: unknown) => !controller.signal.aborted && setLost(away(ConnectError.from(fault))));
    };
    const timer = window.setInterval(look, INTERVAL);
    document.addEventListener("visibilitychange", look);
    return () => {
      controller.abort();
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [key, version, broken]);
  return { ...loaded, newer: newer !== "" && newer !== version, away: (lost || broken) && loaded.data !== undefined };
}

const versionOf = (answer: { coverage?: Coverage | undefined } | undefined): string => {
  const freshness = answer?.coverage?.freshness;
  return freshness ? `${freshness.epoch}/${freshness.version}` : "";
};
