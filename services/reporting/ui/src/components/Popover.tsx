import { useId, useRef, type ReactNode } from "react";

import { texts } from "../app/texts";

type Props = {
  /** What the button shows. */
  face: ReactNode;
  className: string;
  /** What the button is called, where its face does not say it. */
  label?: string;
  title: string;
  children: ReactNode;
};

/** A button that opens a panel over the page; the focus goes into it, Escape and its own button close it. */
export function Popover({ face, className, label, title, children }: Props) {
  const id = useId();
  const panel = useRef<HTMLDivElement>(null);
  const close = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button type="button" className={className} popoverTarget={id} {...(label ? { "aria-label": label } : {})}>
        {face}
      </button>
      <div
        ref={panel}
        id={id}
        popover="auto"
        role="dialog"
        aria-label={title}
        className="panel popover"
        onToggle={(event) => event.newState === "open" && close.current?.focus()}
      >
        <div className="panel-head">
          <p className="popover-title">{title}</p>
          <button ref={close} type="button" className="quiet icon" aria-label={texts().close} onClick={() => panel.current?.hidePopover()}>
            ×
          </button>
        </div>
        {children}
      </div>
    </>
  );
}
