// The order of a file: what a section shows, under the page's range, filters and switches.
import { create } from "@bufbuild/protobuf";

import { QuerySchema, type Basis, type Dimension, type Filter, type Measure } from "../gen/insights/metrics/v1/query_pb";
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";
import { ExportOrderSchema, ExportReport, type ExportFormat, type ExportOrder } from "../gen/insights/reporting/v1/exports_pb";
import { pageFilters } from "./url";

export type Rows = { measures?: Measure[]; groupBy?: Dimension[]; filters?: Filter[]; basis?: Basis; report?: ExportReport };

/** The rows of a section, or of a report, as a file. */
export function viewOrder(name: string, coverage: Coverage, rows: Rows, format: ExportFormat): ExportOrder {
  const page = pageFilters(new URLSearchParams(window.location.search));
  const query = create(QuerySchema, {
    measures: rows.measures ?? [],
    groupBy: rows.groupBy ?? [],
    fromMonth: coverage.fromMonth,
    toMonth: coverage.toMonth,
    filters: [...page.filters, ...(rows.filters ?? [])],
    scope: coverage.scope,
    includeGrace: page.includeGrace,
    includeFree: page.includeFree,
    ...(rows.basis === undefined ? {} : { basis: rows.basis }),
    ...(page.asOf ? { asOf: page.asOf } : {}),
  });
  return create(ExportOrderSchema, { query, format, name, report: rows.report ?? ExportReport.UNSPECIFIED });
}
