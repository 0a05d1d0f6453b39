// How the partner's data is: records in quarantine, and records that wait. Looked at by who may, once in a while.
import { useEffect, useState } from "react";

import type { GetFreshnessResponse } from "../gen/insights/ingestion/v1/ingestion_pb";
import { ingestion } from "./client";

const INTERVAL = 120_000;

export function useHealth(may: boolean): GetFreshnessResponse | undefined {
  const [health, setHealth] = useState<GetFreshnessResponse>();
  useEffect(() => {
    if (!may) return undefined;
    const controller = new AbortController();
    const look = () => {
      ingestion.getFreshness({}, { signal: controller.signal }).then(setHealth, () => undefined);
    };
    look();
    const timer = window.setInterval(look, INTERVAL);
    return () => {
      controller.abort();
      window.clearInterval(timer);
    };
  }, [may]);
  return health;
}
