import type { PageEntry } from "../../app/pages";
import { texts } from "../../app/texts";
import { elsewhere } from "../../app/url";
import { useWords } from "../../app/words";
import { Link } from "../../components/Link";
import { SummaryCard } from "../../components/SummaryCard";
import { ScopeSchema } from "../../gen/insights/metrics/v1/query_pb";
import type { Card, Coverage } from "../../gen/insights/reporting/v1/dashboards_pb";

/** How many of a dashboard's cards stand here. */
const SHOWN = 4;

type Props = { page: PageEntry | undefined; cards: Card[] | undefined; coverage: Coverage | undefined };

/** The first figures of a dashboard, and the way to it. */
export function KeyFigures({ page, cards, coverage }: Props) {
  const words = useWords();
  const text = texts();
  if (!page || !cards || !coverage) return null;
  const name = page.title(words, text);
  return (
    <section aria-label={name} className="key-figures">
      <div className="panel-head">
        <h2>
          <Link to={elsewhere(page.path)}>{name}</Link>
        </h2>
        <span className="hint">{words.title(ScopeSchema, coverage.scope)}</span>
      </div>
      <div className="cards" data-count={SHOWN}>
        {cards.slice(0, SHOWN).map((card) => (
          <SummaryCard key={card.figure} card={card} />
        ))}
      </div>
    </section>
  );
}
