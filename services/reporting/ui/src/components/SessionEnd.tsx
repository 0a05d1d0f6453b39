import { timestampMs } from "@bufbuild/protobuf/wkt";
import { useEffect, useState } from "react";

import { time } from "../app/format";
import { useMe } from "../app/me";
import { texts } from "../app/texts";

/** How long before its end a session that cannot be renewed says so, in milliseconds. */
const AHEAD = 5 * 60_000;

/** Warns before a session ends. */
export function SessionEnd({ renewed }: { renewed: boolean }) {
  const { me } = useMe();
  const [near, setNear] = useState(false);
  const end = me?.expireTime;
  useEffect(() => {
    setNear(false);
    const wait = end && !renewed ? timestampMs(end) - AHEAD - Date.now() : Infinity;
    // Longer than a timer can wait is not near.
    if (wait > 2 ** 31 - 1) return undefined;
    const timer = window.setTimeout(() => setNear(true), Math.max(0, wait));
    return () => window.clearTimeout(timer);
  }, [end, renewed]);
  return near ? <p className="notice warn">{texts().sessionEnds({ time: time(end) })}</p> : null;
}
