import { count, month } from "../app/format";
import { valueText } from "../app/names";
import { texts } from "../app/texts";
import { useWords } from "../app/words";
import { AdviceCode, AdviceCodeSchema, EvidenceKindSchema, type Advice, type Evidence } from "../gen/insights/reporting/v1/advice_pb";
import { Sparkline } from "./Sparkline";
import { CustomerLink } from "./ValueLink";

/** What to do about a customer: what is wrong, the figures, and what to try. */
export function AdviceItem({ advice, named = true }: { advice: Advice; named?: boolean }) {
  const text = texts();
  const words = useWords();
  const id = advice.customer?.value?.value ?? "";
  const name = valueText("customer", id, advice.customer?.name);
  return (
    <article className="advice" data-advice={AdviceCode[advice.code]} data-customer-id={id}>
      <div className="advice-head">
        <h3>{named ? <CustomerLink id={id} name={name} /> : advice.title}</h3>
        {named && <span className="badge warn">{words.title(AdviceCodeSchema, advice.code)}</span>}
      </div>
      <p className="because">{advice.because}</p>
      <ul className="evidence">
        {advice.evidence.map((evidence) => (
          <EvidenceItem key={evidence.kind} evidence={evidence} />
        ))}
      </ul>
      <details>
        <summary>{text.whatToTry}</summary>
        <p>
          <span className="key">{text.problem}</span> {advice.problem}
        </p>
        <p>
          <span className="key">{text.consider}</span> {advice.consider}
        </p>
        <p>
          <span className="key">{text.toTry}</span> {advice.toTry}
        </p>
      </details>
    </article>
  );
}

function EvidenceItem({ evidence }: { evidence: Evidence }) {
  const words = useWords();
  const text = texts();
  const name = words.title(EvidenceKindSchema, evidence.kind);
  const points = evidence.trend.map((point) => ({ month: point.month, value: { $typeName: "insights.metrics.v1.Value" as const, kind: { case: "count" as const, value: point.value } } }));
  const last = evidence.trend.at(-1)?.month;
  return (
    <li title={last ? month(last) : undefined}>
      <span>{name}</span> <strong>{count(evidence.value)}</strong>
      {points.length > 1 && <Sparkline points={points} label={text.byMonth({ label: name })} />}
    </li>
  );
}
