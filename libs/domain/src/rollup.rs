//! One customer's facts rolled up to the two grains every measure is a sum over:
//! (subscription, month), and (customer, month) with classes of users.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::calendar::{Day, Month, Window};
use crate::coverage::{Coverage, USERS_REPORT};
use crate::facts::{
    Absence, Attribution, BySku, Catalogue, CustomerFacts, ReportedSeats, ReportedUsage, Revenue, Seller,
    ServiceNumber, SkuNumber, State, SubscriptionFacts, SubscriptionNumber,
};
use crate::reported::{ReportedMonth, billed, own_coverage};
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
    /// The subscription, or a further part of it.
    pub subscription: SubscriptionNumber,
    /// The SKU in force; that of the part, where reports tell of several.
    pub sku: SkuNumber,
    /// The standing.
    pub standing: Standing,
    /// The trial flag in force.
    pub trial: bool,
    /// A state by that day, or a reported row that serves.
    pub has_state: bool,
    /// Seats sold.
    pub seats: u32,
    /// Seats in grace, beside those sold.
    pub grace: u32,
    /// Users assigned.
    pub assigned: u32,
    /// Distinct users who used a service of the SKU in the window while they held it.
    pub active: u32,
    /// Those of them still assigned on the day.
    pub active_assigned: u32,
    /// What comes from a report.
    pub reported: Reported,
    /// The report does not cover the month: what comes from it is of the last month that it does.
    pub carried: bool,
    /// Nobody knows what was used: the report does not cover the month, and there is no detail.
    pub active_unknown: bool,
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
    /// No report covers the month: the row is that of an earlier one, and active users, where it serves them, are unknown.
    pub carried: bool,
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
    let customer = CustomerRollup { facts, catalogue, own_coverage: own_coverage(facts, catalogue) };
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
    /// The months that reports about this customer alone cover.
    own_coverage: Coverage,
}

/// A subscription's own detail on a day.
struct Detail<'a> {
    facts: &'a SubscriptionFacts,
    state: Option<&'a State>,
    /// That of the first part, where reports tell of several.
    sku: SkuNumber,
    report: Option<ReportedMonth<'a>>,
    /// The SKU that an amount is shown under, currency and amount.
    billed: Vec<(SkuNumber, &'a str, Amount)>,
    has_assignments: bool,
    /// Whole lists say that it is gone: reports do not serve it.
    gone: bool,
}

impl Detail<'_> {
    /// It has seats of a SKU in the month, by detail or by report.
    fn has_seats_of(&self, sku: SkuNumber) -> bool {
        match (&self.report, self.state) {
            (_, Some(_)) => self.sku == sku,
            (Some(report), None) => report.skus(self.facts.sku).any(|part| part == sku),
            (None, None) => false,
        }
    }
}

impl<'a> CustomerRollup<'a> {
    fn month(&self, month: Month, day: Day) -> MonthRollup {
        let carries = self.catalogue.coverage.has_gap(month) || self.own_coverage.has_gap(month);
        let details: Vec<Detail<'a>> =
            self.facts.subscriptions.iter().filter_map(|facts| self.detail(facts, month, day, carries)).collect();
        let in_force: Vec<_> = details.iter().map(|detail| (detail.facts, detail.sku)).collect();
        let users = UserMonth::new(self.facts, self.catalogue, Window::ending(day), &in_force);
        let mut subscriptions: Vec<SubscriptionMonth> = details
            .iter()
            .enumerate()
            .flat_map(|(position, detail)| self.subscription_rows(detail, day, users.seats(position)))
            .collect();
        let by_sku = self.facts.by_sku.iter();
        subscriptions.extend(by_sku.filter_map(|facts| self.by_sku_month(facts, (month, day), carries, &details)));
        subscriptions.sort_by_key(|row| row.subscription);
        MonthRollup {
            subscriptions,
            reported_usage: self
                .facts
                .reported_usage
                .iter()
                .filter_map(|row| self.usage_month(row, month, day, &details))
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

    /// The subscription on `day`; `None` while its SKU has not come. A state or part whose SKU has not come waits.
    fn detail(&self, facts: &'a SubscriptionFacts, month: Month, day: Day, carries: bool) -> Option<Detail<'a>> {
        let come = |sku: SkuNumber| self.catalogue.services.contains_key(&sku);
        if !come(facts.sku) {
            return None;
        }
        let in_force = facts.states.iter().filter(|state| state.effective <= day && state.sku.is_none_or(come));
        let state = in_force.max_by_key(|state| state.effective);
        let rows = facts.reported.iter().filter(|row| row.sku.is_none_or(come));
        let from = carries.then_some(|row: &ReportedSeats| self.carried(row, false, month));
        let gone = Absence::any_on(&facts.absences, day);
        let report = ReportedMonth::find(rows, facts.sku, month, from).filter(|_| !gone);
        let parts: Vec<SkuNumber> = match (&report, state) {
            (Some(report), None) => report.skus(facts.sku).collect(),
            _ => Vec::new(),
        };
        let of_state = state.and_then(|state| state.sku).unwrap_or(facts.sku);
        let sku = parts.first().copied().unwrap_or(of_state);
        let billed = billed(&facts.revenue, month, sku, &parts);
        let has_assignments = facts.assignments.iter().any(|assignment| assignment.from <= day);
        Some(Detail { facts, state, sku, report, billed, has_assignments, gone })
    }

    /// The month that is carried into this one of the report that a row is of.
    fn carried(&self, row: &ReportedSeats, by_sku: bool, month: Month) -> Option<Month> {
        let coverage = if row.of_customer { &self.own_coverage } else { &self.catalogue.coverage };
        coverage.carried(&row.report, by_sku, month)
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

    /// The subscription, and its further parts where reports tell of some. Users are those of the first.
    fn subscription_rows(&self, detail: &Detail<'_>, day: Day, users: UserSeats) -> Vec<SubscriptionMonth> {
        let facts = detail.facts;
        let first = SubscriptionMonth {
            trial: facts.trial,
            assigned: users.assigned,
            active: users.active,
            active_assigned: users.active_assigned,
            revenue: amounts(&detail.billed, detail.sku),
            ..SubscriptionMonth::pending(facts.number, detail.sku)
        };
        let mut rows = match (detail.state, &detail.report) {
            (Some(state), report) => vec![self.row_of_state(first, state, detail, report.as_ref(), day)],
            (None, Some(report)) => {
                let first = self.row_of_report(first, report, 0, detail.has_assignments, day);
                let others = report.skus(facts.sku).enumerate().skip(1).map(|(part, sku)| {
                    let row = SubscriptionMonth {
                        trial: facts.trial,
                        revenue: amounts(&detail.billed, sku),
                        ..SubscriptionMonth::pending(facts.number.part(sku), sku)
                    };
                    self.row_of_report(row, report, part, detail.has_assignments, day)
                });
                std::iter::once(first).chain(others).collect()
            }
            (None, None) if first.revenue.is_empty() && !detail.has_assignments => Vec::new(),
            (None, None) => vec![first],
        };
        for row in rows.iter_mut().filter(|_| detail.gone) {
            row.standing = Standing::Disabled;
        }
        for row in rows.iter_mut().filter(|_| facts.paid_by_use) {
            (row.seats, row.grace) = (0, 0);
        }
        rows
    }

    /// With the state in force. Reports of the month tell what detail does not know.
    fn row_of_state(
        &self,
        row: SubscriptionMonth,
        state: &State,
        detail: &Detail<'_>,
        report: Option<&ReportedMonth<'_>>,
        day: Day,
    ) -> SubscriptionMonth {
        let mut row = SubscriptionMonth {
            standing: Standing::from_source_word(&state.status),
            trial: state.trial.unwrap_or(row.trial),
            has_state: true,
            seats: state.seats,
            ..row
        };
        let Some(report) = report else { return row };
        row.attributions = report.attributions();
        let assigned = report.total(|row| row.assigned).filter(|_| !detail.has_assignments);
        let active = report.total(|row| row.active).filter(|_| !self.knows_activity(row.sku, day));
        row.carried = report.carried && (assigned.is_some() || active.is_some());
        row.take_assigned(assigned);
        row.take_active(active);
        row
    }

    /// With what a report says of a part: standing, seats, and what detail does not know.
    fn row_of_report(
        &self,
        row: SubscriptionMonth,
        report: &ReportedMonth<'_>,
        part: usize,
        has_assignments: bool,
        day: Day,
    ) -> SubscriptionMonth {
        let told = report.parts[part];
        let mut row = SubscriptionMonth {
            standing: told.status.as_deref().map_or(Standing::Active, Standing::from_source_word),
            has_state: true,
            seats: told.available,
            grace: told.grace,
            carried: report.carried,
            attributions: told.attributions.clone(),
            ..row
        };
        row.reported.seats = true;
        if !has_assignments {
            row.take_assigned(report.told(part, |row| row.assigned));
        }
        if !self.knows_activity(row.sku, day) {
            row.take_active(report.told(part, |row| row.active));
            row.active_unknown = report.carried;
        }
        row
    }

    /// Rows by customer and SKU serve only where no subscription of that SKU has data of the kind in the month.
    fn by_sku_month(
        &self,
        facts: &BySku,
        (month, day): (Month, Day),
        carries: bool,
        details: &[Detail<'_>],
    ) -> Option<SubscriptionMonth> {
        if !self.catalogue.services.contains_key(&facts.sku) {
            return None;
        }
        let from = carries.then_some(|row: &ReportedSeats| self.carried(row, true, month));
        let gone = Absence::any_on(&facts.absences, day);
        let report = ReportedMonth::find(facts.reported.iter(), facts.sku, month, from).filter(|_| !gone);
        let has_seats = details.iter().any(|detail| detail.has_seats_of(facts.sku));
        let has_revenue =
            details.iter().any(|detail| detail.billed.iter().any(|(shown_under, ..)| *shown_under == facts.sku));
        let serving = report.as_ref().filter(|_| !has_seats);
        let billed = if has_revenue { Vec::new() } else { billed(&facts.revenue, month, facts.sku, &[]) };
        if serving.is_none() && billed.is_empty() {
            return None;
        }
        let mut sellers: Vec<(&str, Seller)> = facts
            .revenue
            .iter()
            .filter(|row| row.month == month)
            .filter_map(|row| Some((row.currency.as_str(), row.seller?)))
            .collect();
        sellers.sort_unstable();
        let row_of_month = report.as_ref().and_then(|report| report.parts.first());
        let seller = row_of_month
            .and_then(|row| row.seller)
            .or_else(|| sellers.first().map(|(_, seller)| *seller))
            .unwrap_or(Seller::Other);
        let row = SubscriptionMonth {
            seller: Some(seller),
            attributions: row_of_month.map(|row| row.attributions.clone()).unwrap_or_default(),
            revenue: amounts(&billed, facts.sku),
            ..SubscriptionMonth::pending(SubscriptionNumber::of_sku(facts.sku), facts.sku)
        };
        Some(match serving {
            Some(report) => self.row_of_report(row, report, 0, false, day),
            None => row,
        })
    }

    /// A row of the month, or one that is carried into it.
    fn usage_month(&self, row: &ReportedUsage, month: Month, day: Day, details: &[Detail<'_>]) -> Option<UsageMonth> {
        let carried =
            row.month < month && self.catalogue.coverage.carried(USERS_REPORT, false, month) == Some(row.month);
        if row.month != month && !carried {
            return None;
        }
        let assigned = details.iter().any(|detail| {
            self.services(detail.sku).contains(&row.service)
                && detail.facts.assignments.iter().any(|assignment| assignment.from <= day)
        });
        let licensed = self.facts.licences.iter().any(|licence| licence.service == row.service && licence.from <= day);
        let active_users = if carried { 0 } else { row.monthly_active_users };
        let active_users = (!self.knows_activity_on(row.service, day)).then_some(active_users);
        let total_users = (!assigned && !licensed).then_some(row.paid_available_units);
        (active_users.is_some() || total_users.is_some()).then(|| UsageMonth {
            service: row.service,
            active_users,
            total_users,
            carried,
            attributions: row.attributions.clone(),
        })
    }
}

impl SubscriptionMonth {
    /// A subscription of which nothing else is known.
    fn pending(subscription: SubscriptionNumber, sku: SkuNumber) -> Self {
        Self {
            subscription,
            sku,
            standing: Standing::Pending,
            trial: false,
            has_state: false,
            seats: 0,
            grace: 0,
            assigned: 0,
            active: 0,
            active_assigned: 0,
            reported: Reported::default(),
            carried: false,
            active_unknown: false,
            seller: None,
            attributions: Vec::new(),
            revenue: Vec::new(),
        }
    }

    fn take_assigned(&mut self, told: Option<u32>) {
        if let Some(assigned) = told {
            self.assigned = assigned;
            self.reported.assigned = true;
        }
    }

    /// A report does not name the users, so all of them count as assigned on the day. What is carried says nothing of use.
    fn take_active(&mut self, told: Option<u32>) {
        if let Some(active) = told {
            let active = if self.carried { 0 } else { active };
            self.active = active;
            self.active_assigned = active;
            self.reported.active = true;
            self.active_unknown = self.carried;
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

/// What is shown under a SKU, by currency.
fn amounts(billed: &[(SkuNumber, &str, Amount)], sku: SkuNumber) -> Vec<(String, Amount)> {
    let mut sums: BTreeMap<&str, Amount> = BTreeMap::new();
    for (_, currency, amount) in billed.iter().filter(|(shown_under, ..)| *shown_under == sku) {
        let sum = sums.entry(currency).or_default();
        *sum = Amount::from_micros(sum.micros().saturating_add(amount.micros()));
    }
    sums.into_iter().map(|(currency, amount)| (currency.to_owned(), amount)).collect()
}

#[cfg(test)]
#[path = "rollup_tests.rs"]
mod tests;
