//! One customer's facts rolled up to the two grains every measure is a sum over:
//! (subscription, month), and (customer, month) with classes of users.

use crate::amount::Amount;
use crate::calendar::{Day, Month, Window};
use crate::facts::{
    Attribution, BySku, Catalogue, CustomerFacts, ReportedSeats, ReportedUsage, Revenue, Seller, ServiceNumber,
    SkuNumber, State, SubscriptionFacts, SubscriptionNumber,
};
use crate::standing::Standing;
use crate::user_classes::UserMonth;

/// Months of history that give figures, that of `complete_through` included.
pub const HISTORY_MONTHS: i32 = 128;

/// One customer in one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonthRollup {
    /// What is known of its subscriptions on the month's snapshot day, by number.
    pub subscriptions: Vec<SubscriptionMonth>,
    /// Its users by what they did and held, without who they are; sorted.
    pub classes: Vec<UserClass>,
    /// Services with activity in the window, by anybody; sorted.
    pub active_services: Vec<ServiceNumber>,
    /// Services whose use in the window may be greater than what is known of it; sorted.
    pub lower_bound_services: Vec<ServiceNumber>,
    /// Reported users where they serve, by service.
    pub reported_usage: Vec<UsageMonth>,
}

impl MonthRollup {
    /// Nothing is known of the month.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A subscription on a month's snapshot day, whatever its standing.
// House: one row of the grain that every measure is summed from; its fields are the columns of the rollup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionMonth {
    /// The subscription.
    pub subscription: SubscriptionNumber,
    /// The SKU in force.
    pub sku: SkuNumber,
    /// The standing.
    pub standing: Standing,
    /// The trial flag in force.
    pub trial: bool,
    /// A state by that day, or a reported row that serves.
    pub has_state: bool,
    /// UserSeats sold.
    pub seats: u32,
    /// Users assigned.
    pub assigned: u32,
    /// Distinct users who used a service of the SKU in the window while they held it.
    pub active: u32,
    /// Those of them still assigned on the day.
    pub active_assigned: u32,
    /// What comes from a report.
    pub reported: Reported,
    /// The seller, where the month has its own.
    pub seller: Option<Seller>,
    /// The attributions, where the month has its own.
    pub attributions: Vec<Attribution>,
    /// Billed revenue of the month by currency, sorted.
    pub revenue: Vec<(String, Amount)>,
}

/// Which kinds of a subscription-month's figures come from a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reported {
    /// Standing and seats.
    pub seats: bool,
    /// Assigned.
    pub assigned: bool,
    /// Active.
    pub active: bool,
}

/// Users of one customer and month who did and held the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserClass {
    /// Services used in the window; sorted.
    pub active_services: Vec<ServiceNumber>,
    /// Subscriptions held on the snapshot day; sorted.
    pub held: Vec<SubscriptionNumber>,
    /// Subscriptions held in the window and not on that day; sorted.
    pub held_before: Vec<SubscriptionNumber>,
    /// Services licensed on that day without a subscription; sorted.
    pub licensed: Vec<ServiceNumber>,
    /// Services so licensed in the window and not on that day; sorted.
    pub licensed_before: Vec<ServiceNumber>,
    /// How many users.
    pub users: u32,
}

/// Reported users of a service and month, each where it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageMonth {
    /// The service.
    pub service: ServiceNumber,
    /// Monthly active users, where no activity by the day is known.
    pub active_users: Option<u32>,
    /// Paid units available, where no assignment or licence by the day is known.
    pub total_users: Option<u32>,
    /// Attributions of the row; none: those of the customer's subscriptions decide.
    pub attributions: Vec<Attribution>,
}

/// The earliest month that history reaches.
pub const fn history_floor(complete_through_month: Month) -> Month {
    complete_through_month.plus(1 - HISTORY_MONTHS)
}

/// Rolls up the months `from` … that of `complete_through` (at most [`HISTORY_MONTHS`]), in order, without those of which nothing is known.
pub fn roll_up(
    facts: &CustomerFacts,
    catalogue: &Catalogue,
    complete_through: Day,
    from: Month,
) -> Vec<(Month, MonthRollup)> {
    let last = complete_through.month();
    let first = match first_month(facts) {
        Some(first) if facts.known => first.max(from).max(history_floor(last)),
        _ => return Vec::new(),
    };
    let customer = CustomerRollup { facts, catalogue };
    (first.index()..=last.index())
        .filter_map(Month::from_index)
        .map(|month| (month, customer.month(month, month.snapshot_day(complete_through))))
        .filter(|(_, rollup)| !rollup.is_empty())
        .collect()
}

/// The earliest month any fact falls in.
fn first_month(facts: &CustomerFacts) -> Option<Month> {
    let of_subscription = |subscription: &SubscriptionFacts| {
        let states = subscription.states.iter().map(|state| state.effective.month());
        let assignments = subscription.assignments.iter().map(|assignment| assignment.from.month());
        states.chain(assignments).chain(reported_months(&subscription.reported, &subscription.revenue)).min()
    };
    let subscriptions = facts.subscriptions.iter().filter_map(of_subscription);
    let by_sku = facts.by_sku.iter().flat_map(|row| reported_months(&row.reported, &row.revenue));
    let licences = facts.licences.iter().map(|licence| licence.from.month());
    let activity = facts.first_activity.values().map(|day| day.month());
    let bounds = facts.lower_bound.values().map(|(first, _)| first.month());
    let usage = facts.reported_usage.iter().map(|row| row.month);
    subscriptions.chain(by_sku).chain(licences).chain(activity).chain(bounds).chain(usage).min()
}

fn reported_months<'a>(reported: &'a [ReportedSeats], revenue: &'a [Revenue]) -> impl Iterator<Item = Month> + 'a {
    reported.iter().map(|row| row.month).chain(revenue.iter().map(|row| row.month))
}

struct CustomerRollup<'a> {
    facts: &'a CustomerFacts,
    catalogue: &'a Catalogue,
}

/// A subscription's own detail on a day.
struct Detail<'a> {
    facts: &'a SubscriptionFacts,
    state: Option<&'a State>,
    sku: SkuNumber,
}

impl<'a> CustomerRollup<'a> {
    fn month(&self, month: Month, day: Day) -> MonthRollup {
        let details: Vec<Detail<'a>> =
            self.facts.subscriptions.iter().filter_map(|facts| self.detail(facts, day)).collect();
        let in_force: Vec<_> = details.iter().map(|detail| (detail.facts, detail.sku)).collect();
        let users = UserMonth::new(self.facts, self.catalogue, Window::ending(day), &in_force);
        let mut subscriptions: Vec<SubscriptionMonth> = details
            .iter()
            .enumerate()
            .filter_map(|(position, detail)| self.subscription_month(detail, month, day, users.seats(position)))
            .collect();
        subscriptions.extend(self.facts.by_sku.iter().filter_map(|row| self.by_sku_month(row, month, day, &details)));
        subscriptions.sort_by_key(|row| row.subscription);
        MonthRollup {
            subscriptions,
            reported_usage: self
                .facts
                .reported_usage
                .iter()
                .filter(|row| row.month == month)
                .filter_map(|row| self.usage_month(row, day, &details))
                .collect(),
            active_services: users.active_services(),
            lower_bound_services: self.lower_bound_services(Window::ending(day)),
            classes: users.into_classes(),
        }
    }

    /// Services of which the window holds a day whose use is known from dates of last activity alone.
    fn lower_bound_services(&self, window: Window) -> Vec<ServiceNumber> {
        let holds = |(first, last): &(Day, Day)| *first <= window.last() && window.first() <= *last;
        self.facts.lower_bound.iter().filter(|(_, days)| holds(days)).map(|(service, _)| *service).collect()
    }

    /// The subscription on `day`; `None` while its SKU has not come. A state whose SKU has not come waits.
    fn detail(&self, facts: &'a SubscriptionFacts, day: Day) -> Option<Detail<'a>> {
        let come = |sku: SkuNumber| self.catalogue.services.contains_key(&sku);
        if !come(facts.sku) {
            return None;
        }
        let in_force = facts.states.iter().filter(|state| state.effective <= day && state.sku.is_none_or(come));
        let state = in_force.max_by_key(|state| state.effective);
        Some(Detail { facts, state, sku: state.and_then(|state| state.sku).unwrap_or(facts.sku) })
    }

    fn services(&self, sku: SkuNumber) -> &'a [ServiceNumber] {
        self.catalogue.services.get(&sku).map_or(&[], Vec::as_slice)
    }

    /// There is activity on a service of the SKU on or before `day`: absence of more then means zero.
    fn knows_activity(&self, sku: SkuNumber, day: Day) -> bool {
        self.services(sku).iter().any(|service| self.knows_activity_on(*service, day))
    }

    fn knows_activity_on(&self, service: ServiceNumber, day: Day) -> bool {
        self.facts.first_activity.get(&service).is_some_and(|first| *first <= day)
    }

    fn subscription_month(
        &self,
        detail: &Detail<'_>,
        month: Month,
        day: Day,
        seats: UserSeats,
    ) -> Option<SubscriptionMonth> {
        let report = detail.facts.reported.iter().find(|row| row.month == month);
        let revenue = revenue_of(&detail.facts.revenue, month);
        let has_assignments = detail.facts.assignments.iter().any(|assignment| assignment.from <= day);
        if detail.state.is_none() && report.is_none() && revenue.is_empty() && !has_assignments {
            return None;
        }
        let mut row = SubscriptionMonth {
            subscription: detail.facts.number,
            sku: detail.sku,
            standing: Standing::Pending,
            trial: detail.facts.trial,
            has_state: detail.state.is_some() || report.is_some(),
            seats: 0,
            assigned: seats.assigned,
            active: seats.active,
            active_assigned: seats.active_assigned,
            reported: Reported::default(),
            seller: None,
            attributions: report.map(|report| report.attributions.clone()).unwrap_or_default(),
            revenue,
        };
        if let Some(state) = detail.state {
            row.standing = Standing::from_source_word(&state.status);
            row.trial = state.trial.unwrap_or(detail.facts.trial);
            row.seats = state.seats;
        } else if let Some(report) = report {
            row.take_standing(report);
        }
        if let Some(report) = report {
            if !has_assignments {
                row.take_assigned(report);
            }
            if !self.knows_activity(detail.sku, day) {
                row.take_active(report);
            }
        }
        Some(row)
    }

    /// Rows by customer and SKU serve only where no subscription of that SKU has data of the kind in the month.
    fn by_sku_month(&self, facts: &BySku, month: Month, day: Day, details: &[Detail<'_>]) -> Option<SubscriptionMonth> {
        if !self.catalogue.services.contains_key(&facts.sku) {
            return None;
        }
        let of_sku = || details.iter().filter(|detail| detail.sku == facts.sku);
        let has_seats =
            of_sku().any(|detail| detail.state.is_some() || detail.facts.reported.iter().any(|row| row.month == month));
        let has_revenue = of_sku().any(|detail| detail.facts.revenue.iter().any(|row| row.month == month));
        let report = facts.reported.iter().find(|row| row.month == month);
        let serving = report.filter(|_| !has_seats);
        let revenue = if has_revenue { Vec::new() } else { revenue_of(&facts.revenue, month) };
        if serving.is_none() && revenue.is_empty() {
            return None;
        }
        let mut sellers: Vec<(&str, Seller)> = facts
            .revenue
            .iter()
            .filter(|row| row.month == month)
            .filter_map(|row| Some((row.currency.as_str(), row.seller?)))
            .collect();
        sellers.sort_unstable();
        let seller = report
            .and_then(|row| row.seller)
            .or_else(|| sellers.first().map(|(_, seller)| *seller))
            .unwrap_or(Seller::Other);
        let mut row = SubscriptionMonth {
            subscription: SubscriptionNumber::of_sku(facts.sku),
            sku: facts.sku,
            standing: Standing::Pending,
            trial: false,
            has_state: serving.is_some(),
            seats: 0,
            assigned: 0,
            active: 0,
            active_assigned: 0,
            reported: Reported::default(),
            seller: Some(seller),
            attributions: report.map(|report| report.attributions.clone()).unwrap_or_default(),
            revenue,
        };
        if let Some(report) = serving {
            row.take_standing(report);
            row.take_assigned(report);
            if !self.knows_activity(facts.sku, day) {
                row.take_active(report);
            }
        }
        Some(row)
    }

    fn usage_month(&self, row: &ReportedUsage, day: Day, details: &[Detail<'_>]) -> Option<UsageMonth> {
        let assigned = details.iter().any(|detail| {
            self.services(detail.sku).contains(&row.service)
                && detail.facts.assignments.iter().any(|assignment| assignment.from <= day)
        });
        let licensed = self.facts.licences.iter().any(|licence| licence.service == row.service && licence.from <= day);
        let active_users = (!self.knows_activity_on(row.service, day)).then_some(row.monthly_active_users);
        let total_users = (!assigned && !licensed).then_some(row.paid_available_units);
        (active_users.is_some() || total_users.is_some()).then(|| UsageMonth {
            service: row.service,
            active_users,
            total_users,
            attributions: row.attributions.clone(),
        })
    }
}

impl SubscriptionMonth {
    fn take_standing(&mut self, report: &ReportedSeats) {
        self.standing = report.status.as_deref().map_or(Standing::Active, Standing::from_source_word);
        self.seats = report.available;
        self.reported.seats = true;
    }

    fn take_assigned(&mut self, report: &ReportedSeats) {
        if let Some(assigned) = report.assigned {
            self.assigned = assigned;
            self.reported.assigned = true;
        }
    }

    /// A report does not name the users, so all of them count as assigned on the day.
    fn take_active(&mut self, report: &ReportedSeats) {
        if let Some(active) = report.active {
            self.active = active;
            self.active_assigned = active;
            self.reported.active = true;
        }
    }
}

/// What the users of one subscription did and held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UserSeats {
    pub assigned: u32,
    pub active: u32,
    pub active_assigned: u32,
}

fn revenue_of(revenue: &[Revenue], month: Month) -> Vec<(String, Amount)> {
    let mut amounts: Vec<(String, Amount)> =
        revenue.iter().filter(|row| row.month == month).map(|row| (row.currency.clone(), row.amount)).collect();
    amounts.sort();
    amounts
}

#[cfg(test)]
#[path = "rollup_tests.rs"]
mod tests;
