import { order } from "../app/exports";
import { useMe } from "../app/me";
import { texts } from "../app/texts";
import { viewOrder, type Rows } from "../app/view-order";
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";
import { ExportFormat } from "../gen/insights/reporting/v1/exports_pb";
import { ReportingService } from "../gen/insights/reporting/v1/reporting_pb";
import { Popover } from "./Popover";

type Props = {
  name: string;
  coverage: Coverage;
  /** What the section shows. */
  rows: Rows;
  /** The whole behind it. */
  whole?: Rows;
};

export const formats: [ExportFormat, string][] = [
  [ExportFormat.CSV, "CSV"],
  [ExportFormat.XLSX, "XLSX"],
  [ExportFormat.TSV, "TSV"],
  [ExportFormat.PARQUET, "Parquet"],
];

/** Files of a section: what it shows, and all that is behind it. */
export function ExportMenu({ name, coverage, rows, whole }: Props) {
  const { may } = useMe();
  const text = texts();
  if (!may(ReportingService.method.listExports)) return null;
  const buttons = (what: Rows) => (
    <div className="formats">
      {formats.map(([format, label]) => (
        <button key={label} type="button" onClick={() => void order(viewOrder(name, coverage, what, format))}>
          {label}
        </button>
      ))}
    </div>
  );
  return (
    <Popover face={text.exportIt} className="quiet" label={text.exportOf({ title: name })} title={text.exportOf({ title: name })}>
      <p>{text.exportShown}</p>
      {buttons(rows)}
      {whole && (
        <>
          <p>{text.exportWhole}</p>
          {buttons(whole)}
        </>
      )}
    </Popover>
  );
}
