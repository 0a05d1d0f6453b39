// The products of the catalogue.
import { Dimension } from "../gen/insights/metrics/v1/query_pb";
import { reporting } from "./client";

export async function allProducts(signal: AbortSignal): Promise<string[]> {
  const { values } = await reporting.listFilterValues({ dimension: Dimension.PRODUCT }, { signal });
  return values.flatMap(({ value }) => value?.value ?? []);
}
