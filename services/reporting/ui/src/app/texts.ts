// The page's own words, out of the product's Fluent files (build/messages.mjs). Words of the product come from the API (words.tsx).
import { messages, type Texts } from "../gen/messages";
import { language } from "./language";

export type { Texts };

/** The words in the page's language; the page is drawn anew when that changes. */
export const texts = (): Texts => messages[language()];
