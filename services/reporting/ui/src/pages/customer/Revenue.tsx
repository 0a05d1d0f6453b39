import { create } from "@bufbuild/protobuf";

import { reporting } from "../../app/client";
import { amount, month } from "../../app/format";
import { useLoad } from "../../app/load";
import { texts } from "../../app/texts";
import { useWords } from "../../app/words";
import { DataTable } from "../../components/DataTable";
import { ExportMenu } from "../../components/ExportMenu";
import { Panel } from "../../components/Panel";
import { Empty, Failure } from "../../components/States";
import { Measure, QuerySchema, type Filter, type Row } from "../../gen/insights/metrics/v1/query_pb";
import type { Coverage } from "../../gen/insights/reporting/v1/dashboards_pb";

/** Billed revenue by month, one row a currency. */
export function Revenue({ filters, coverage }: { filters: Filter[]; coverage: Coverage }) {
  const { measure } = useWords();
  const text = texts();
  const name = measure(Measure.BILLED_REVENUE);
  const rows = { measures: [Measure.BILLED_REVENUE], filters };
  const query = create(QuerySchema, { ...rows, fromMonth: coverage.fromMonth, toMonth: coverage.toMonth, scope: coverage.scope });
  const key = JSON.stringify([coverage.fromMonth, coverage.toMonth, coverage.scope, filters.flatMap((filter) => filter.values.map((value) => value.value))]);
  const list = useLoad(key, (signal) => reporting.query({ query }, { signal }));
  const billed = (row: Row) => (row.values[0]?.kind.case === "amount" ? row.values[0].kind.value : "");
  const found = list.data?.result?.rows.filter((row) => billed(row) !== "") ?? [];
  return (
    <Panel title={name} actions={<ExportMenu name={name} coverage={coverage} rows={rows} />}>
      {list.error && <Failure error={list.error} again={list.again} />}
      {list.data && found.length === 0 && <Empty>{text.nothingMatches}</Empty>}
      {found.length > 0 && (
        <DataTable
          title={name}
          rows={found}
          keyOf={(row) => `${row.month}/${row.currency}`}
          first={12}
          columns={[
            { id: "month", title: text.month, by: (row) => row.month, cell: (row) => month(row.month) },
            { id: "amount", title: name, number: true, by: (row) => Number(billed(row)), cell: (row) => amount(billed(row), row.currency) },
          ]}
        />
      )}
    </Panel>
  );
}
