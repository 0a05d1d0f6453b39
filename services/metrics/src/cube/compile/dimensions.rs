//! The column that each dimension stands in. How a dimension is filtered on, grouped by and spelled follows from its column, in
//! matches without a wildcard: a new one does not compile before each of them knows it.

use insights_proto::metrics::v1::Dimension;

use crate::cube::data::columns::{CustomerText, SubscriptionText};

/// Where the values of a dimension come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DimensionColumn {
    /// That of the unspecified dimension, which no query has.
    Unspecified,
    /// A text of the customer.
    CustomerText(CustomerText),
    /// The customer itself, by id.
    Customer,
    /// A text of the subscription.
    SubscriptionText(SubscriptionText),
    /// The subscription itself, by id.
    Subscription,
    /// Who sold the subscription.
    Seller,
    /// The location of one of the attributions.
    Location,
    /// The type of one of the attributions.
    AttributionType,
    /// The trial flag in force.
    Trial,
    /// The standing in force.
    Standing,
    /// The product of the SKU in force.
    Product,
    /// The SKU in force.
    Sku,
    /// One of the services of the SKU in force.
    Service,
}

/// What a dimension divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Customers: each has one value.
    Customer,
    /// Subscriptions of a customer.
    Subscription,
    /// Products, SKUs and services.
    Product,
}

impl From<Dimension> for DimensionColumn {
    fn from(dimension: Dimension) -> Self {
        match dimension {
            Dimension::Unspecified => Self::Unspecified,
            Dimension::Country => Self::CustomerText(CustomerText::Country),
            Dimension::Segment => Self::CustomerText(CustomerText::Segment),
            Dimension::Industry => Self::CustomerText(CustomerText::Industry),
            Dimension::Customer => Self::Customer,
            Dimension::Product => Self::Product,
            Dimension::Sku => Self::Sku,
            Dimension::Service => Self::Service,
            Dimension::Location => Self::Location,
            Dimension::AttributionType => Self::AttributionType,
            Dimension::SalesChannel => Self::SubscriptionText(SubscriptionText::SalesChannel),
            Dimension::PricingModel => Self::SubscriptionText(SubscriptionText::PricingModel),
            Dimension::Seller => Self::Seller,
            Dimension::Trial => Self::Trial,
            Dimension::Standing => Self::Standing,
            Dimension::Subscription => Self::Subscription,
        }
    }
}

/// Columns other than texts.
const OTHERS: usize = 11;

impl DimensionColumn {
    /// How many columns there are.
    pub const COUNT: usize = OTHERS + CustomerText::ALL.len() + SubscriptionText::ALL.len();

    /// Its place in a table by column.
    pub const fn index(self) -> usize {
        match self {
            Self::Unspecified => 0,
            Self::Customer => 1,
            Self::Subscription => 2,
            Self::Seller => 3,
            Self::Location => 4,
            Self::AttributionType => 5,
            Self::Trial => 6,
            Self::Standing => 7,
            Self::Product => 8,
            Self::Sku => 9,
            Self::Service => 10,
            Self::CustomerText(text) => OTHERS + text as usize,
            Self::SubscriptionText(text) => OTHERS + CustomerText::ALL.len() + text as usize,
        }
    }

    /// What it divides.
    pub const fn level(self) -> Level {
        match self {
            Self::Unspecified | Self::CustomerText(_) | Self::Customer => Level::Customer,
            Self::SubscriptionText(_)
            | Self::Subscription
            | Self::Seller
            | Self::Location
            | Self::AttributionType
            | Self::Trial
            | Self::Standing => Level::Subscription,
            Self::Product | Self::Sku | Self::Service => Level::Product,
        }
    }

    /// Its value may change with a subscription's state, from one month to the next.
    pub const fn is_state(self) -> bool {
        match self {
            Self::Trial | Self::Standing => true,
            Self::Unspecified
            | Self::CustomerText(_)
            | Self::Customer
            | Self::SubscriptionText(_)
            | Self::Subscription
            | Self::Seller
            | Self::Location
            | Self::AttributionType
            | Self::Product
            | Self::Sku
            | Self::Service => false,
        }
    }

    /// A subscription may have several of its values, so that groups overlap.
    pub const fn has_several(self) -> bool {
        match self {
            Self::Location | Self::AttributionType | Self::Service => true,
            Self::Unspecified
            | Self::CustomerText(_)
            | Self::Customer
            | Self::SubscriptionText(_)
            | Self::Subscription
            | Self::Seller
            | Self::Trial
            | Self::Standing
            | Self::Product
            | Self::Sku => false,
        }
    }

    /// Each value belongs to one customer.
    pub const fn is_within_customers(self) -> bool {
        matches!(self, Self::Customer | Self::Subscription)
    }

    /// Its values are those of the customer or the subscription itself, not of what many subscriptions share.
    pub const fn is_own(self) -> bool {
        matches!(self.level(), Level::Customer) || matches!(self, Self::Subscription)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_has_a_place_of_its_own() {
        let dimensions: Vec<Dimension> = (0..1_000).filter_map(|number| Dimension::try_from(number).ok()).collect();
        let mut places: Vec<usize> = dimensions.iter().map(|it| DimensionColumn::from(*it).index()).collect();
        places.sort_unstable();
        assert_eq!(places, (0..dimensions.len()).collect::<Vec<_>>());
        assert_eq!(dimensions.len(), DimensionColumn::COUNT);
    }

    #[test]
    fn texts_stand_at_their_places() {
        assert_eq!(CustomerText::ALL.map(|text| text as usize), std::array::from_fn(|at| at));
        assert_eq!(SubscriptionText::ALL.map(|text| text as usize), std::array::from_fn(|at| at));
    }
}
