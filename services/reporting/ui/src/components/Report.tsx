import { Component, type ReactNode } from "react";

import { type Loaded } from "../app/load";
import { texts } from "../app/texts";
import { useView } from "../app/url";
import { Scope, type Dimension } from "../gen/insights/metrics/v1/query_pb";
import type { Coverage } from "../gen/insights/reporting/v1/dashboards_pb";
import { CoverageLine } from "./CoverageLine";
import { FilterBar } from "./FilterBar";
import { Failure, Skeleton } from "./States";

type Props<T> = {
  title: string;
  report: Loaded<T> & { again: () => void };
  defaultScope: Scope;
  /** Dimensions that this page cannot be filtered by. */
  without?: Dimension[];
  /** Additional controls of this page. */
  extra?: ReactNode;
  children: (data: T, coverage: Coverage) => ReactNode;
};

/** The frame of a dashboard: title, filters, freshness, and its states. */
export function Report<T extends { coverage?: Coverage | undefined }>({ title, report, defaultScope, without = [], extra, children }: Props<T>) {
  const view = useView();
  const { data, error, loading, again } = report;
  const coverage = data?.coverage;
  return (
    <>
      <div className="title">
        <h1>{title}</h1>
        {coverage && <CoverageLine coverage={coverage} stale={loading} />}
      </div>
      <FilterBar view={view} defaultScope={defaultScope} without={without} coverage={coverage} extra={extra} />
      {error && <Failure error={error} again={again} />}
      {!data && !error && <Skeleton />}
      {data && coverage && (
        <Guard key={coverage.freshness?.version.toString()}>
          <div className={loading ? "sections stale" : "sections"}>{children(data, coverage)}</div>
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

