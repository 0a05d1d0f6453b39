//! What a query needs of the columns.

use insights_proto::metrics::v1::Measure;

use crate::cube::compile::compiled_query::CompiledQuery;
use crate::query::Basis;

/// What is summed up; the accumulators know the order of those of customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// In the first column those of that month; else what a month has more than the one before, until `finish`.
    Customers,
    ActiveCustomers,
    New,
    Churned,
    Returning,
    /// What a month has more than the one before, until `finish`.
    Subscriptions,
    Available,
    Assigned,
    Active,
    DeploymentOpportunity,
    IdleSeats,
    ActiveUsers,
    TotalUsers,
}

/// How many there are.
pub const SUMS: usize = Sum::TotalUsers as usize + 1;

/// Sums over seats.
const SEATS: [Sum; 5] = [Sum::Available, Sum::Assigned, Sum::Active, Sum::DeploymentOpportunity, Sum::IdleSeats];

/// What a query needs of the columns.
#[derive(Clone, Debug)]
pub struct Projection {
    /// What is summed up.
    sums: Vec<Sum>,
    /// In which months customers count.
    pub customers: bool,
    pub subscriptions: bool,
    /// Seats or reasons of them.
    pub seats: bool,
    pub users: bool,
    pub revenue: bool,
    /// Reasons are wanted, beside figures.
    pub explained: bool,
    /// Reasons on the entitlements basis.
    pub seat_reasons: bool,
    /// Which kinds of source tell where the answer is from.
    pub sources: SourceKinds,
    /// Seats with use are summed up.
    pub active_seats: bool,
    /// Seats with use, of which there may be more than is known.
    pub bounded_seats: bool,
    /// Something is asked for that rests on reports of seats.
    pub carried: bool,
}

/// Kinds of figures whose source matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct SourceKinds {
    /// Standing and seats.
    pub standing: bool,
    /// Seats assigned.
    pub assigned: bool,
    /// Seats with use.
    pub active: bool,
}

impl SourceKinds {
    pub const fn any(self) -> bool {
        self.standing || self.assigned || self.active
    }
}

impl Projection {
    /// `explained`: why, beside how many.
    pub fn of(compiled: &CompiledQuery<'_>, explained: bool) -> Self {
        use Measure as M;
        let query = compiled.query();
        let asks = |wanted: &[Measure]| query.measures.iter().any(|measure| wanted.contains(measure));
        let entitlements = query.basis == Basis::Entitlements;
        let usage = asks(&[M::UsagePercent]);
        let without_standing = [M::Active, M::ActiveEntitlements, M::BilledRevenue];
        let measures = query.measures.iter();
        let mut sums: Vec<Sum> = measures.flat_map(|measure| sums_of(*measure, query.basis)).copied().collect();
        sums.dedup();
        let sums_one = |wanted: &[Sum]| sums.iter().any(|sum| wanted.contains(sum));
        Self {
            customers: sums_one(&[Sum::Customers, Sum::ActiveCustomers, Sum::New, Sum::Churned, Sum::Returning]),
            subscriptions: sums_one(&[Sum::Subscriptions]),
            seats: explained || sums_one(&SEATS),
            users: sums_one(&[Sum::ActiveUsers, Sum::TotalUsers]),
            revenue: asks(&[M::BilledRevenue]) && compiled.view().revenue,
            explained,
            seat_reasons: explained && (entitlements || !usage),
            sources: SourceKinds {
                standing: query.measures.iter().any(|measure| !without_standing.contains(measure)),
                assigned: asks(&[M::Assigned, M::DeploymentPercent, M::DeploymentOpportunity, M::IdleSeats]),
                active: asks(&[M::Active, M::ActiveEntitlements, M::ActiveUsagePercent, M::ActiveCustomers])
                    || asks(&[M::IdleSeats])
                    || usage && entitlements,
            },
            active_seats: sums_one(&[Sum::Active]),
            bounded_seats: asks(&[M::Active, M::ActiveEntitlements, M::ActiveUsagePercent, M::IdleSeats])
                || usage && entitlements,
            carried: query.measures.iter().any(|measure| *measure != M::BilledRevenue),
            sums,
        }
    }

    /// What a ranking needs: scores alone, not where they are from.
    pub fn for_scores(self) -> Self {
        Self { sources: SourceKinds::default(), bounded_seats: false, ..self }
    }

    pub fn all_sums(&self) -> &[Sum] {
        &self.sums
    }

    pub fn sums(&self, sum: Sum) -> bool {
        self.sums.contains(&sum)
    }
}

/// What a measure is worked out from.
fn sums_of(measure: Measure, basis: Basis) -> &'static [Sum] {
    match measure {
        Measure::Unspecified | Measure::BilledRevenue => &[],
        Measure::Customers => &[Sum::Customers],
        Measure::ActiveCustomers => &[Sum::ActiveCustomers],
        Measure::New => &[Sum::New],
        Measure::Existing => &[Sum::Customers, Sum::New],
        Measure::Churned => &[Sum::Churned],
        Measure::Returning => &[Sum::Returning],
        Measure::Subscriptions => &[Sum::Subscriptions],
        Measure::Available | Measure::TotalEntitlements | Measure::NewSeats => &[Sum::Available],
        Measure::Assigned => &[Sum::Assigned],
        Measure::Active | Measure::ActiveEntitlements => &[Sum::Active],
        Measure::DeploymentOpportunity => &[Sum::DeploymentOpportunity],
        Measure::IdleSeats => &[Sum::IdleSeats],
        Measure::ActiveUsagePercent => &[Sum::Active, Sum::Available],
        Measure::DeploymentPercent => &[Sum::Assigned, Sum::Available],
        Measure::ActiveUsers => &[Sum::ActiveUsers],
        Measure::TotalUsers => &[Sum::TotalUsers],
        Measure::UsagePercent => match basis {
            Basis::Users => &[Sum::ActiveUsers, Sum::TotalUsers],
            Basis::Entitlements => &[Sum::Active, Sum::Available],
        },
    }
}
