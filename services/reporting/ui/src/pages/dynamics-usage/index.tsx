import { reporting } from "../../app/client";
import { useLoad } from "../../app/load";
import { texts } from "../../app/texts";
import { pageFilters, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { BreakdownTable } from "../../components/BreakdownTable";
import { Report } from "../../components/Report";
import { Empty } from "../../components/States";
import { Summary } from "../../components/SummaryCard";
import { Dimension, Measure, Scope } from "../../gen/insights/metrics/v1/query_pb";
import { Page, PageSchema, Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";
import { ProductPicker } from "./ProductPicker";
import { Trends } from "./Trends";

/** The Dynamics usage dashboard. */
export function DynamicsUsagePage() {
  const { params } = useView();
  const { title } = useWords();
  const products = params.getAll("show");
  const report = useLoad(params.toString(), (signal) =>
    reporting.getDynamicsUsageDashboard({ page: pageFilters(params), products }, { signal }),
  );
  return (
    <Report
      title={title(PageSchema, Page.DYNAMICS_USAGE)}
      report={report}
      defaultScope={Scope.SOLD_OR_MANAGED}
      without={[Dimension.SERVICE]}
      extra={<ProductPicker chosen={products} />}
    >
      {(data, coverage) => (
        <>
          {data.products.length === 0 ? (
            <Empty>{texts().noDynamics}</Empty>
          ) : (
            <p className="subtitle">{data.products.join(" · ")}</p>
          )}
          <Summary cards={data.cards} />
          <Trends cards={data.cards} partial={coverage.partial} />
          <BreakdownTable
            title={title(SectionSchema, Section.USAGE_BY_SKU)}
            breakdown={data.bySku}
            trend={Measure.ACTIVE_USAGE_PERCENT}
          />
        </>
      )}
    </Report>
  );
}
