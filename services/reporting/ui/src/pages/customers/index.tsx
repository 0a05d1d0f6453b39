import { reporting } from "../../app/client";
import { usePreceding } from "../../app/preceding";
import { useReport } from "../../app/report";
import { figuresKey, pageFilters, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { ExportMenu } from "../../components/ExportMenu";
import { Geography } from "../../components/Geography";
import { Report } from "../../components/Report";
import { Summary } from "../../components/Summary";
import { Dimension, Measure, Scope } from "../../gen/insights/metrics/v1/query_pb";
import { Page, PageSchema, Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";
import { ExportReport } from "../../gen/insights/reporting/v1/exports_pb";
import { ActiveCustomers } from "./ActiveCustomers";
import { Distribution } from "./Distribution";
import { DistributionTrend } from "./DistributionTrend";
import { Movements } from "./Movements";
import { Products } from "./Products";

/** The Customers dashboard. */
export function CustomersPage() {
  const { params } = useView();
  const { title } = useWords();
  const allGroups = params.get("groups") === "all";
  const report = useReport(figuresKey(params, ["groups"]), (signal) =>
    reporting.getCustomersDashboard({ page: pageFilters(params), allGroups }, { signal }),
  );
  const before = usePreceding(report.data?.coverage, figuresKey(params), async (range, signal) =>
    (await reporting.getCustomersDashboard({ page: pageFilters(range) }, { signal })).activity,
  );
  const whole = { report: ExportReport.CUSTOMERS };
  return (
    <Report title={title(PageSchema, Page.CUSTOMERS)} report={report} defaultScope={Scope.SOLD_OR_MANAGED}>
      {(data, coverage) => {
        const files = (section: Section, measures: Measure[], groupBy: Dimension[]) => (
          <ExportMenu name={title(SectionSchema, section)} coverage={coverage} rows={{ measures, groupBy }} whole={whole} />
        );
        return (
          <>
            <Summary cards={data.cards} />
            <div className="pair">
              <Movements
                movements={data.movements}
                coverage={coverage}
                actions={files(Section.CUSTOMER_ADDS_AND_CHURNS, [Measure.NEW, Measure.EXISTING, Measure.CHURNED, Measure.RETURNING], [])}
              />
              <ActiveCustomers
                activity={data.activity}
                before={before}
                coverage={coverage}
                actions={files(Section.ACTIVE_CUSTOMERS, [Measure.ACTIVE_CUSTOMERS, Measure.CUSTOMERS], [])}
              />
            </div>
            <Geography
              title={title(SectionSchema, Section.GEOGRAPHICAL_SPREAD)}
              breakdown={data.byCountry}
              shade={Measure.CUSTOMERS}
              actions={files(Section.GEOGRAPHICAL_SPREAD, [Measure.CUSTOMERS, Measure.ACTIVE_CUSTOMERS, Measure.NEW], [Dimension.COUNTRY])}
            />
            <Products
              byProduct={data.byProduct}
              skus={data.skus}
              actions={files(Section.CUSTOMERS_BY_PRODUCT, [Measure.CUSTOMERS], [Dimension.PRODUCT, Dimension.SKU])}
            />
            <div className="pair">
              <Distribution breakdowns={data.distributions} files={(dimension) => files(Section.CUSTOMER_DISTRIBUTION, [Measure.CUSTOMERS], [dimension])} />
              <DistributionTrend
                breakdowns={data.distributionTrends}
                partial={coverage.partial}
                files={(dimension) => files(Section.CUSTOMER_DISTRIBUTION_TREND, [Measure.CUSTOMERS], [dimension])}
              />
            </div>
          </>
        );
      }}
    </Report>
  );
}
