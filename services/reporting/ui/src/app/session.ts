// The token of the session, kept in the session storage of this tab.
import { useSyncExternalStore } from "react";

const KEY = "partner-insights-token";
const listeners = new Set<() => void>();

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

export const token = (): string | null => window.sessionStorage.getItem(KEY);

export function signIn(text: string): void {
  window.sessionStorage.setItem(KEY, text.trim());
  listeners.forEach((changed) => changed());
}

export function signOut(): void {
  window.sessionStorage.removeItem(KEY);
  listeners.forEach((changed) => changed());
}

export const useToken = (): string | null => useSyncExternalStore(subscribe, token);

/** A ready sign-in of the demo. */
export type DevelopmentToken = { role: string; name: string; token: string };

/** The demo's sign-ins; none outside a demo. */
export async function developmentTokens(signal: AbortSignal): Promise<DevelopmentToken[]> {
  const response = await fetch("/dev/tokens.json", { signal, headers: { accept: "application/json" } });
  if (!response.ok) return [];
  const body: unknown = await response.json();
  return Array.isArray(body) ? body.filter(isToken) : [];
}

function isToken(entry: unknown): entry is DevelopmentToken {
  return (
    typeof entry === "object" &&
    entry !== null &&
    ["role", "name", "token"].every((key) => typeof (entry as Record<string, unknown>)[key] === "string")
  );
}
