import { useState, type ReactNode } from "react";

import { texts } from "../app/texts";
import type { GlossaryTerm } from "../gen/insights/reporting/v1/words_pb";
import { Definition } from "./Definition";
import { Popover } from "./Popover";

/** What rows are ordered by; null comes last. */
export type Sortable = number | string | null;

export type Column<T> = {
  id: string;
  title: string;
  number?: boolean;
  /** What the heading means. */
  term?: GlossaryTerm | undefined;
  /** Without it the column cannot be sorted by. */
  by?: (row: T) => Sortable;
  cell: (row: T) => ReactNode;
};

type Props<T> = {
  title: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
  /** How many rows are shown at first. */
  first?: number;
  /** The row that is picked out. */
  marked?: string | undefined;
};

type Order = { id: string; down: boolean };

/** A table whose headings sort it; the first column stays in sight. */
export function DataTable<T>({ title, columns, rows, keyOf, first = 10, marked }: Props<T>) {
  const [order, setOrder] = useState<Order>();
  const [all, setAll] = useState(false);
  const text = texts();
  const by = columns.find((column) => column.id === order?.id)?.by;
  const sorted = by && order ? [...rows].sort((one, next) => compare(by(one), by(next), order.down)) : rows;
  const shown = all ? sorted : sorted.slice(0, first);
  const turn = (column: Column<T>) =>
    setOrder((before) => (before?.id === column.id ? { id: column.id, down: !before.down } : { id: column.id, down: column.number === true }));
  return (
    <>
      <div className="scroll" tabIndex={0} role="region" aria-label={text.table({ title })}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  key={column.id}
                  scope="col"
                  className={column.number ? "number" : undefined}
                  aria-sort={order?.id === column.id ? (order.down ? "descending" : "ascending") : undefined}
                >
                  {column.by ? (
                    <button type="button" className="sort" onClick={() => turn(column)}>
                      {column.title}
                    </button>
                  ) : (
                    column.title
                  )}
                  {column.term && <HeadingTerm name={column.title} term={column.term} />}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={keyOf(row)} className={keyOf(row) === marked ? "marked" : undefined}>
                {columns.map((column, index) =>
                  index === 0 ? (
                    <th key={column.id} scope="row">
                      {column.cell(row)}
                    </th>
                  ) : (
                    <td key={column.id} className={column.number ? "number" : undefined}>
                      {column.cell(row)}
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > first && (
        <button type="button" className="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? text.showFewer : text.showAll({ count: rows.length })}
        </button>
      )}
    </>
  );
}

function compare(one: Sortable, next: Sortable, down: boolean): number {
  if (one === null || next === null) return one === next ? 0 : one === null ? 1 : -1;
  const order = typeof one === "string" || typeof next === "string" ? String(one).localeCompare(String(next)) : one - next;
  return down ? -order : order;
}

/** Opens what a heading means. */
function HeadingTerm({ name, term }: { name: string; term: GlossaryTerm }) {
  return (
    <Popover face="?" className="heading-term" label={texts().definitionOf({ name })} title={name}>
      <Definition term={term} />
    </Popover>
  );
}
