import { reporting } from "../app/client";
import { beyond, count, day, drawn, figure } from "../app/format";
import { valueText } from "../app/names";
import { usePaged } from "../app/paged";
import { texts } from "../app/texts";
import { figuresKey, pageFilters, useView } from "../app/url";
import { useWords } from "../app/words";
import { Basis, Dimension, Measure, type Filter, type Scope } from "../gen/insights/metrics/v1/query_pb";
import type { ListSubscriptionPerformanceResponse, SubscriptionPerformance } from "../gen/insights/reporting/v1/dashboards_pb";
import { FigureCell } from "./BreakdownTable";
import { DataTable, type Column } from "./DataTable";
import { More } from "./More";
import { Over } from "./Over";
import { Sparkline } from "./Sparkline";
import { Empty, Failure } from "./States";
import { CustomerLink } from "./ValueLink";

/** Which subscriptions. */
export type Asked = {
  products: string[];
  all?: boolean;
  customerSearch?: string;
  filters?: Filter[];
  /** Where another than the page's is meant. */
  scope?: Scope;
};

type Props = { title: string; asked: Asked; first?: number };

const PAGE = 100;

/** How subscriptions are used, with a trend each; further pages on demand. */
export function SubscriptionTable({ title, asked, first = PAGE }: Props) {
  const { params } = useView();
  const { measure: measureName } = useWords();
  const text = texts();
  const { products, all = false, customerSearch = "", filters = [], scope } = asked;
  const key = JSON.stringify([figuresKey(params), products, all, customerSearch, scope, filters.flatMap((filter) => filter.values.map((value) => value.value))]);
  const list = usePaged(key, async (pageToken, signal) => {
    const page = pageFilters(params, [Dimension.SERVICE]);
    page.filters = [...page.filters.filter((filter) => !filters.some((own) => own.dimension === filter.dimension)), ...filters];
    if (scope !== undefined) page.scope = scope;
    const answer = await reporting.listSubscriptionPerformance(
      { page, products, all, customerSearch, pageSize: PAGE, pageToken },
      signal ? { signal } : {},
    );
    return { answer, rows: answer.subscriptions, next: answer.nextPageToken };
  });
  const columns = useSubscriptionColumns(list.answer);
  if (list.error && list.rows.length === 0) return <Failure error={list.error} again={list.again} />;
  if (!list.answer) return <Empty>{text.loadingNow}</Empty>;
  const ranked = list.answer.rankedBy;
  return (
    <div aria-busy={list.loading} data-testid="subscriptions">
      <p className="subtitle">
        {ranked === Measure.UNSPECIFIED
          ? text.everySubscription
          : text.rankedBy({ measure: measureName(ranked) })}{" "}
        {text.shownSubscriptions({ count: list.rows.length, text: count(list.rows.length) })}
      </p>
      {list.rows.length === 0 ? (
        <Empty>{text.nothingMatches}</Empty>
      ) : (
        <DataTable title={title} columns={columns} rows={list.rows} keyOf={(row) => row.subscriptionId} first={Math.max(first, first === PAGE ? list.rows.length : 0)} />
      )}
      {first === PAGE && <More more={list.more} busy={list.loading} />}
      {list.error && list.rows.length > 0 && <Failure error={list.error} again={list.again} />}
    </div>
  );
}

function useSubscriptionColumns(answer: ListSubscriptionPerformanceResponse | undefined): Column<SubscriptionPerformance>[] {
  const { measure: nameOf, measureTerm } = useWords();
  const text = texts();
  const measures = answer?.measures ?? [];
  const usage = measures.indexOf(Measure.ACTIVE_USAGE_PERCENT);
  const customerOf = (row: SubscriptionPerformance) => valueText("customer", row.customer?.value?.value, row.customer?.name);
  const skuOf = (row: SubscriptionPerformance) => valueText("sku", row.sku?.value?.value, row.sku?.name);
  const plain = (id: string, title: string, by: (row: SubscriptionPerformance) => string): Column<SubscriptionPerformance> => ({ id, title, by, cell: by });
  return [
    {
      id: "customer",
      title: text.customerPage,
      by: customerOf,
      cell: (row) => (
        <>
          <CustomerLink id={row.customer?.value?.value ?? ""} name={customerOf(row)} />
          <small>
            <bdi>{row.subscriptionId}</bdi>
          </small>
        </>
      ),
    },
    { ...plain("sku", text.plan, skuOf), cell: (row) => <bdi>{skuOf(row)}</bdi> },
    { ...plain("start", text.start, (row) => row.start), cell: (row) => <span className="nowrap">{day(row.start)}</span> },
    { ...plain("end", text.end, (row) => row.end), cell: (row) => <span className="nowrap">{day(row.end)}</span> },
    ...measures.map((measure, index): Column<SubscriptionPerformance> => ({
      id: Measure[measure],
      title: nameOf(measure),
      number: true,
      term: measureTerm(measure),
      by: (row) => drawn(row.values[index]),
      cell: (row) => (
        <>
          <FigureCell value={row.values[index]} />
          {beyond(row.values[index]) && (
            <Over
              name={text.valueOf({ label: nameOf(measure), name: row.subscriptionId })}
              value={row.values[index]}
              reasons={index === usage ? (row.reasons.find((entry) => entry.basis === Basis.ENTITLEMENTS) ?? row.reasons[0]) : undefined}
            />
          )}
        </>
      ),
    })),
    {
      id: "trend",
      title: usage < 0 ? text.trend : nameOf(Measure.ACTIVE_USAGE_PERCENT),
      cell: (row) => (
        <Sparkline
          points={row.trend.map((point) => ({ month: point.month, value: point.values[Math.max(0, usage)] }))}
          label={text.byMonth({ label: `${skuOf(row)} ${figure(row.values[Math.max(0, usage)])}` })}
        />
      ),
    },
  ];
}
