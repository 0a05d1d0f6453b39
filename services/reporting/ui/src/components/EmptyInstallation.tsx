import { useMe } from "../app/me";
import { texts } from "../app/texts";
import { IngestionService } from "../gen/insights/ingestion/v1/ingestion_pb";

const COMMANDS = `insights import product-names "Product names and service plan identifiers for licensing.csv"
insights import insights-subscriptions SeatsSubscriptionsAndRevenue.csv
insights import --template subscription > subscription.csv
insights import csv subscription.csv`;

/** There is no data yet: what to do, for who may do it. */
export function EmptyInstallation() {
  const { may } = useMe();
  const text = texts();
  return (
    <section className="state" data-testid="empty-installation">
      <h2>{text.emptyTitle}</h2>
      {may(IngestionService.method.ingestBatch) ? (
        <>
          <p>{text.emptyImport}</p>
          <pre tabIndex={0}>{COMMANDS}</pre>
          <p>{text.emptyMore}</p>
        </>
      ) : (
        <p>{text.emptyAsk}</p>
      )}
    </section>
  );
}
