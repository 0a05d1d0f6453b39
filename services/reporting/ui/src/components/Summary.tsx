import { useWords } from "../app/words";
import type { Card } from "../gen/insights/reporting/v1/dashboards_pb";
import { Section, SectionSchema } from "../gen/insights/reporting/v1/words_pb";
import { SummaryCard } from "./SummaryCard";

/** The cards of a page. */
export function Summary({ cards }: { cards: Card[] }) {
  const { title } = useWords();
  return (
    <section aria-label={title(SectionSchema, Section.SUMMARY)}>
      <div className="cards" data-count={cards.length}>
        {cards.map((card) => (
          <SummaryCard key={card.figure} card={card} />
        ))}
      </div>
    </section>
  );
}
