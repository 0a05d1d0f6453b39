import { reporting } from "../../app/client";
import { useLoad } from "../../app/load";
import { pageFilters, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { Report } from "../../components/Report";
import { Scope, Dimension } from "../../gen/insights/metrics/v1/query_pb";
import { Page, PageSchema } from "../../gen/insights/reporting/v1/words_pb";
import { Adoption } from "./Adoption";
import { BasisPicker, type BasisName } from "./BasisPicker";
import { CustomerPicker } from "./CustomerPicker";

/** The Licence adoption dashboard, of the portfolio or of one customer. */
export function LicenceAdoptionPage() {
  const { params } = useView();
  const title = useWords().title(PageSchema, Page.LICENCE_ADOPTION);
  const customerId = params.get("of") ?? "";
  const basis: BasisName = params.get("basis") === "entitlements" ? "entitlements" : "users";
  // The basis only chooses what is shown first; the answer holds both.
  const key = new URLSearchParams(params);
  key.delete("basis");
  const report = useLoad(key.toString(), (signal) =>
    reporting.getLicenceAdoptionDashboard({ page: pageFilters(params), customerId }, { signal }),
  );
  return (
    <Report
      title={report.data?.customer ? `${title} · ${report.data.customer.name || customerId}` : title}
      report={report}
      defaultScope={Scope.ALL_SELLERS}
      without={customerId ? [Dimension.CUSTOMER] : []}
      extra={
        <>
          <CustomerPicker chosen={customerId} name={report.data?.customer?.name ?? ""} />
          <BasisPicker basis={basis} />
        </>
      }
    >
      {(data, coverage) => <Adoption data={data} basis={basis} partial={coverage.partial} />}
    </Report>
  );
}
