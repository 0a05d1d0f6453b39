import { reporting } from "../../app/client";
import { useLoad } from "../../app/load";
import { texts } from "../../app/texts";
import { pageFilters, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { BreakdownTable } from "../../components/BreakdownTable";
import { Report } from "../../components/Report";
import { Summary } from "../../components/SummaryCard";
import { Measure, Scope } from "../../gen/insights/metrics/v1/query_pb";
import { Page, PageSchema, Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";
import { ActiveCustomers } from "./ActiveCustomers";
import { Movements } from "./Movements";
import { Totals } from "./Totals";

/** The Customers dashboard. */
export function CustomersPage() {
  const { params } = useView();
  const { title } = useWords();
  const report = useLoad(params.toString(), (signal) =>
    reporting.getCustomersDashboard({ page: pageFilters(params) }, { signal }),
  );
  return (
    <Report title={title(PageSchema, Page.CUSTOMERS)} report={report} defaultScope={Scope.SOLD_OR_MANAGED}>
      {(data, coverage) => (
        <>
          <Summary cards={data.cards} />
          {data.totals && <Totals totals={data.totals} />}
          <div className="pair">
            <Movements movements={data.movements} partial={coverage.partial} />
            <ActiveCustomers activity={data.activity} partial={coverage.partial} />
          </div>
          <div className="pair">
            <BreakdownTable title={title(SectionSchema, Section.CUSTOMERS_BY_PRODUCT)} breakdown={data.byProduct} trend={Measure.CUSTOMERS} />
            <BreakdownTable title={texts().customersByMarket} breakdown={data.byCountry} trend={Measure.CUSTOMERS} />
          </div>
        </>
      )}
    </Report>
  );
}
