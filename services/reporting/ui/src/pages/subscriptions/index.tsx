import { useState } from "react";

import { reporting } from "../../app/client";
import { useDebounced } from "../../app/debounced";
import { useReport } from "../../app/report";
import { texts } from "../../app/texts";
import { figuresKey, pageFilters, useView } from "../../app/url";
import { useWords } from "../../app/words";
import { ExportMenu } from "../../components/ExportMenu";
import { Panel } from "../../components/Panel";
import { ProductPicker } from "../../components/ProductPicker";
import { Report } from "../../components/Report";
import { SubscriptionTable } from "../../components/SubscriptionTable";
import { Dimension, Measure, Scope } from "../../gen/insights/metrics/v1/query_pb";
import { ExportReport } from "../../gen/insights/reporting/v1/exports_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";
import { productFilters } from "../dynamics-usage/products";

const WITHOUT = [Dimension.SERVICE];
const MEASURES = [Measure.AVAILABLE, Measure.ASSIGNED, Measure.ACTIVE, Measure.ACTIVE_USAGE_PERCENT];

/** How subscriptions are used: those of the customers that rank highest, of customers searched for, or all of them. */
export function SubscriptionsPage() {
  const { params, change } = useView();
  const { title } = useWords();
  const text = texts();
  const products = params.getAll("show");
  const all = params.get("all") === "1";
  const [search, setSearch] = useState(params.get("q") ?? "");
  const customerSearch = useDebounced(search.trim());
  const report = useReport(figuresKey(params, ["show"]), (signal) =>
    reporting.listSubscriptionPerformance({ page: pageFilters(params, WITHOUT), products, pageSize: 1 }, { signal }),
  );
  const name = title(SectionSchema, Section.SUBSCRIPTION_PERFORMANCE);
  return (
    <Report
      title={name}
      subtitle={<p className="subtitle">{report.data?.products.join(" · ")}</p>}
      report={report}
      defaultScope={Scope.SOLD_OR_MANAGED}
      without={WITHOUT}
      extra={<ProductPicker chosen={products} />}
    >
      {(data, coverage) => {
        const filters = productFilters(data.products);
        const rows = { measures: MEASURES, groupBy: [Dimension.CUSTOMER, Dimension.SUBSCRIPTION], filters };
        const whole = products.length === 0 ? { report: ExportReport.DYNAMICS_USAGE } : { report: ExportReport.LICENCE_USAGE, filters };
        return (
          <Panel title={name} actions={<ExportMenu name={name} coverage={coverage} rows={rows} whole={whole} />}>
            <div className="filter-fields">
              <input
                type="search"
                aria-label={text.findCustomer}
                placeholder={text.findCustomer}
                value={search}
                onChange={(event) => setSearch(event.target.value)}
              />
              <label className="switch">
                <input
                  type="checkbox"
                  checked={all}
                  onChange={(event) => change((next) => (event.target.checked ? next.set("all", "1") : next.delete("all")))}
                />
                <span>{text.allOfThem}</span>
              </label>
            </div>
            <SubscriptionTable title={name} asked={{ products, all, customerSearch }} />
          </Panel>
        );
      }}
    </Report>
  );
}
