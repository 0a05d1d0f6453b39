import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useState } from "react";

import { reporting } from "../../app/client";
import { useDebounced } from "../../app/debounced";
import { count, time } from "../../app/format";
import { usePaged } from "../../app/paged";
import { texts } from "../../app/texts";
import { useWords } from "../../app/words";
import { DataTable } from "../../components/DataTable";
import { More } from "../../components/More";
import { Panel } from "../../components/Panel";
import { Empty, Failure } from "../../components/States";
import { RoleSchema } from "../../gen/insights/access/v1/options_pb";
import { Page, PageSchema } from "../../gen/insights/reporting/v1/words_pb";
import { AuditFilters, type Wanted } from "./AuditFilters";

const PAGE = 50;
const nothing: Wanted = { subject: "", method: "", outcome: "", from: "", to: "" };

/** Who read what, newest first; for the Global admin. */
export function AuditPage() {
  const { title } = useWords();
  const [wanted, setWanted] = useState(nothing);
  const settled = useDebounced(wanted);
  const text = texts();
  const list = usePaged(JSON.stringify(settled), async (pageToken, signal) => {
    const { subject, method, outcome, from, to } = settled;
    const request = { subject, method, outcome, ...(from ? { fromTime: stamp(from) } : {}), ...(to ? { toTime: stamp(to) } : {}), pageSize: PAGE, pageToken };
    const answer = await reporting.listAuditEntries(request, signal ? { signal } : {});
    return { answer, rows: answer.entries, next: answer.nextPageToken };
  });
  const role = (name: string) => title(RoleSchema, RoleSchema.values.find((value) => value.name === `ROLE_${name.toUpperCase()}`)?.number ?? 0) || name;
  const name = title(PageSchema, Page.AUDIT);
  return (
    <>
      <div className="title">
        <div>
          <h1>{name}</h1>
          <p className="subtitle">{text.auditHint}</p>
        </div>
      </div>
      <Panel title={name}>
        <AuditFilters wanted={wanted} change={setWanted} />
        {list.error && <Failure error={list.error} again={list.again} />}
        {list.answer && list.rows.length === 0 && <Empty>{text.nothingFound}</Empty>}
        {list.rows.length > 0 && (
          <DataTable
            title={name}
            rows={list.rows}
            keyOf={(row) => `${row.time?.seconds}/${row.time?.nanos}/${row.rpc}/${row.subject}`}
            first={list.rows.length}
            columns={[
              { id: "time", title: text.when, cell: (row) => time(row.time) },
              { id: "who", title: text.who, by: (row) => row.subject, cell: (row) => <bdi>{row.subject}</bdi> },
              { id: "roles", title: text.roles, by: (row) => row.roles.join(), cell: (row) => row.roles.map(role).join(", ") },
              { id: "rpc", title: text.called, by: (row) => row.rpc, cell: (row) => <code>{row.rpc.split("/").at(-1)}</code> },
              { id: "outcome", title: text.outcome, by: (row) => row.outcome, cell: (row) => <Outcome outcome={row.outcome} /> },
              { id: "rows", title: text.rowsTitle, number: true, by: (row) => Number(row.rows), cell: (row) => count(row.rows) },
              {
                id: "asked",
                title: text.asked,
                cell: (row) => (
                  <>
                    {row.redacted && <span className="badge">{text.hiddenFields}</span>}
                    {row.locations.length > 0 && <small>{text.locations({ ids: row.locations.join(", ") })}</small>}
                    {row.asked && (
                      <details>
                        <summary>{text.showRecord}</summary>
                        <code className="json">{row.asked}</code>
                      </details>
                    )}
                  </>
                ),
              },
            ]}
          />
        )}
        <More more={list.more} busy={list.loading} />
      </Panel>
    </>
  );
}

const stamp = (local: string) => timestampFromDate(new Date(local));

function Outcome({ outcome }: { outcome: string }) {
  return <span className={outcome === "OK" ? "badge" : "badge warn"}>{outcome}</span>;
}
