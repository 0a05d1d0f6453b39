import { change as changeText, count, figure, fraction, fractionOf, months } from "../app/format";
import { changeMeaning, figures, undefinedReasons } from "../app/labels";
import { ChangeKind, Figure, UndefinedReason, type Card, type Change } from "../gen/insights/reporting/v1/dashboards_pb";
import { ReasonsDetail } from "./Reasons";
import { Sparkline } from "./Sparkline";

/** Figures of which less is better. */
const burdens = new Set([Figure.CUSTOMERS_CHURNED, Figure.DEPLOYMENT_OPPORTUNITY, Figure.IDLE_SEATS]);

/** A key figure with its change, its trend and, on demand, how it is made. */
export function SummaryCard({ card }: { card: Card }) {
  const { label, meaning } = figures[card.figure];
  const id = `card-${Figure[card.figure].toLowerCase()}`;
  const main = card.changes[0];
  return (
    <article className="card" aria-labelledby={id} data-figure={Figure[card.figure]}>
      <h3 id={id}>{label}</h3>
      <p className="value" data-testid="value">
        {figure(card.value)}
      </p>
      {card.undefinedReason !== UndefinedReason.UNSPECIFIED && (
        <p className="note">{undefinedReasons[card.undefinedReason]}</p>
      )}
      {main && <ChangeLine change={main} burden={burdens.has(card.figure)} />}
      {card.trend.length > 0 && <Sparkline points={card.trend} label={`${label} by month`} />}
      <details>
        <summary>
          How this is made<span className="hidden">: {label}</span>
        </summary>
        <p>{meaning}</p>
        {fractionOf(card.value) && <p className="fraction">{fractionOf(card.value)}</p>}
        <ul className="plain">
          {card.changes.map((change) => (
            <li key={change.kind}>
              <ChangeDetail change={change} />
            </li>
          ))}
        </ul>
        {card.reasons && <ReasonsDetail reasons={card.reasons} />}
      </details>
    </article>
  );
}

function ChangeLine({ change, burden }: { change: Change; burden: boolean }) {
  const value = change.change?.value;
  if (value === undefined) {
    return <p className="change none">no base to compare with</p>;
  }
  const churn = change.kind === ChangeKind.CHURN;
  const good = value === 0 ? "flat" : value > 0 === (burden || churn) ? "bad" : "good";
  const arrow = value === 0 ? "→" : value > 0 ? "▲" : "▼";
  return (
    <p className={`change ${good}`}>
      {churn ? (
        <>{changeText(value, false).replace("+", "")} of customers</>
      ) : (
        <>
          <span aria-hidden="true">{arrow}</span> {changeText(value, change.kind === ChangeKind.POINTS)}
        </>
      )}
    </p>
  );
}

function ChangeDetail({ change }: { change: Change }) {
  const { kind } = change;
  const base = `${changeMeaning[kind]} ${months(change.baseFromMonth, change.baseToMonth)}`;
  const value = change.change?.value;
  if (value === undefined) {
    const zero = change.change?.denominator === 0n;
    return (
      <>
        No change {base}: {zero ? "it was 0 then" : "there is no data for it"}.
      </>
    );
  }
  const parts = kind === ChangeKind.POINTS ? "" : fraction(change.change);
  const text = changeText(value, kind === ChangeKind.POINTS);
  return (
    <>
      {kind === ChangeKind.CHURN ? text.replace("+", "") : text} {base}
      {parts && kind !== ChangeKind.CHURN && `: ${count(change.change?.numerator)} on ${count(change.change?.denominator)}`}
      {parts && kind === ChangeKind.CHURN && `: ${parts}`}
    </>
  );
}

/** The cards of a page. */
export function Summary({ cards, title = "Summary" }: { cards: Card[]; title?: string }) {
  return (
    <section aria-label={title}>
      <div className="cards">
        {cards.map((card) => (
          <SummaryCard key={card.figure} card={card} />
        ))}
      </div>
    </section>
  );
}
