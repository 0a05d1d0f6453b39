// Names of values that are ids, remembered from the answers, so that chips of ids can show them.
import { useSyncExternalStore } from "react";

import { Dimension } from "../gen/insights/metrics/v1/query_pb";
import { reporting } from "./client";
import { dimensions } from "./dimensions";
import { language } from "./language";
import { texts, type Texts } from "./texts";
import { NONE } from "./url";

/** Dimensions whose values are ids or codes with names of their own. */
const named = [Dimension.CUSTOMER, Dimension.SKU, Dimension.LOCATION, Dimension.COUNTRY];

const names = new Map<string, string>();
const asked = new Set<string>();
const listeners = new Set<() => void>();
let version = 0;

const keyOf = (parameter: string, value: string): string => `${language()}/${parameter}=${value}`;

export function remember(parameter: string, value: string | undefined, name: string): void {
  if (!name || value === undefined || names.get(keyOf(parameter, value)) === name) return;
  names.set(keyOf(parameter, value), name);
  version += 1;
  queueMicrotask(() => listeners.forEach((changed) => changed()));
}

/** Asks for the name of a value that stands in the address alone. */
function askFor(parameter: string, value: string): void {
  const dimension = dimensions.find(({ name }) => name === parameter)?.dimension ?? Dimension.UNSPECIFIED;
  const key = keyOf(parameter, value);
  if (!named.includes(dimension) || value === NONE || names.has(key) || asked.has(key)) return;
  asked.add(key);
  reporting
    .listFilterValues({ dimension, search: value })
    .then(({ values }) => remember(parameter, value, values.find((entry) => entry.value?.value === value)?.name ?? ""))
    .catch(() => asked.delete(key));
}

/** Words for values that are words of the product. */
const words: Record<string, (text: Texts) => string> = {
  "trial=true": (text) => text.valueTrial,
  "trial=false": (text) => text.valuePaid,
  "seller=own": (text) => text.valueOwn,
  "seller=other": (text) => text.valueOther,
  "seller=direct": (text) => text.valueDirect,
};

/** What a value of a dimension is called. */
export function valueText(parameter: string, value: string | undefined, name = ""): string {
  if (value === undefined || value === NONE) return texts().missing;
  remember(parameter, value, name);
  return name || words[`${parameter}=${value}`]?.(texts()) || (names.get(keyOf(parameter, value)) ?? value);
}

/** The same for a value of the address, whose name may have to be asked for. */
export function useValueText(parameter: string, value: string): string {
  useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    () => version,
  );
  askFor(parameter, value);
  return valueText(parameter, value);
}
