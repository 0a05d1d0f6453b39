import { reporting } from "../../app/client";
import { useLoad } from "../../app/load";
import { texts } from "../../app/texts";
import { Empty, Failure } from "../../components/States";
import type { ExportOrder } from "../../gen/insights/reporting/v1/exports_pb";

/** The first rows that a file would have. */
export function Preview({ order }: { order: ExportOrder }) {
  const text = texts();
  const rows = useLoad(`${order.report}/${order.query?.fromMonth}/${order.query?.toMonth}`, (signal) => reporting.previewExport({ order }, { signal }));
  if (rows.error) return <Failure error={rows.error} again={rows.again} />;
  if (!rows.data) return <Empty>{text.loadingNow}</Empty>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={text.firstRows}>
      <table>
        <thead>
          <tr>
            {rows.data.columns.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.data.rows.map((row, index) => (
            <tr key={index}>
              {row.cells.map((cell, at) => (
                <td key={at}>
                  <bdi>{cell}</bdi>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
