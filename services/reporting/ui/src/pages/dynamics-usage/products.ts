import { create } from "@bufbuild/protobuf";

import { Dimension, FilterSchema, type Filter } from "../../gen/insights/metrics/v1/query_pb";

/** The products of the page as filters of a query. */
export const productFilters = (products: string[]): Filter[] =>
  products.length === 0 ? [] : [create(FilterSchema, { dimension: Dimension.PRODUCT, values: products.map((value) => ({ value })) })];
