import { useLoad } from "../../app/load";
import { allProducts } from "../../app/products";
import { texts } from "../../app/texts";
import { useWords } from "../../app/words";
import { Panel } from "../../components/Panel";
import { Empty, Failure } from "../../components/States";
import { SubscriptionTable } from "../../components/SubscriptionTable";
import { Scope, ScopeSchema, type Filter } from "../../gen/insights/metrics/v1/query_pb";

type Props = { customerId: string; filters: Filter[]; scope: Scope };

/** The subscriptions of one customer, of every product. */
export function CustomerSubscriptions({ customerId, filters, scope }: Props) {
  const products = useLoad("products", allProducts);
  const { title } = useWords();
  const text = texts();
  return (
    <Panel title={text.itsSubscriptions} note={<span className="hint">{title(ScopeSchema, scope)}</span>}>
      {products.error && <Failure error={products.error} again={products.again} />}
      {!products.data && !products.error && <Empty>{text.loadingNow}</Empty>}
      {products.data && <SubscriptionTable title={text.itsSubscriptions} asked={{ products: products.data, all: true, filters, scope }} key={customerId} />}
    </Panel>
  );
}
