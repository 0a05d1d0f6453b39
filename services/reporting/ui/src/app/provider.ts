// Sign-in with an identity provider: OpenID Connect, authorization code with PKCE (RFC 7636), without a secret.
import { endSession, session, signIn } from "./session";

export type Offer = { issuer: string; client_id: string; scope: string; resource: string; token: "access" | "id" };

type Metadata = { issuer: string; authorization_endpoint: string; token_endpoint: string; end_session_endpoint?: string };

type Pending = { state: string; nonce: string; verifier: string; back: string; silent: boolean };

type Tokens = { access_token?: string; id_token?: string; refresh_token?: string };

const PENDING = "partner-insights-sign-in";
/** Set when a silent sign-in was tried in this tab or somebody left, so that it is not tried again. */
const TRIED = "partner-insights-silent";
const CALLBACK = "/signed-in";
/** How long before a token's end it is renewed, in seconds. */
const AHEAD = 60;

/** Where people sign in; nothing where no provider is set. */
export async function offer(): Promise<Offer | undefined> {
  const response = await fetch("/sign-in.json");
  if (!response.ok) return undefined;
  const body = (await response.json()) as Offer;
  return body.issuer ? body : undefined;
}

async function metadata(issuer: string): Promise<Metadata> {
  const response = await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (!response.ok) throw new Error(`${response.status}`);
  const found = (await response.json()) as Metadata;
  if (found.issuer.replace(/\/$/, "") !== issuer.replace(/\/$/, "")) throw new Error("issuer");
  return found;
}

const base64 = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = (): string => base64(crypto.getRandomValues(new Uint8Array(32)));
const redirect = (): string => window.location.origin + CALLBACK;

/** Goes to the provider. Silently: it answers at once whether somebody is signed in there. */
export async function goToProvider(to: Offer, silent = false): Promise<void> {
  const { authorization_endpoint } = await metadata(to.issuer);
  const back = window.location.pathname === CALLBACK ? "/" : window.location.pathname + window.location.search;
  const pending: Pending = { state: random(), nonce: random(), verifier: random(), back, silent };
  window.sessionStorage.setItem(PENDING, JSON.stringify(pending));
  window.sessionStorage.setItem(TRIED, "1");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier));
  const target = new URL(authorization_endpoint);
  const query: Record<string, string> = {
    response_type: "code",
    client_id: to.client_id,
    redirect_uri: redirect(),
    scope: to.scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: base64(new Uint8Array(digest)),
    code_challenge_method: "S256",
    ...(to.resource ? { resource: to.resource } : {}),
    // A provider gives a refresh token only to who consents.
    ...(silent ? { prompt: "none" } : to.scope.includes("offline_access") ? { prompt: "consent" } : {}),
  };
  Object.entries(query).forEach(([name, value]) => target.searchParams.set(name, value));
  window.location.assign(target);
}

/** Whether a silent sign-in may still be tried in this tab. */
export const untried = (): boolean => window.sessionStorage.getItem(TRIED) === null;

/** Finishes a sign-in when the provider has sent its reader back here. Whether it did. */
export async function finish(to: Offer): Promise<boolean> {
  if (window.location.pathname !== CALLBACK) return false;
  const answer = new URLSearchParams(window.location.search);
  const text = window.sessionStorage.getItem(PENDING);
  window.sessionStorage.removeItem(PENDING);
  const pending = text ? (JSON.parse(text) as Pending) : undefined;
  window.history.replaceState(null, "", pending?.back ?? "/");
  if (!pending || answer.get("state") !== pending.state) {
    endSession("provider");
    return true;
  }
  const code = answer.get("code");
  const issuer = answer.get("iss");
  if (!code || (issuer && issuer !== to.issuer)) {
    if (!pending.silent) endSession("provider");
    return true;
  }
  try {
    const tokens = await exchange(to, { grant_type: "authorization_code", code, redirect_uri: redirect(), code_verifier: pending.verifier });
    if (tokens.id_token && claims(tokens.id_token)["nonce"] !== pending.nonce) throw new Error("nonce");
    keep(to, tokens);
  } catch {
    endSession("provider");
  }
  return true;
}

/** Renews the session before each of its ends, in one tab alone: a refresh token that two tabs use is taken for a stolen one. */
export function keepRenewed(to: Offer, signal: AbortSignal): Promise<unknown> {
  const renewing = async () => {
    for (;;) {
      const wait = renewal();
      if (wait === undefined || !(await rested(wait, signal))) return;
      const refresh = session()?.provider?.refresh;
      if (!refresh) return;
      const tokens = await exchange(to, { grant_type: "refresh_token", refresh_token: refresh });
      keep(to, tokens);
    }
  };
  // What fails here ends with the token, and is said then.
  return navigator.locks.request("partner-insights-renewal", { signal }, renewing).catch(() => undefined);
}

/** Waits, unless it is told not to; whether it did. */
const rested = (wait: number, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    window.setTimeout(() => resolve(!signal.aborted), Math.min(wait, 2 ** 31 - 1));
    signal.addEventListener("abort", () => resolve(false));
  });

/** When a session that can be renewed should be, in milliseconds from now. */
function renewal(): number | undefined {
  const held = session();
  const end = held?.provider?.refresh ? claims(held.token)["exp"] : undefined;
  return typeof end === "number" ? Math.max(0, (end - AHEAD) * 1000 - Date.now()) : undefined;
}

/** Ends the session here and at the provider. */
export async function leave(to: Offer | undefined): Promise<void> {
  const id = session()?.provider?.id;
  const provided = session()?.provider !== undefined;
  window.sessionStorage.setItem(TRIED, "1");
  endSession("signed-out");
  if (!to || !provided) return;
  const { end_session_endpoint } = await metadata(to.issuer);
  if (!end_session_endpoint) return;
  const target = new URL(end_session_endpoint);
  target.searchParams.set("client_id", to.client_id);
  target.searchParams.set("post_logout_redirect_uri", `${window.location.origin}/`);
  if (id) target.searchParams.set("id_token_hint", id);
  window.location.assign(target);
}

async function exchange(to: Offer, values: Record<string, string>): Promise<Tokens> {
  const { token_endpoint } = await metadata(to.issuer);
  const body = new URLSearchParams({ client_id: to.client_id, ...values, ...(to.resource ? { resource: to.resource } : {}) });
  const response = await fetch(token_endpoint, { method: "POST", body });
  if (!response.ok) throw new Error(`${response.status}`);
  return (await response.json()) as Tokens;
}

function keep(to: Offer, tokens: Tokens): void {
  const token = to.token === "id" ? tokens.id_token : tokens.access_token;
  if (!token) throw new Error("no token");
  const before = session()?.provider;
  window.sessionStorage.removeItem(TRIED);
  signIn(token, { refresh: tokens.refresh_token ?? before?.refresh, id: tokens.id_token ?? before?.id });
}

/** What a token says of itself; the server alone decides whether that is true. */
function claims(token: string): Record<string, unknown> {
  try {
    const part = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(part)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
