import { useEffect, useRef, useState } from "react";

import { texts } from "../../app/texts";
import { useView } from "../../app/url";
import { useWords } from "../../app/words";
import { Definition, termAnchor } from "../../components/Definition";
import { Empty } from "../../components/States";
import { GlossaryKindSchema, Page, PageSchema } from "../../gen/insights/reporting/v1/words_pb";

/** What the words and figures mean, how they are computed, and cases worked out. */
export function GlossaryPage() {
  const { terms, title } = useWords();
  const { params } = useView();
  const [search, setSearch] = useState("");
  const aimed = params.get("term");
  const target = useRef<HTMLElement>(null);
  const text = texts();
  useEffect(() => {
    target.current?.scrollIntoView({ block: "center" });
    target.current?.focus({ preventScroll: true });
  }, [aimed]);
  const wanted = search.trim().toLowerCase();
  const found = terms.filter((term) => [term.id, term.title, term.definition].some((part) => part.toLowerCase().includes(wanted)));
  const kinds = [...new Set(found.map((term) => term.kind))];
  return (
    <>
      <div className="title">
        <h1>{title(PageSchema, Page.GLOSSARY)}</h1>
        <input
          type="search"
          aria-label={text.searchFor({ label: title(PageSchema, Page.GLOSSARY) })}
          placeholder={text.search}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </div>
      {found.length === 0 && <Empty>{text.nothingFound}</Empty>}
      <div className="sections">
        {kinds.map((kind) => (
          <section key={kind} className="panel" aria-label={title(GlossaryKindSchema, kind)}>
            <h2>{title(GlossaryKindSchema, kind)}</h2>
            {found
              .filter((term) => term.kind === kind)
              .map((term) => (
                <article
                  key={term.id}
                  ref={termAnchor(term) === aimed ? target : undefined}
                  tabIndex={-1}
                  className={termAnchor(term) === aimed ? "entry aimed" : "entry"}
                  data-term={term.id}
                >
                  <h3>
                    {term.title} <code>{term.id}</code>
                  </h3>
                  <Definition term={term} linked={false} />
                </article>
              ))}
          </section>
        ))}
      </div>
    </>
  );
}
