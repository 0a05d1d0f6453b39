// The words of the product for what the API numbers.
import { Basis, Dimension, Measure, Reason, Scope, Source } from "../gen/insights/metrics/v1/query_pb";
import { ChangeKind, Figure, UndefinedReason } from "../gen/insights/reporting/v1/dashboards_pb";
import { Role } from "../gen/insights/access/v1/options_pb";

export const dimensions: { name: string; dimension: Dimension; label: string }[] = [
  { name: "country", dimension: Dimension.COUNTRY, label: "Market" },
  { name: "segment", dimension: Dimension.SEGMENT, label: "Segment" },
  { name: "industry", dimension: Dimension.INDUSTRY, label: "Industry" },
  { name: "customer", dimension: Dimension.CUSTOMER, label: "Customer" },
  { name: "product", dimension: Dimension.PRODUCT, label: "Product" },
  { name: "sku", dimension: Dimension.SKU, label: "SKU" },
  { name: "service", dimension: Dimension.SERVICE, label: "Service" },
  { name: "location", dimension: Dimension.LOCATION, label: "Partner location" },
  { name: "attribution_type", dimension: Dimension.ATTRIBUTION_TYPE, label: "Attribution type" },
  { name: "sales_channel", dimension: Dimension.SALES_CHANNEL, label: "Sales channel" },
  { name: "pricing_model", dimension: Dimension.PRICING_MODEL, label: "Pricing model" },
  { name: "seller", dimension: Dimension.SELLER, label: "Seller" },
  { name: "trial", dimension: Dimension.TRIAL, label: "Trial" },
  { name: "standing", dimension: Dimension.STANDING, label: "Standing" },
  { name: "subscription", dimension: Dimension.SUBSCRIPTION, label: "Subscription" },
];

export const dimensionLabel = (dimension: Dimension): string =>
  dimensions.find((entry) => entry.dimension === dimension)?.label ?? "";

export const undefinedReasons: Record<UndefinedReason, string> = {
  [UndefinedReason.UNSPECIFIED]: "",
  [UndefinedReason.SEATS_BY_SERVICE]: "Seats are not defined by service.",
  [UndefinedReason.TOO_MANY_GROUPS]: "There are too many groups to ask for together.",
};

export const figures: Record<Figure, { label: string; meaning: string }> = {
  [Figure.UNSPECIFIED]: { label: "", meaning: "" },
  [Figure.CUSTOMERS]: {
    label: "Customers",
    meaning: "Customers with at least one active subscription at the end of the last month.",
  },
  [Figure.ACTIVE_CUSTOMERS]: {
    label: "Active customers",
    meaning: "Those of them with use in the 28 days before the end of the last month.",
  },
  [Figure.CUSTOMERS_ADDED]: {
    label: "Customers added",
    meaning: "Customers counted at the end of a month and not of the one before, summed over the range.",
  },
  [Figure.CUSTOMERS_CHURNED]: {
    label: "Customers churned",
    meaning: "Customers counted at the end of a month and no longer at the end of the next, summed over the range.",
  },
  [Figure.NET_ADDED]: { label: "Net added", meaning: "Customers added less customers churned." },
  [Figure.LAST_MONTH_CHURN]: {
    label: "Churned in the last month",
    meaning: "Customers counted at the end of the month before the last and no longer at the end of the last.",
  },
  [Figure.SUBSCRIPTIONS]: { label: "Subscriptions", meaning: "Active subscriptions at the end of the last month." },
  [Figure.AVAILABLE_SEATS]: {
    label: "Available seats",
    meaning: "Seats of subscriptions in good standing: active, neither trial nor free.",
  },
  [Figure.ASSIGNED_SEATS]: { label: "Assigned seats", meaning: "Users who hold one of the available seats." },
  [Figure.ACTIVE_SEATS]: {
    label: "Active seats",
    meaning: "Seats whose holder used a service of the SKU in the 28-day window, whatever the standing.",
  },
  [Figure.ACTIVE_USAGE_PERCENT]: { label: "Active usage %", meaning: "Active seats over available seats." },
  [Figure.DEPLOYMENT_PERCENT]: { label: "Deployment %", meaning: "Assigned seats over available seats." },
  [Figure.USAGE_PERCENT_USERS]: { label: "Usage % · users", meaning: "Active users over total users." },
  [Figure.USAGE_PERCENT_ENTITLEMENTS]: {
    label: "Usage % · entitlements",
    meaning: "Active entitlements over total entitlements.",
  },
  [Figure.ACTIVE_USERS]: {
    label: "Active users",
    meaning: "Distinct users with use in the 28-day window, licensed or not.",
  },
  [Figure.TOTAL_USERS]: { label: "Total users", meaning: "Distinct users who hold a licence in good standing." },
  [Figure.DEPLOYMENT_OPPORTUNITY]: { label: "Unassigned seats", meaning: "Available seats that nobody holds yet." },
  [Figure.IDLE_SEATS]: {
    label: "Idle seats",
    meaning: "Assigned seats whose holder did not use them in the 28-day window.",
  },
};

export const measures: Record<Measure, string> = {
  [Measure.UNSPECIFIED]: "",
  [Measure.CUSTOMERS]: "Customers",
  [Measure.ACTIVE_CUSTOMERS]: "Active customers",
  [Measure.NEW]: "New",
  [Measure.EXISTING]: "Existing",
  [Measure.CHURNED]: "Churned",
  [Measure.RETURNING]: "Returning",
  [Measure.SUBSCRIPTIONS]: "Subscriptions",
  [Measure.AVAILABLE]: "Available",
  [Measure.ASSIGNED]: "Assigned",
  [Measure.ACTIVE]: "Active",
  [Measure.NEW_SEATS]: "New seats",
  [Measure.DEPLOYMENT_OPPORTUNITY]: "Unassigned",
  [Measure.ACTIVE_USAGE_PERCENT]: "Active usage %",
  [Measure.DEPLOYMENT_PERCENT]: "Deployment %",
  [Measure.ACTIVE_USERS]: "Active users",
  [Measure.TOTAL_USERS]: "Total users",
  [Measure.USAGE_PERCENT]: "Usage % · users",
  [Measure.ACTIVE_ENTITLEMENTS]: "Active entitlements",
  [Measure.TOTAL_ENTITLEMENTS]: "Total entitlements",
  [Measure.BILLED_REVENUE]: "Billed revenue",
  [Measure.IDLE_SEATS]: "Idle",
};

export const reasons: Record<Reason, { label: string; meaning: string }> = {
  [Reason.UNSPECIFIED]: { label: "Other", meaning: "" },
  [Reason.TRIAL]: { label: "Trial", meaning: "Use on a trial, which does not count towards the total." },
  [Reason.NOT_IN_GOOD_STANDING]: {
    label: "Not in good standing",
    meaning: "Use on a subscription in grace, suspended, disabled or upgraded.",
  },
  [Reason.FREE]: { label: "Free SKU", meaning: "Use on a free SKU, which does not count towards the total." },
  [Reason.LICENSE_TRANSFERRED]: {
    label: "Licence transferred",
    meaning: "Used while holding a licence that somebody else holds now.",
  },
  [Reason.UNLICENSED_USE]: { label: "Use without a licence", meaning: "Used without holding a licence." },
  [Reason.OVER_ASSIGNED]: { label: "Assigned beyond the seats", meaning: "More users hold a seat than were sold." },
};

export const basisName: Record<Basis, string> = {
  [Basis.UNSPECIFIED]: "users",
  [Basis.USERS]: "users",
  [Basis.ENTITLEMENTS]: "entitlements",
};

export const sourceName: Record<Source, string> = {
  [Source.UNSPECIFIED]: "",
  [Source.COMPUTED]: "computed from detail",
  [Source.REPORTED]: "as reported",
  [Source.MIXED]: "computed and reported",
};

export const scopeName: Record<Scope, string> = {
  [Scope.UNSPECIFIED]: "",
  [Scope.SOLD_OR_MANAGED]: "sold or managed by you",
  [Scope.ALL_SELLERS]: "all sellers",
  [Scope.OWN]: "sold by you",
};

export const changeMeaning: Record<ChangeKind, string> = {
  [ChangeKind.UNSPECIFIED]: "",
  [ChangeKind.STOCK]: "against the end of",
  [ChangeKind.FLOW]: "against",
  [ChangeKind.CHURN]: "of the customers at the end of",
  [ChangeKind.POINTS]: "against the end of",
};

export const roleName: Record<Role, string> = {
  [Role.UNSPECIFIED]: "No role",
  [Role.GLOBAL_ADMIN]: "Global admin",
  [Role.ACCOUNT_ADMIN]: "Account admin",
  [Role.USER_MANAGEMENT_ADMIN]: "User management admin",
  [Role.ADMIN_AGENT]: "Admin agent",
  [Role.SALES_AGENT]: "Sales agent",
  [Role.REPORT_VIEWER]: "Report viewer",
  [Role.EXECUTIVE_REPORT_VIEWER]: "Executive report viewer",
  [Role.DATA_SOURCE]: "Data source",
};
