import { create } from "@bufbuild/protobuf";

import { reporting } from "../../app/client";
import { useMe } from "../../app/me";
import { useValueText } from "../../app/names";
import { usePreceding } from "../../app/preceding";
import { useReport } from "../../app/report";
import { texts } from "../../app/texts";
import { figuresKey, pageFilters, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { Adoption } from "../../components/Adoption";
import { AdviceList } from "../../components/AdviceList";
import { basisIn, BasisPicker } from "../../components/BasisPicker";
import { ExportMenu } from "../../components/ExportMenu";
import { Panel } from "../../components/Panel";
import { Report } from "../../components/Report";
import { Dimension, FilterSchema, Measure, Scope } from "../../gen/insights/metrics/v1/query_pb";
import { ExportReport } from "../../gen/insights/reporting/v1/exports_pb";
import { ReportingService } from "../../gen/insights/reporting/v1/reporting_pb";
import { Page, PageSchema } from "../../gen/insights/reporting/v1/words_pb";
import { CustomerSubscriptions } from "./CustomerSubscriptions";
import { Revenue } from "./Revenue";

const { method } = ReportingService;
const WITHOUT = [Dimension.CUSTOMER];
const MEASURES = [Measure.AVAILABLE, Measure.ASSIGNED, Measure.ACTIVE, Measure.ACTIVE_USAGE_PERCENT, Measure.DEPLOYMENT_PERCENT, Measure.IDLE_SEATS];

/** One customer: its advice, adoption, subscriptions and, for who may see it, revenue. */
export function CustomerPage() {
  const { params } = useView();
  const { may, seesRevenue } = useMe();
  const { title } = useWords();
  const text = texts();
  const customerId = params.get("of") ?? "";
  const known = useValueText("customer", customerId);
  const adopts = may(method.getLicenceAdoptionDashboard);
  const filters = [create(FilterSchema, { dimension: Dimension.CUSTOMER, values: [{ value: customerId }] })];
  const report = useReport(figuresKey(params, ["of"]), async (signal) => {
    const page = pageFilters(params, WITHOUT);
    if (adopts) {
      const adoption = await reporting.getLicenceAdoptionDashboard({ page, customerId }, { signal });
      return { adoption, coverage: adoption.coverage };
    }
    page.filters = [...page.filters.filter((filter) => filter.dimension !== Dimension.SERVICE), ...filters];
    const { coverage } = await reporting.listSubscriptionPerformance({ page, pageSize: 1 }, { signal });
    return { adoption: undefined, coverage };
  });
  const before = usePreceding(adopts ? report.data?.coverage : undefined, figuresKey(params, ["of"]), async (range, signal) =>
    (await reporting.getLicenceAdoptionDashboard({ page: pageFilters(range, WITHOUT), customerId }, { signal })).cards,
  );
  const name = report.data?.adoption?.customer?.name || known;
  return (
    <Report
      title={<bdi>{name}</bdi>}
      subtitle={
        <p className="subtitle" data-testid="customer-id">
          {text.customerPage} <bdi>{customerId}</bdi>
        </p>
      }
      report={report}
      defaultScope={adopts ? Scope.ALL_SELLERS : Scope.SOLD_OR_MANAGED}
      without={adopts ? WITHOUT : [...WITHOUT, Dimension.SERVICE]}
      extra={adopts && <BasisPicker />}
    >
      {(data, coverage) => (
        <>
          <div className="toolbar">
            <ExportMenu
              name={name}
              coverage={coverage}
              rows={{ measures: MEASURES, groupBy: [Dimension.SUBSCRIPTION], filters }}
              whole={{ report: ExportReport.LICENCE_USAGE, filters }}
            />
          </div>
          {may(method.listAdvice) && (
            <Panel title={title(PageSchema, Page.ADVICE)}>
              <AdviceList filters={filters} pageSize={20} named={false} />
            </Panel>
          )}
          {data.adoption && <Adoption data={data.adoption} coverage={coverage} basis={basisIn(params)} before={before} filters={filters} />}
          {may(method.listSubscriptionPerformance) && <CustomerSubscriptions customerId={customerId} filters={filters} scope={coverage.scope} />}
          {seesRevenue && <Revenue filters={filters} coverage={coverage} />}
        </>
      )}
    </Report>
  );
}
