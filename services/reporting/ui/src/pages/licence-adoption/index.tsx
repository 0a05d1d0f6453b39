import { reporting } from "../../app/client";
import { usePreceding } from "../../app/preceding";
import { useReport } from "../../app/report";
import { texts } from "../../app/texts";
import { figuresKey, pageFilters, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { Adoption } from "../../components/Adoption";
import { basisIn, BasisPicker } from "../../components/BasisPicker";
import { Report } from "../../components/Report";
import { Scope } from "../../gen/insights/metrics/v1/query_pb";
import { Page, PageSchema } from "../../gen/insights/reporting/v1/words_pb";

/** The Licence adoption dashboard of the portfolio; each customer has a page of its own. */
export function LicenceAdoptionPage() {
  const { params } = useView();
  const title = useWords().title(PageSchema, Page.LICENCE_ADOPTION);
  const report = useReport(figuresKey(params), (signal) => reporting.getLicenceAdoptionDashboard({ page: pageFilters(params) }, { signal }));
  const before = usePreceding(report.data?.coverage, figuresKey(params), async (range, signal) =>
    (await reporting.getLicenceAdoptionDashboard({ page: pageFilters(range) }, { signal })).cards,
  );
  return (
    <Report
      title={title}
      subtitle={<p className="subtitle">{texts().adoptionScope}</p>}
      report={report}
      defaultScope={Scope.ALL_SELLERS}
      extra={<BasisPicker />}
    >
      {(data, coverage) => <Adoption data={data} coverage={coverage} basis={basisIn(params)} before={before} />}
    </Report>
  );
}
