import { texts } from "../../app/texts";
import { elsewhere } from "../../app/url";
import { useWords } from "../../app/words";
import { Link } from "../../components/Link";
import { Panel } from "../../components/Panel";
import { SubscriptionTable } from "../../components/SubscriptionTable";
import { Section, SectionSchema } from "../../gen/insights/reporting/v1/words_pb";

/** The subscriptions of the customers that rank highest; the page of subscriptions has them all. */
export function TopSubscriptions({ products }: { products: string[] }) {
  const { title } = useWords();
  const name = title(SectionSchema, Section.SUBSCRIPTION_PERFORMANCE);
  const to = elsewhere("/subscriptions", (params) => products.forEach((product) => params.append("show", product)));
  return (
    <Panel title={name} actions={<Link to={to}>{texts().allSubscriptions}</Link>}>
      <SubscriptionTable title={name} asked={{ products }} first={10} />
    </Panel>
  );
}
