import type { ReactNode } from "react";

type Props = {
  title: string;
  /** Beside the title. */
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
};

/** A section of a page. */
export function Panel({ title, note, actions, children }: Props) {
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
        {note}
        <div className="panel-actions">{actions}</div>
      </div>
      {children}
    </section>
  );
}
