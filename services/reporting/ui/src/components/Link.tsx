import type { AnchorHTMLAttributes } from "react";

import { go } from "../app/url";

type Props = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string };

/** A link within the page; with a modifier key it is the browser's. */
export function Link({ to, onClick, children, ...rest }: Props) {
  return (
    <a
      {...rest}
      href={to}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(to);
        window.scrollTo(0, 0);
      }}
    >
      {children}
    </a>
  );
}
