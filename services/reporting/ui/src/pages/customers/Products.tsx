import type { ReactNode } from "react";

import { drawn, figure } from "../../app/format";
import { texts } from "../../app/texts";
import { useView } from "../../app/url";
import { useWords } from "../../app/words";
import { Donut } from "../../charts/Donut";
import { groupKey, useColumns } from "../../components/BreakdownTable";
import { DataTable } from "../../components/DataTable";
import { Overlapping } from "../../components/Overlapping";
import { Panel } from "../../components/Panel";
import { Empty } from "../../components/States";
import { Measure } from "../../gen/insights/metrics/v1/query_pb";
import type { Breakdown, ProductSkus } from "../../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";

type Props = { byProduct: Breakdown | undefined; skus: ProductSkus[]; actions: ReactNode };

/** Customers by product as a ring; the product that is chosen opens its SKUs beside it. */
export function Products({ byProduct, skus, actions }: Props) {
  const { title } = useWords();
  const { params, change } = useView();
  const text = texts();
  const name = title(SectionSchema, Section.CUSTOMERS_BY_PRODUCT);
  const groups = byProduct?.groups ?? [];
  const product = params.get("pie") ?? groups[0]?.key?.value;
  const within = skus.find((entry) => entry.product === product)?.bySku;
  const productColumns = useColumns(byProduct, {}, Measure.CUSTOMERS);
  const skuColumns = useColumns(within, {});
  const slices = groups.map((group) => ({
    id: group.key?.value ?? "",
    name: group.key?.value ?? text.missing,
    size: drawn(group.values[0]) ?? 0,
    text: figure(group.values[0]),
  }));
  return (
    <Panel title={name} actions={actions} note={byProduct?.overlapping && <Overlapping />}>
      {groups.length === 0 ? (
        <Empty>{text.nothingMatches}</Empty>
      ) : (
        <>
          <div className="pair">
            <Donut label={name} slices={slices} chosen={product} choose={(id) => change((next) => next.set("pie", id))} />
            <section aria-label={text.skusOf({ product: product ?? "" })} className="within">
              <h3>
                <bdi>{text.skusOf({ product: product ?? "" })}</bdi>
              </h3>
              {within && within.groups.length > 0 ? (
                <DataTable title={text.skusOf({ product: product ?? "" })} columns={skuColumns} rows={within.groups} keyOf={groupKey} first={8} />
              ) : (
                <Empty>{text.nothingMatches}</Empty>
              )}
            </section>
          </div>
          <DataTable title={name} columns={productColumns} rows={groups} keyOf={groupKey} first={5} />
        </>
      )}
    </Panel>
  );
}
