import type { ReactNode } from "react";

import { texts } from "../app/texts";
import type { GlossaryTerm } from "../gen/insights/reporting/v1/words_pb";
import { Definition } from "./Definition";
import { Popover } from "./Popover";

/** A name that opens its definition, with what else there is to say about the figure. */
export function Term({ name, term, children }: { name: string; term: GlossaryTerm | undefined; children?: ReactNode }) {
  return (
    <Popover face={name} className="term" label={texts().definitionOf({ name })} title={name}>
      {children}
      {term && <Definition term={term} />}
    </Popover>
  );
}
