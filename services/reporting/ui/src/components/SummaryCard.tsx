import { beyond, figure, fractionOf } from "../app/format";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { Figure, UndefinedReason, UndefinedReasonSchema, type Card } from "../gen/insights/reporting/v1/dashboards_pb";
import { ChangeDetail } from "./ChangeDetail";
import { ChangeLine } from "./ChangeLine";
import { Over } from "./Over";
import { ReasonsDetail } from "./Reasons";
import { Sparkline } from "./Sparkline";
import { Term } from "./Term";

/** Figures that are better when smaller. */
const burdens = new Set([Figure.CUSTOMERS_CHURNED, Figure.LAST_MONTH_CHURN, Figure.DEPLOYMENT_OPPORTUNITY, Figure.IDLE_SEATS]);

/** A key figure with its change and its trend; its name opens how it is made. */
export function SummaryCard({ card }: { card: Card }) {
  const words = useWords();
  const text = texts();
  const label = words.figure(card.figure);
  const name = Figure[card.figure];
  const main = card.changes[0];
  const parts = fractionOf(card.value);
  return (
    <article className="card" aria-label={label} data-figure={name}>
      <h2>
        <Term name={label} term={words.figureTerm(card.figure)}>
          {parts && <p className="fraction">{parts}</p>}
          <ul className="plain">
            {card.changes.map((change) => (
              <li key={change.kind}>
                <ChangeDetail change={change} />
              </li>
            ))}
          </ul>
          {card.reasons && <ReasonsDetail reasons={card.reasons} />}
        </Term>
      </h2>
      <div className="value">
        <span data-testid="value">{figure(card.value)}</span>
        {beyond(card.value) && <Over name={label} value={card.value} reasons={card.reasons} />}
      </div>
      {parts && <p className="note">{parts}</p>}
      {card.undefinedReason !== UndefinedReason.UNSPECIFIED && <p className="note">{words.title(UndefinedReasonSchema, card.undefinedReason)}</p>}
      {main && <ChangeLine change={main} burden={burdens.has(card.figure)} />}
      {card.trend.length > 0 && <Sparkline points={card.trend} label={text.byMonth({ label })} />}
    </article>
  );
}
