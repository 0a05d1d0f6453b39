// The language of the page: the chosen one, else the first that the browser prefers and the product speaks.
import { useSyncExternalStore } from "react";

const KEY = "partner-insights-language";

/** The languages of the product, each by its own name. */
export const languages = { en: "English", pt: "Português" } as const;

export type Language = keyof typeof languages;

const listeners = new Set<() => void>();

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

const spoken = (tag: string | null): Language | undefined => {
  const primary = tag?.split("-")[0]?.toLowerCase() ?? "";
  return primary in languages ? (primary as Language) : undefined;
};

/** The language of now. */
export function language(): Language {
  const preferred = window.navigator.languages.map(spoken).find((found) => found !== undefined);
  return spoken(window.localStorage.getItem(KEY)) ?? preferred ?? "en";
}

export function chooseLanguage(next: Language): void {
  window.localStorage.setItem(KEY, next);
  listeners.forEach((changed) => changed());
}

export const useLanguage = (): Language => useSyncExternalStore(subscribe, language);
