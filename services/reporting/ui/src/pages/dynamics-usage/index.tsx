import { reporting } from "../../app/client";
import { useLoad } from "../../app/load";
import { pageFilters, useView } from "../../app/url";
import { BreakdownTable } from "../../components/BreakdownTable";
import { Report } from "../../components/Report";
import { Empty } from "../../components/States";
import { Summary } from "../../components/SummaryCard";
import { Dimension, Measure, Scope } from "../../gen/insights/metrics/v1/query_pb";
import { ProductPicker } from "./ProductPicker";
import { Trends } from "./Trends";

/** The Dynamics usage dashboard. */
export function DynamicsUsagePage() {
  const { params } = useView();
  const products = params.getAll("show");
  const report = useLoad(params.toString(), (signal) =>
    reporting.getDynamicsUsageDashboard({ page: pageFilters(params), products }, { signal }),
  );
  return (
    <Report
      title="Dynamics usage"
      report={report}
      defaultScope={Scope.SOLD_OR_MANAGED}
      without={[Dimension.SERVICE]}
      extra={<ProductPicker chosen={products} />}
    >
      {(data, coverage) => (
        <>
          {data.products.length === 0 ? (
            <Empty>No product in the catalogue has a name that begins with “Dynamics 365”.</Empty>
          ) : (
            <p className="subtitle">{data.products.join(" · ")}</p>
          )}
          <Summary cards={data.cards} />
          <Trends cards={data.cards} partial={coverage.partial} />
          <BreakdownTable
            title={products.length > 0 ? "Usage by SKU" : "Dynamics usage by SKU"}
            breakdown={data.bySku}
            trend={Measure.ACTIVE_USAGE_PERCENT}
          />
        </>
      )}
    </Report>
  );
}
