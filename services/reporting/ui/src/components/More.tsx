import { texts } from "../app/texts";

/** Reads on in a list. */
export function More({ more, busy }: { more: (() => void) | undefined; busy: boolean }) {
  if (!more) return null;
  return (
    <button type="button" className="more" disabled={busy} onClick={more}>
      {busy ? texts().loadingNow : texts().showMore}
    </button>
  );
}
