import { change as changeText, count, figure, fraction, fractionOf, months } from "../app/format";
import { texts, type Texts } from "../app/texts";
import { useWords } from "../app/words";
import { SectionSchema, Section } from "../gen/insights/reporting/v1/words_pb";
import { ChangeKind, Figure, UndefinedReason, UndefinedReasonSchema, type Card, type Change } from "../gen/insights/reporting/v1/dashboards_pb";
import { ReasonsDetail } from "./Reasons";
import { Sparkline } from "./Sparkline";

/** Figures that are better when smaller. */
const burdens = new Set([Figure.CUSTOMERS_CHURNED, Figure.DEPLOYMENT_OPPORTUNITY, Figure.IDLE_SEATS]);

/** A key figure with its change, its trend and, on demand, how it is made. */
export function SummaryCard({ card }: { card: Card }) {
  const words = useWords();
  const text = texts();
  const label = words.figure(card.figure);
  const id = `card-${Figure[card.figure].toLowerCase()}`;
  const main = card.changes[0];
  return (
    <article className="card" aria-labelledby={id} data-figure={Figure[card.figure]}>
      <h3 id={id}>{label}</h3>
      <p className="value" data-testid="value">
        {figure(card.value)}
      </p>
      {card.undefinedReason !== UndefinedReason.UNSPECIFIED && (
        <p className="note">{words.title(UndefinedReasonSchema, card.undefinedReason)}</p>
      )}
      {main && <ChangeLine change={main} burden={burdens.has(card.figure)} />}
      {card.trend.length > 0 && <Sparkline points={card.trend} label={text.byMonth(label)} />}
      <details>
        <summary>
          {text.howMade}
          <span className="hidden">: {label}</span>
        </summary>
        <p>{words.figureMeaning(card.figure)}</p>
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
    return <p className="change none">{texts().noBase}</p>;
  }
  const churn = change.kind === ChangeKind.CHURN;
  const good = value === 0 ? "flat" : value > 0 === (burden || churn) ? "bad" : "good";
  const arrow = value === 0 ? "→" : value > 0 ? "▲" : "▼";
  return (
    <p className={`change ${good}`}>
      {churn ? (
        texts().ofCustomers(changeText(value, false).replace("+", ""))
      ) : (
        <>
          <span aria-hidden="true">{arrow}</span> {changeText(value, change.kind === ChangeKind.POINTS)}
        </>
      )}
    </p>
  );
}

/** Text before the base months of a change. */
const against: Record<ChangeKind, (text: Texts) => string> = {
  [ChangeKind.UNSPECIFIED]: () => "",
  [ChangeKind.STOCK]: (text) => text.changeAgainstEnd,
  [ChangeKind.FLOW]: (text) => text.changeAgainst,
  [ChangeKind.CHURN]: (text) => text.changeOfCustomers,
  [ChangeKind.POINTS]: (text) => text.changeAgainstEnd,
};

function ChangeDetail({ change }: { change: Change }) {
  const { kind } = change;
  const say = texts();
  const base = `${against[kind](say)} ${months(change.baseFromMonth, change.baseToMonth)}`;
  const value = change.change?.value;
  if (value === undefined) {
    const zero = change.change?.denominator === 0n;
    return (
      <>
        {say.noChange(base)}: {zero ? say.noChangeZero : say.noChangeNoData}.
      </>
    );
  }
  const parts = kind === ChangeKind.POINTS ? "" : fraction(change.change);
  const text = changeText(value, kind === ChangeKind.POINTS);
  return (
    <>
      {kind === ChangeKind.CHURN ? text.replace("+", "") : text} {base}
      {parts && kind !== ChangeKind.CHURN && `: ${say.onBase(count(change.change?.numerator), count(change.change?.denominator))}`}
      {parts && kind === ChangeKind.CHURN && `: ${parts}`}
    </>
  );
}

/** The cards of a page. */
export function Summary({ cards }: { cards: Card[] }) {
  const { title } = useWords();
  return (
    <section aria-label={title(SectionSchema, Section.SUMMARY)}>
      <div className="cards">
        {cards.map((card) => (
          <SummaryCard key={card.figure} card={card} />
        ))}
      </div>
    </section>
  );
}
