//! What measures and dimensions of the API mean in the words of the domain. The matches name every variant, so that a new one
//! does not compile before its meaning stands here.

use insights_domain::filter_value::ValueKind;
use insights_domain::measures::Subject;

use crate::metrics::v1::{Basis, Dimension, Measure};

impl Dimension {
    /// How values of the dimension are compared with those of a filter.
    pub const fn value_kind(self) -> ValueKind {
        match self {
            Self::Trial => ValueKind::Flag,
            Self::Seller => ValueKind::Seller,
            Self::Standing => ValueKind::Standing,
            Self::Country => ValueKind::Country,
            Self::Service => ValueKind::Service,
            Self::Customer | Self::Sku | Self::Location | Self::Subscription => ValueKind::Id,
            Self::Unspecified
            | Self::Segment
            | Self::Industry
            | Self::Product
            | Self::AttributionType
            | Self::SalesChannel
            | Self::PricingModel => ValueKind::Text,
        }
    }
}

impl Measure {
    /// What the measure counts; `None` for the unspecified one. `basis` decides for `usage_percent`, which counts users by
    /// default.
    pub const fn subject(self, basis: Basis) -> Option<Subject> {
        Some(match self {
            Self::Unspecified => return None,
            Self::Customers | Self::ActiveCustomers | Self::New | Self::Existing | Self::Churned | Self::Returning => {
                Subject::Customers
            }
            Self::Subscriptions => Subject::Subscriptions,
            Self::Available
            | Self::Assigned
            | Self::Active
            | Self::NewSeats
            | Self::DeploymentOpportunity
            | Self::IdleSeats
            | Self::ActiveUsagePercent
            | Self::DeploymentPercent
            | Self::ActiveEntitlements
            | Self::TotalEntitlements => Subject::Seats,
            Self::BilledRevenue => Subject::Revenue,
            Self::ActiveUsers | Self::TotalUsers => Subject::Users,
            Self::UsagePercent => match basis {
                Basis::Entitlements => Subject::Seats,
                Basis::Unspecified | Basis::Users => Subject::Users,
            },
        })
    }

    /// Whether the measure counts what happened in a month and is summed over a range of months; else it is a stock at a month's
    /// end, or a ratio.
    pub const fn is_flow(self) -> bool {
        match self {
            Self::New | Self::Churned | Self::Returning | Self::NewSeats | Self::BilledRevenue => true,
            Self::Unspecified
            | Self::Customers
            | Self::ActiveCustomers
            | Self::Existing
            | Self::Subscriptions
            | Self::Available
            | Self::Assigned
            | Self::Active
            | Self::DeploymentOpportunity
            | Self::IdleSeats
            | Self::ActiveUsagePercent
            | Self::DeploymentPercent
            | Self::ActiveEntitlements
            | Self::TotalEntitlements
            | Self::ActiveUsers
            | Self::TotalUsers
            | Self::UsagePercent => false,
        }
    }

    /// Whether the measure is a ratio of two others.
    pub const fn is_percentage(self) -> bool {
        matches!(self, Self::ActiveUsagePercent | Self::DeploymentPercent | Self::UsagePercent)
    }
}
