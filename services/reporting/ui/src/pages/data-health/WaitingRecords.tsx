import { ingestion } from "../../app/client";
import { count } from "../../app/format";
import { usePaged } from "../../app/paged";
import { texts } from "../../app/texts";
import { DataTable } from "../../components/DataTable";
import { More } from "../../components/More";
import { Panel } from "../../components/Panel";
import { Empty, Failure } from "../../components/States";

const PAGE = 100;

/** What early records wait for. */
export function WaitingRecords() {
  const text = texts();
  const list = usePaged("waiting", async (pageToken, signal) => {
    const answer = await ingestion.listWaiting({ pageSize: PAGE, pageToken }, signal ? { signal } : {});
    return { answer, rows: answer.references, next: answer.nextPageToken };
  });
  return (
    <Panel title={text.waitingRecords}>
      <p className="hint">{text.waitingHint}</p>
      {list.error && <Failure error={list.error} again={list.again} />}
      {list.answer && list.rows.length === 0 && <Empty>{text.nothingWaits}</Empty>}
      {list.rows.length > 0 && (
        <DataTable
          title={text.waitingRecords}
          rows={list.rows}
          keyOf={(row) => `${row.kind}/${row.id}`}
          first={Math.max(20, list.rows.length)}
          columns={[
            { id: "id", title: text.missingThing, by: (row) => row.id, cell: (row) => <bdi>{row.id}</bdi> },
            { id: "kind", title: text.kind, by: (row) => row.kind, cell: (row) => row.kind },
            { id: "waiting", title: text.waitingRecords, number: true, by: (row) => Number(row.waiting), cell: (row) => count(row.waiting) },
          ]}
        />
      )}
      <More more={list.more} busy={list.loading} />
    </Panel>
  );
}
