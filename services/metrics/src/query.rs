//! A question past its checks: nothing in it is a raw string or number that may be wrong.

use insights_domain::calendar::Month;
use insights_domain::standing::Switches;
use insights_proto::metrics::v1::{self, Dimension, Measure};

/// The base of `usage_percent`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Active users over total users.
    #[default]
    Users,
    /// Active entitlements over total entitlements.
    Entitlements,
}

/// Which subscriptions are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Seller is own, or at least one attribution.
    SoldOrManaged,
    /// Every subscription.
    #[default]
    AllSellers,
    /// Seller is own.
    Own,
}

/// Values of one dimension, any of which will do; none at all: nothing will.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// The dimension.
    pub dimension: Dimension,
    /// The values; `None` is the missing value.
    pub values: Vec<Option<String>>,
}

/// A question. Its enums are never `Unspecified`, its months are in order, it has at most one filter per dimension.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// What to measure, in the order of the answer.
    pub measures: Vec<Measure>,
    /// What to split by, in the order of the answer.
    pub group_by: Vec<Dimension>,
    /// First month.
    pub from: Month,
    /// Last month.
    pub to: Month,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// The base of `usage_percent`.
    pub basis: Basis,
    /// Which subscriptions are looked at.
    pub scope: Scope,
    /// What counts as good standing.
    pub switches: Switches,
    /// Only the groups that rank highest.
    pub top: Option<Top>,
    /// Only some groups, in the order of their values.
    pub slice: Option<Slice>,
    /// The last measure is there for its rows alone and is not told.
    pub hidden: bool,
}

/// The first groups after a place in the order of their values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The values of the group before the first; empty: from the beginning.
    pub after: Vec<Option<String>>,
    /// How many groups.
    pub count: usize,
}

/// The groups that rank highest by a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Top {
    /// A count or billed revenue.
    pub measure: Measure,
    /// How many groups.
    pub count: usize,
}

impl Query {
    /// The values asked for of a dimension, if it is filtered.
    pub fn filter(&self, dimension: Dimension) -> Option<&Filter> {
        self.filters.iter().find(|filter| filter.dimension == dimension)
    }
}

impl From<Basis> for v1::Basis {
    fn from(basis: Basis) -> Self {
        match basis {
            Basis::Users => Self::Users,
            Basis::Entitlements => Self::Entitlements,
        }
    }
}
