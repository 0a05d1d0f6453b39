//! What dimensions belong to.

use insights_proto::metrics::v1::Dimension;

/// Dimensions of the product, the SKU and the service.
pub const WHAT_LEVEL: [Dimension; 3] = [Dimension::Product, Dimension::Sku, Dimension::Service];

/// Dimensions whose value may change with a subscription's state.
pub const FLAGS_LEVEL: [Dimension; 2] = [Dimension::Trial, Dimension::Standing];

/// Dimensions of a customer, and the subscription itself.
pub const VARYING: [Dimension; 5] =
    [Dimension::Country, Dimension::Segment, Dimension::Industry, Dimension::Customer, Dimension::Subscription];

/// Dimensions of a subscription.
pub const SUBSCRIPTION_LEVEL: [Dimension; 8] = [
    Dimension::Location,
    Dimension::AttributionType,
    Dimension::SalesChannel,
    Dimension::PricingModel,
    Dimension::Seller,
    Dimension::Trial,
    Dimension::Standing,
    Dimension::Subscription,
];
