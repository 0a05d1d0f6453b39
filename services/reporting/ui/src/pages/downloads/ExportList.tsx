import { useEffect, useState } from "react";

import { reporting } from "../../app/client";
import { usePaged } from "../../app/paged";
import { texts } from "../../app/texts";
import { More } from "../../components/More";
import { Panel } from "../../components/Panel";
import { Empty, Failure } from "../../components/States";
import { ExportState } from "../../gen/insights/reporting/v1/exports_pb";
import { ExportItem } from "./ExportItem";

/** How often the list is looked at while something runs, in milliseconds. */
const INTERVAL = 1000;

/** The person's own exports, newest first; those under way move by themselves. */
export function ExportList({ ordered }: { ordered: number }) {
  const [turn, setTurn] = useState(0);
  const text = texts();
  const list = usePaged(`${ordered}/${turn}`, async (pageToken, signal) => {
    const answer = await reporting.listExports({ pageSize: 50, pageToken }, signal ? { signal } : {});
    return { answer, rows: answer.exports, next: answer.nextPageToken };
  });
  const running = list.rows.some(({ state }) => state === ExportState.WAITING || state === ExportState.RUNNING);
  useEffect(() => {
    if (!running || list.loading) return undefined;
    const timer = window.setTimeout(() => setTurn((count) => count + 1), INTERVAL);
    return () => window.clearTimeout(timer);
  }, [running, list.loading, turn]);
  const changed = () => setTurn((count) => count + 1);
  return (
    <Panel title={text.yourExports}>
      {list.error && <Failure error={list.error} again={list.again} />}
      {list.answer && list.rows.length === 0 && <Empty>{text.noExports}</Empty>}
      <ul className="exports">
        {list.rows.map((entry) => (
          <ExportItem key={entry.id} entry={entry} changed={changed} />
        ))}
      </ul>
      <More more={list.more} busy={list.loading} />
    </Panel>
  );
}
