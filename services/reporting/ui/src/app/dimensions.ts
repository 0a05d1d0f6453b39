// The dimensions that a page can be filtered by, in the order in which they are offered, with their names in the URL.
import { Dimension } from "../gen/insights/metrics/v1/query_pb";

export const dimensions: { name: string; dimension: Dimension }[] = [
  { name: "country", dimension: Dimension.COUNTRY },
  { name: "segment", dimension: Dimension.SEGMENT },
  { name: "industry", dimension: Dimension.INDUSTRY },
  { name: "customer", dimension: Dimension.CUSTOMER },
  { name: "product", dimension: Dimension.PRODUCT },
  { name: "sku", dimension: Dimension.SKU },
  { name: "service", dimension: Dimension.SERVICE },
  { name: "location", dimension: Dimension.LOCATION },
  { name: "attribution_type", dimension: Dimension.ATTRIBUTION_TYPE },
  { name: "sales_channel", dimension: Dimension.SALES_CHANNEL },
  { name: "pricing_model", dimension: Dimension.PRICING_MODEL },
  { name: "seller", dimension: Dimension.SELLER },
  { name: "trial", dimension: Dimension.TRIAL },
  { name: "standing", dimension: Dimension.STANDING },
  { name: "subscription", dimension: Dimension.SUBSCRIPTION },
];
