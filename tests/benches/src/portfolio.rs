//! A portfolio for questions: subscriptions whose standing and seats change over 24 months, and the same months expanded here, by
//! no code of the product, as rows for the peers.

use insights_domain::calendar::{Day, Month};
use insights_proto::ingestion::v1::{Assignment, Record, Sku, Subscription, SubscriptionState, record::Kind};

use crate::{
    Scenario,
    dice::{die, unit},
    feed_partner::{country, customer_id, feed_month, record, segment, subscription_id, user_id},
};

/// Months of the portfolio.
pub const MONTHS: i32 = 24;
/// SKUs; the last three are free.
const SKUS: u32 = 40;
const FREE: u32 = 3;

const LIVES: u64 = 21;
const OWNERS: u64 = 22;

/// The portfolio.
pub struct Portfolio {
    /// Its size.
    pub scenario: Scenario,
    /// Its first month.
    pub first: Month,
    subscriptions: Vec<Life>,
}

/// A subscription and what becomes of it.
pub struct Life {
    /// Its customer.
    pub customer: u32,
    /// Its SKU.
    pub sku: u32,
    /// It is on trial.
    pub trial: bool,
    states: Vec<State>,
}

struct State {
    effective: Day,
    status: &'static str,
    seats: u32,
}

/// A subscription in a month, as the peers get it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Year * 12 + month - 1.
    pub month: i32,
    /// The customer.
    pub customer: i32,
    /// The subscription.
    pub subscription: i32,
    /// The SKU.
    pub sku: i32,
    /// The customer's country.
    pub country: i32,
    /// The customer's segment.
    pub segment: i32,
    /// Whether it makes its customer count.
    pub active: bool,
    /// Seats in good standing.
    pub available: i32,
}

impl Portfolio {
    /// A portfolio of this size.
    pub fn new(scenario: Scenario) -> Self {
        let first = feed_month().plus(1 - MONTHS);
        let subscriptions = (0..scenario.subscriptions).map(|number| life(scenario, first, number)).collect();
        Self { scenario, first, subscriptions }
    }

    /// Its last month.
    pub fn last(&self) -> Month {
        self.first.plus(MONTHS - 1)
    }

    /// The catalogue.
    pub fn catalogue(&self) -> impl Iterator<Item = Record> {
        self.skus().map(|sku| record(Kind::Sku(sku)))
    }

    /// The SKUs, by number.
    pub fn skus(&self) -> impl Iterator<Item = Sku> {
        (0..SKUS).map(|number| Sku {
            sku_id: sku_id(number),
            name: format!("SKU {number}"),
            product: format!("Product {}", number % 12),
            services: vec![format!("Service {}", number % 8)],
            free: is_free(number),
        })
    }

    /// The subscriptions, each with its states: from when on, status, seats.
    pub fn lives(&self) -> impl Iterator<Item = (&Life, impl Iterator<Item = (Day, &'static str, u32)>)> {
        self.subscriptions
            .iter()
            .map(|life| (life, life.states.iter().map(|state| (state.effective, state.status, state.seats))))
    }

    /// The subscriptions.
    pub fn subscriptions(&self) -> impl Iterator<Item = Record> {
        (0_u32..).zip(&self.subscriptions).map(|(number, life)| {
            record(Kind::Subscription(Subscription {
                subscription_id: subscription_id(number),
                customer_id: customer_id(life.customer),
                sku_id: sku_id(life.sku),
                trial: life.trial,
                ..Subscription::default()
            }))
        })
    }

    /// Their states.
    pub fn states(&self) -> impl Iterator<Item = Record> {
        (0_u32..).zip(&self.subscriptions).flat_map(|(number, life)| {
            life.states.iter().map(move |state| {
                record(Kind::SubscriptionState(SubscriptionState {
                    subscription_id: subscription_id(number),
                    effective: state.effective.to_string(),
                    status: state.status.to_owned(),
                    seats: Some(state.seats.into()),
                    ..SubscriptionState::default()
                }))
            })
        })
    }

    /// A few people hold seats.
    pub fn assignments(&self) -> impl Iterator<Item = Record> {
        let from = self.last().plus(-6).first_day().to_string();
        (0..self.scenario.subscriptions).step_by(20).map(move |number| {
            let subscription_id = subscription_id(number);
            record(Kind::Assignment(Assignment {
                subscription_id,
                user_id: user_id(number),
                from_day: from.clone(),
                to_day: None,
            }))
        })
    }

    /// Every subscription in every month, month by month, as monthly figures come in.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        (0..MONTHS).flat_map(move |offset| {
            let month = self.first.plus(offset);
            (0_i32..).zip(&self.subscriptions).map(move |(number, life)| life.row(number, month))
        })
    }
}

impl Life {
    /// What stands at the end of a month: the latest state by then decides.
    fn row(&self, subscription: i32, month: Month) -> Row {
        let end = month.last_day();
        let state = self.states.iter().rev().find(|state| state.effective <= end);
        let active = state.is_some_and(|state| state.status == "Active");
        let good = active && !self.trial && !is_free(self.sku);
        Row {
            month: month.index(),
            customer: self.customer.cast_signed(),
            subscription,
            sku: self.sku.cast_signed(),
            country: country(self.customer) as i32,
            segment: segment(self.customer) as i32,
            active,
            available: state.filter(|_| good).map_or(0, |state| state.seats.cast_signed()),
        }
    }
}

fn is_free(sku: u32) -> bool {
    sku >= SKUS - FREE
}

/// The id of a SKU.
pub fn sku_id(number: u32) -> String {
    format!("sku-{number:02}")
}

/// Every subscription is known from the first month on. Six of ten are active from there, the others from some later month;
/// seats change every few months; one in four lapses over grace and suspension, and some of these come back.
fn life(scenario: Scenario, first: Month, number: u32) -> Life {
    let roll = |what: u64, sides: u32| die(LIVES, u64::from(number) << 12 | what, sides);
    let chance = |what: u64| unit(LIVES, u64::from(number) << 12 | what);
    let customer = if number < scenario.customers { number } else { die(OWNERS, number.into(), scenario.customers) };
    let day = |month: i32| first.plus(month).first_day().plus(roll(100 + month as u64, 28).cast_signed());
    let mut seats = 1 + (40.0 * chance(1).powi(4) * chance(2) * 10.0) as u32;
    let start = if chance(3) < 0.6 { 0 } else { 1 + roll(4, 22).cast_signed() };
    let lapse = if chance(5) < 0.25 { start + 1 + roll(6, 20).cast_signed() } else { MONTHS };
    let back = if chance(7) < 0.3 { lapse + 3 + roll(8, 6).cast_signed() } else { MONTHS };
    let mut states = Vec::new();
    if start > 0 {
        states.push(State { effective: day(0), status: "Pending", seats: 0 });
    }
    for month in start..MONTHS {
        let status = match month {
            _ if month < lapse || month >= back => "Active",
            _ if month == lapse => "Warning",
            _ if month == lapse + 1 => "Suspended",
            _ => "Deleted",
        };
        let turn = month == start || (lapse..=lapse + 2).contains(&month) || month == back;
        let growth = status == "Active" && chance(200 + month as u64) < 0.22;
        if growth {
            seats = (seats + roll(300 + month as u64, 7)).saturating_sub(2).max(1);
        }
        if turn || growth {
            states.push(State { effective: day(month), status, seats });
        }
    }
    Life { customer, sku: roll(9, SKUS), trial: chance(10) < 0.03, states }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portfolios_change_by_month() {
        let portfolio = Portfolio::new(Scenario::S);
        let rows: Vec<Row> = portfolio.rows().collect();
        assert_eq!(rows.len(), 1_500 * 24);
        let active = |month: i32| rows.iter().filter(|row| row.month == month && row.active).count();
        let months: Vec<usize> = (0..MONTHS).map(|offset| active(portfolio.first.plus(offset).index())).collect();
        assert!(months.windows(2).filter(|pair| pair[0] != pair[1]).count() > 20, "{months:?}");
        let states = portfolio.states().count();
        assert!((5_000..12_000).contains(&states), "{states}");
    }
}
