import { reporting } from "../../app/client";
import { usePreceding } from "../../app/preceding";
import { useReport } from "../../app/report";
import { texts } from "../../app/texts";
import { figuresKey, pageFilters, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { ExportMenu } from "../../components/ExportMenu";
import { ProductPicker } from "../../components/ProductPicker";
import { Report } from "../../components/Report";
import { Summary } from "../../components/Summary";
import { Dimension, Measure, Scope } from "../../gen/insights/metrics/v1/query_pb";
import { ExportReport } from "../../gen/insights/reporting/v1/exports_pb";
import { Page, PageSchema, Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";
import { productFilters } from "./products";
import { SkuDistribution } from "./SkuDistribution";
import { SkuTrend } from "./SkuTrend";
import { TopSubscriptions } from "./TopSubscriptions";
import { Trends } from "./Trends";
import { UsageByGeography } from "./UsageByGeography";

/** Seats are not defined by service. */
const WITHOUT = [Dimension.SERVICE];
const SEATS = [Measure.AVAILABLE, Measure.ASSIGNED, Measure.ACTIVE, Measure.ACTIVE_USAGE_PERCENT];

/** The Dynamics usage dashboard, of Dynamics or any other product. */
export function DynamicsUsagePage() {
  const { params } = useView();
  const { title } = useWords();
  const text = texts();
  const products = params.getAll("show");
  const report = useReport(figuresKey(params, ["show"]), (signal) =>
    reporting.getDynamicsUsageDashboard({ page: pageFilters(params, WITHOUT), products }, { signal }),
  );
  const before = usePreceding(report.data?.coverage, figuresKey(params, ["show"]), async (range, signal) =>
    (await reporting.getDynamicsUsageDashboard({ page: pageFilters(range, WITHOUT), products }, { signal })).cards,
  );
  const heading = products.length === 0 ? title(PageSchema, Page.DYNAMICS_USAGE) : text.usageOfProduct({ product: products.join(", ") });
  const shown = report.data?.products ?? [];
  return (
    <Report
      title={<bdi>{heading}</bdi>}
      subtitle={<p className="subtitle">{shown.length === 0 && report.data ? text.noDynamics : shown.join(" · ")}</p>}
      report={report}
      defaultScope={Scope.SOLD_OR_MANAGED}
      without={WITHOUT}
      extra={<ProductPicker chosen={products} />}
    >
      {(data, coverage) => {
        const filters = productFilters(data.products);
        const whole = products.length === 0 ? { report: ExportReport.DYNAMICS_USAGE } : { report: ExportReport.LICENCE_USAGE, filters };
        const files = (section: Section, groupBy: Dimension[]) => (
          <ExportMenu name={title(SectionSchema, section)} coverage={coverage} rows={{ measures: SEATS, groupBy, filters }} whole={whole} />
        );
        return (
          <>
            <Summary cards={data.cards} />
            <Trends cards={data.cards} before={before} partial={coverage.partial} actions={files(Section.SUMMARY, [])} />
            <UsageByGeography breakdown={data.byCountry} actions={files(Section.USAGE_BY_GEOGRAPHY, [Dimension.COUNTRY])} />
            <SkuTrend breakdown={data.bySku} partial={coverage.partial} actions={files(Section.USAGE_BY_SKU, [Dimension.SKU])} />
            <SkuDistribution breakdown={data.bySku} actions={files(Section.USAGE_DISTRIBUTION, [Dimension.SKU])} />
            <TopSubscriptions products={products} />
          </>
        );
      }}
    </Report>
  );
}
