//! Texts of customers and subscriptions that stand in columns of codes.

use crate::rollups::header::{CustomerHeader, SubscriptionHeader};

/// A text of a customer that can be filtered on and grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum CustomerText {
    Country,
    Segment,
    Industry,
}

impl CustomerText {
    pub const ALL: [Self; 3] = [Self::Country, Self::Segment, Self::Industry];

    pub const fn of(self, customer: &CustomerHeader) -> &Option<String> {
        match self {
            Self::Country => &customer.country,
            Self::Segment => &customer.segment,
            Self::Industry => &customer.industry,
        }
    }
}

/// A text of a subscription that can be filtered on and grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum SubscriptionText {
    SalesChannel,
    PricingModel,
}

impl SubscriptionText {
    pub const ALL: [Self; 2] = [Self::SalesChannel, Self::PricingModel];

    pub const fn of(self, subscription: &SubscriptionHeader) -> &Option<String> {
        match self {
            Self::SalesChannel => &subscription.sales_channel,
            Self::PricingModel => &subscription.pricing_model,
        }
    }
}

/// Codes of a customer's texts, by [`CustomerText`].
pub type CustomerTexts = [u32; CustomerText::ALL.len()];
/// Codes of a subscription's texts, by [`SubscriptionText`].
pub type SubscriptionTexts = [u32; SubscriptionText::ALL.len()];
