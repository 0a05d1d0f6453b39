import { texts } from "../app/texts";
import type { GlossaryTerm } from "../gen/insights/reporting/v1/words_pb";
import { Link } from "./Link";

/** Where a term stands in the glossary. */
export const termAnchor = (term: GlossaryTerm): string => `${term.kind}-${term.id}`;

/** What a term means: definition, formula and worked examples. */
export function Definition({ term, linked = true }: { term: GlossaryTerm; linked?: boolean }) {
  const text = texts();
  return (
    <div className="definition">
      <p>{term.definition}</p>
      {term.formula && (
        <p>
          <span className="key">{text.formula}</span> <code>{term.formula}</code>
        </p>
      )}
      {term.examples.map(({ number, text: example }) => (
        <p key={number} className="example">
          <span className="key">{text.workedExample({ number })}</span> {example}
        </p>
      ))}
      {linked && <Link to={`/glossary?term=${encodeURIComponent(termAnchor(term))}`}>{text.inGlossary}</Link>}
    </div>
  );
}
