import { Component, type ReactNode } from "react";

import type { LoadedReport } from "../app/report";
import { texts } from "../app/texts";
import type { Dimension, Scope } from "../gen/insights/metrics/v1/query_pb";
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";
import { CoverageLine } from "./CoverageLine";
import { EmptyInstallation } from "./EmptyInstallation";
import { FilterBar } from "./FilterBar";
import { Notices } from "./Notices";
import { Failure, Skeleton } from "./States";

type Props<T> = {
  title: ReactNode;
  /** Below the title. */
  subtitle?: ReactNode;
  report: LoadedReport<T>;
  defaultScope: Scope;
  /** Dimensions that this page cannot be filtered by. */
  without?: Dimension[];
  /** Additional controls of this page. */
  extra?: ReactNode;
  children: (data: T, coverage: Coverage) => ReactNode;
};

/** The frame of a dashboard: title, filters, freshness, and its states. */
export function Report<T extends { coverage?: Coverage | undefined }>({ title, subtitle, report, defaultScope, without = [], extra, children }: Props<T>) {
  const { data, error, loading, again } = report;
  const coverage = data?.coverage;
  const empty = coverage !== undefined && coverage.freshness?.firstMonth === "";
  return (
    <>
      <div className="title">
        <div>
          <h1>{title}</h1>
          {subtitle}
        </div>
        {coverage && !empty && <CoverageLine coverage={coverage} stale={loading} />}
      </div>
      {!empty && <FilterBar defaultScope={defaultScope} without={without} coverage={coverage} extra={extra} />}
      <Notices report={report} />
      {error && !report.away && <Failure error={error} again={again} />}
      {!data && !error && <Skeleton />}
      {empty && <EmptyInstallation />}
      {data && coverage && !empty && (
        <Guard key={coverage.freshness?.version.toString()}>
          <div className={loading || report.away ? "sections stale" : "sections"}>{children(data, coverage)}</div>
        </Guard>
      )}
    </>
  );
}

/** Keeps the frame when a section fails to draw. */
class Guard extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? <p role="alert">{texts().notDrawn}</p> : this.props.children;
  }
}
