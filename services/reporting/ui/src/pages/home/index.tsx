import { useMe } from "../../app/me";
import { reporting } from "../../app/client";
import { pages } from "../../app/pages";
import { useReport } from "../../app/report";
import { texts } from "../../app/texts";
import { figuresKey, pageFilters, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { AdviceList } from "../../components/AdviceList";
import { Panel } from "../../components/Panel";
import { Report } from "../../components/Report";
import { Dimension, Scope } from "../../gen/insights/metrics/v1/query_pb";
import { ReportingService } from "../../gen/insights/reporting/v1/reporting_pb";
import { Page, PageSchema } from "../../gen/insights/reporting/v1/words_pb";
import { KeyFigures } from "./KeyFigures";

const { method } = ReportingService;
const WITHOUT = [Dimension.SERVICE];

/** What to do today, then how things stand: advice first, and the key figures of each dashboard that a person may see. */
export function HomePage() {
  const { params } = useView();
  const { may } = useMe();
  const { title } = useWords();
  const text = texts();
  const adopts = may(method.getLicenceAdoptionDashboard);
  const counts = may(method.getCustomersDashboard);
  const uses = may(method.getDynamicsUsageDashboard);
  const page = () => pageFilters(params, WITHOUT);
  const report = useReport(figuresKey(params), async (signal) => {
    const [customers, dynamics, adoption] = await Promise.all([
      counts ? reporting.getCustomersDashboard({ page: page() }, { signal }) : undefined,
      uses ? reporting.getDynamicsUsageDashboard({ page: page() }, { signal }) : undefined,
      adopts ? reporting.getLicenceAdoptionDashboard({ page: page() }, { signal }) : undefined,
    ]);
    return { customers, dynamics, adoption, coverage: (customers ?? dynamics ?? adoption)?.coverage };
  });
  const entry = (path: string) => pages.find((candidate) => candidate.path === path);
  return (
    <Report title={text.home} report={report} defaultScope={adopts && !counts ? Scope.ALL_SELLERS : Scope.SOLD_OR_MANAGED} without={WITHOUT}>
      {(data) => (
        <>
          {may(method.listAdvice) && (
            <Panel title={title(PageSchema, Page.ADVICE)} note={<span className="hint">{text.adviceHint}</span>}>
              <AdviceList pageSize={6} />
            </Panel>
          )}
          <KeyFigures page={entry("/customers")} cards={data.customers?.cards} coverage={data.customers?.coverage} />
          <KeyFigures page={entry("/licence-adoption")} cards={data.adoption?.cards} coverage={data.adoption?.coverage} />
          <KeyFigures page={entry("/dynamics-usage")} cards={data.dynamics?.cards} coverage={data.dynamics?.coverage} />
        </>
      )}
    </Report>
  );
}
