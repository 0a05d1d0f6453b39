// Who is signed in. Tokens of an identity provider are kept in memory alone; those of the demo, or pasted, in this tab's storage.
// The tabs of one browser tell each other, so that a link opened in another tab finds its reader signed in.
import { useSyncExternalStore } from "react";

/** Why there is no session. */
export type Ending = "signed-out" | "expired" | "refused" | "provider";

export type Session = {
  token: string;
  /** Of an identity provider: what renews the session and ends it there. */
  provider?: { refresh?: string | undefined; id?: string | undefined };
};

type State = { session: Session | null; asking: boolean; ending: Ending | null };

const KEY = "partner-insights-token";
/** How long other tabs are waited for. */
const PATIENCE = 250;

const listeners = new Set<() => void>();
const channel = new BroadcastChannel("partner-insights-session");
const stored = window.sessionStorage.getItem(KEY);

let state: State = { session: stored ? { token: stored } : null, asking: stored === null, ending: null };

function become(next: State): void {
  state = next;
  listeners.forEach((changed) => changed());
}

channel.onmessage = ({ data }: MessageEvent<{ ask?: true; session?: Session; end?: Ending }>) => {
  if (data.ask && state.session) channel.postMessage({ session: state.session });
  if (data.session && (state.asking || state.session)) begin(data.session, false);
  if (data.end && state.session) stop(data.end, false);
};

if (state.asking) {
  channel.postMessage({ ask: true });
  window.setTimeout(() => state.asking && become({ ...state, asking: false }), PATIENCE);
}

function begin(session: Session, tell: boolean): void {
  if (!session.provider) window.sessionStorage.setItem(KEY, session.token);
  if (tell) channel.postMessage({ session });
  become({ session, asking: false, ending: null });
}

function stop(ending: Ending, tell: boolean): void {
  window.sessionStorage.removeItem(KEY);
  if (tell) channel.postMessage({ end: ending });
  become({ session: null, asking: false, ending });
}

export const session = (): Session | null => state.session;
export const token = (): string | null => state.session?.token ?? null;
export const signIn = (text: string, provider?: Session["provider"]): void =>
  begin(provider ? { token: text, provider } : { token: text.trim() }, true);
export const endSession = (ending: Ending): void => stop(ending, true);

const subscribe = (changed: () => void) => {
  listeners.add(changed);
  return () => listeners.delete(changed);
};

export const useSession = (): State => useSyncExternalStore(subscribe, () => state);
