import { ConnectError } from "@connectrpc/connect";
import { useState } from "react";

import { ingestion } from "../../app/client";
import { count, time } from "../../app/format";
import { usePaged } from "../../app/paged";
import { texts } from "../../app/texts";
import { DataTable } from "../../components/DataTable";
import { More } from "../../components/More";
import { Panel } from "../../components/Panel";
import { Empty, Failure } from "../../components/States";
import type { ReplayRejectionsResponse } from "../../gen/insights/ingestion/v1/ingestion_pb";

const PAGE = 100;

/** Records that were refused, with their reasons; what is good by now can be taken in. */
export function Quarantine({ changed }: { changed: () => void }) {
  const [turn, setTurn] = useState(0);
  const [outcome, setOutcome] = useState<ReplayRejectionsResponse>();
  const [fault, setFault] = useState<ConnectError>();
  const text = texts();
  const list = usePaged(`${turn}`, async (pageToken, signal) => {
    const answer = await ingestion.listRejections({ pageSize: PAGE, pageToken }, signal ? { signal } : {});
    return { answer, rows: answer.rejections, next: answer.nextPageToken };
  });
  const replay = () =>
    ingestion.replayRejections({}).then(
      (answer) => (setFault(undefined), setOutcome(answer), setTurn((before) => before + 1), changed()),
      (error: unknown) => setFault(ConnectError.from(error)),
    );
  return (
    <Panel
      title={text.quarantined}
      actions={
        list.rows.length > 0 && (
          <button type="button" onClick={() => void replay()}>
            {text.replay}
          </button>
        )
      }
    >
      <p className="hint">{text.quarantinedHint}</p>
      {outcome && <p role="status">{text.replayed({ accepted: count(outcome.accepted), rejected: count(outcome.rejected) })}</p>}
      {fault && <Failure error={fault} again={() => void replay()} />}
      {list.error && <Failure error={list.error} again={list.again} />}
      {list.answer && list.rows.length === 0 && <Empty>{text.nothingQuarantined}</Empty>}
      {list.rows.length > 0 && (
        <DataTable
          title={text.quarantined}
          rows={list.rows}
          keyOf={(row) => String(row.id)}
          first={Math.max(20, list.rows.length)}
          columns={[
            { id: "field", title: text.field, by: (row) => row.field, cell: (row) => <code>{row.field || row.kind}</code> },
            { id: "reason", title: text.reason, by: (row) => row.reason, cell: (row) => row.reason },
            { id: "kind", title: text.kind, by: (row) => row.kind, cell: (row) => row.kind },
            { id: "batch", title: text.batch, by: (row) => row.batchId, cell: (row) => <bdi>{`${row.batchId} ${row.index}`}</bdi> },
            { id: "time", title: text.received, cell: (row) => time(row.receiveTime) },
            {
              id: "record",
              title: text.record,
              cell: (row) =>
                row.recordJson && (
                  <details>
                    <summary>{text.showRecord}</summary>
                    <code className="json">{row.recordJson}</code>
                  </details>
                ),
            },
          ]}
        />
      )}
      <More more={list.more} busy={list.loading} />
    </Panel>
  );
}
