import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { useState } from "react";

import { reporting } from "../../app/client";
import { month } from "../../app/format";
import { useLoad } from "../../app/load";
import { useMe } from "../../app/me";
import { texts } from "../../app/texts";
import { presets } from "../../app/url";
import { useWords } from "../../app/words";
import { formats } from "../../components/ExportMenu";
import { SelectField } from "../../components/Field";
import { Panel } from "../../components/Panel";
import { Failure } from "../../components/States";
import { MeasureGroup } from "../../gen/insights/access/v1/options_pb";
import { QuerySchema } from "../../gen/insights/metrics/v1/query_pb";
import type { Coverage } from "../../gen/insights/reporting/v1/dashboards_pb";
import { ExportFormat, ExportOrderSchema, ExportReport, ExportReportSchema } from "../../gen/insights/reporting/v1/exports_pb";
import { ReportingService } from "../../gen/insights/reporting/v1/reporting_pb";
import { Preview } from "./Preview";

const { method } = ReportingService;

/** The reports, and the figures that each of them holds. */
const reports: [ExportReport, MeasureGroup[]][] = [
  [ExportReport.CUSTOMERS, [MeasureGroup.CUSTOMERS]],
  [ExportReport.SUBSCRIPTIONS, [MeasureGroup.CUSTOMERS]],
  [ExportReport.OFFICE_USAGE, [MeasureGroup.USERS]],
  [ExportReport.DYNAMICS_USAGE, [MeasureGroup.SEATS]],
  [ExportReport.LICENCE_USAGE, [MeasureGroup.SEATS]],
];

/** Orders a report: which, how many months, and how it is written; its first rows can be seen before. */
export function NewExport({ made }: { made: () => void }) {
  const { may } = useMe();
  const { title } = useWords();
  const text = texts();
  const groups = { [MeasureGroup.CUSTOMERS]: may(method.getCustomersDashboard), [MeasureGroup.USERS]: may(method.getLicenceAdoptionDashboard) };
  const offered = reports.filter(([, needed]) => needed.every((group) => groups[group as keyof typeof groups] ?? true));
  const [report, setReport] = useState(offered[0]?.[0] ?? ExportReport.LICENCE_USAGE);
  const [range, setRange] = useState("12");
  const [format, setFormat] = useState(ExportFormat.CSV);
  const [seen, setSeen] = useState(false);
  const [fault, setFault] = useState<ConnectError>();
  const months = useLoad(`${range}`, (signal) => monthsOf(Number(range), may, signal));
  const [from, to] = [months.data?.fromMonth ?? "", months.data?.toMonth ?? ""];
  const order = () => create(ExportOrderSchema, { report, format, query: create(QuerySchema, { fromMonth: from, toMonth: to }) });
  const send = () =>
    reporting.createExport({ requestId: crypto.randomUUID(), order: order() }).then(
      () => (setFault(undefined), made()),
      (error: unknown) => setFault(ConnectError.from(error)),
    );
  return (
    <Panel title={text.newExport}>
      <div className="filter-fields">
        <SelectField label={text.report} value={String(report)} choose={(value) => setReport(Number(value))}>
          {offered.map(([value]) => (
            <option key={value} value={value}>
              {title(ExportReportSchema, value)}
            </option>
          ))}
        </SelectField>
        <SelectField label={text.range} value={range} choose={setRange}>
          {presets.map((count) => (
            <option key={count} value={count}>
              {text.months({ count })}
            </option>
          ))}
        </SelectField>
        <SelectField label={text.format} value={String(format)} choose={(value) => setFormat(Number(value))}>
          {formats.map(([value, name]) => (
            <option key={name} value={value}>
              {name}
            </option>
          ))}
        </SelectField>
        <button type="button" className="primary" disabled={!to} onClick={() => void send()}>
          {text.orderIt}
        </button>
        <button type="button" className="quiet" aria-expanded={seen} disabled={!to} onClick={() => setSeen(!seen)}>
          {text.firstRows}
        </button>
        {to && <span className="hint">{`${month(from)} – ${month(to)}`}</span>}
      </div>
      {months.error && <Failure error={months.error} again={months.again} />}
      {fault && <Failure error={fault} again={() => void send()} />}
      {seen && to && <Preview order={order()} />}
    </Panel>
  );
}

/** The months of a preset, as a dashboard that the person may see has them. */
async function monthsOf(count: number, may: ReturnType<typeof useMe>["may"], signal: AbortSignal): Promise<Coverage | undefined> {
  const page = { preset: { 3: 1, 6: 2 }[count] ?? 3 };
  if (may(method.listSubscriptionPerformance)) return (await reporting.listSubscriptionPerformance({ page, pageSize: 1 }, { signal })).coverage;
  return (await reporting.listAdvice({ page, pageSize: 1 }, { signal })).coverage;
}
