//! A partner for the daily feed: customers of log-normal size, their users and subscriptions.

use insights_domain::calendar::{Day, Month};
use insights_proto::ingestion::v1::{
    Assignment, CompleteThrough, Customer, Record, Sku, Subscription, SubscriptionState, record::Kind,
};

use crate::{
    Scenario,
    dice::{die, normal, roll, unit},
};

/// Services, and how likely a user uses each on a day: 2.6 in all.
pub const SERVICES: [(&str, f64); 6] = [
    ("Exchange", 0.62),
    ("Teams", 0.62),
    ("SharePoint", 0.50),
    ("Microsoft 365 Apps", 0.50),
    ("Dynamics 365 Sales", 0.30),
    ("Yammer", 0.06),
];

const COUNTRIES: [&str; 24] = [
    "US", "DE", "GB", "FR", "BR", "JP", "CA", "NL", "ES", "IT", "SE", "NO", "PL", "PT", "IN", "AU", "CH", "AT", "BE",
    "DK", "FI", "MX", "ZA", "CZ",
];
const SEGMENTS: [&str; 4] = ["Small business", "Corporate", "Enterprise", "Public sector"];

const SIZES: u64 = 1;
const PLACES: u64 = 2;
const USERS: u64 = 3;
const HOMES: u64 = 4;

/// Country of a customer, by position in the list.
pub fn country(customer: u32) -> usize {
    // Half of the customers are in the first four countries, as portfolios are.
    let sides = if die(PLACES, u64::from(customer) * 3, 2) == 0 { 4 } else { COUNTRIES.len() as u32 };
    die(PLACES, u64::from(customer) * 3 + 1, sides) as usize
}

/// Segment of a customer, by position in the list.
pub fn segment(customer: u32) -> usize {
    die(PLACES, u64::from(customer) * 3 + 2, SEGMENTS.len() as u32) as usize
}

/// The name of a country of the list.
pub fn country_name(country: usize) -> &'static str {
    COUNTRIES[country]
}

/// The name of a segment of the list.
pub fn segment_name(segment: usize) -> &'static str {
    SEGMENTS[segment]
}

/// The id of a customer.
pub fn customer_id(customer: u32) -> String {
    format!("customer-{customer:06}")
}

/// The id of a subscription.
pub fn subscription_id(subscription: u32) -> String {
    format!("subscription-{subscription:07}")
}

/// The record of a customer.
pub fn customer_record(customer: u32) -> Record {
    record(Kind::Customer(Customer {
        customer_id: customer_id(customer),
        name: Some(format!("Customer {customer}")),
        country: Some(COUNTRIES[country(customer)].to_owned()),
        segment: Some(SEGMENTS[segment(customer)].to_owned()),
        ..Customer::default()
    }))
}

/// The record that data is complete up to a day.
pub fn complete_through(day: Day) -> Record {
    record(Kind::CompleteThrough(CompleteThrough { day: day.to_string() }))
}

/// A record without a time of its own.
pub fn record(kind: Kind) -> Record {
    Record { kind: Some(kind), ..Record::default() }
}

/// The month of the daily feed, the same whenever it is measured: months of 28 and of 31 days are not the same work.
pub fn feed_month() -> Month {
    Day::from_ymd(2026, 10, 1).expect("a day").month()
}

/// The partner.
pub struct FeedPartner {
    /// Its size.
    pub scenario: Scenario,
    /// The month of the daily feed.
    pub month: Month,
    /// Users of each customer: from, up to without.
    pub users: Vec<(u32, u32)>,
}

impl FeedPartner {
    /// A partner of this size.
    pub fn new(scenario: Scenario) -> Self {
        let mut first = 0;
        let users = sizes(scenario)
            .map(|size| {
                let range = (first, first + size);
                first += size;
                range
            })
            .collect();
        Self { scenario, month: feed_month(), users }
    }

    /// How many users there are.
    pub fn user_count(&self) -> u32 {
        self.users.last().map_or(0, |(_, end)| *end)
    }

    /// The catalogue.
    pub fn catalogue(&self) -> Vec<Record> {
        let sku = |number: u32, name: &str, product: &str, services: &[&str]| {
            record(Kind::Sku(Sku {
                sku_id: sku_id(number),
                name: name.to_owned(),
                product: product.to_owned(),
                services: services.iter().map(|name| (*name).to_owned()).collect(),
                free: false,
            }))
        };
        let office = ["Exchange", "Teams", "SharePoint", "Microsoft 365 Apps"];
        vec![
            sku(0, "Microsoft 365 E3", "Microsoft 365", &office),
            sku(1, "Dynamics 365 Sales Enterprise", "Dynamics 365 Sales", &["Dynamics 365 Sales"]),
            sku(2, "Yammer Enterprise", "Yammer", &["Yammer"]),
        ]
    }

    /// The subscriptions: one of the first SKU for every customer, the others anywhere.
    pub fn subscriptions(&self) -> impl Iterator<Item = Record> {
        (0..self.scenario.subscriptions).map(|number| {
            record(Kind::Subscription(Subscription {
                subscription_id: subscription_id(number),
                customer_id: customer_id(self.owner(number)),
                sku_id: sku_id(if number < self.scenario.customers { 0 } else { 1 + number % 2 }),
                ..Subscription::default()
            }))
        })
    }

    /// A state for each subscription.
    pub fn states(&self) -> impl Iterator<Item = Record> {
        let effective = self.month.plus(-2).first_day().to_string();
        (0..self.scenario.subscriptions).map(move |number| {
            let (first, end) = self.users[self.owner(number) as usize];
            record(Kind::SubscriptionState(SubscriptionState {
                subscription_id: subscription_id(number),
                effective: effective.clone(),
                status: "Active".to_owned(),
                seats: Some(i64::from(end - first) + 2),
                ..SubscriptionState::default()
            }))
        })
    }

    /// Every user holds a seat of its customer's first subscription.
    pub fn assignments(&self) -> impl Iterator<Item = Record> {
        let from = self.month.plus(-1).first_day().to_string();
        (0_u32..).zip(&self.users).flat_map(move |(customer, (first, end))| {
            let from = from.clone();
            (*first..*end).map(move |user| {
                record(Kind::Assignment(Assignment {
                    subscription_id: subscription_id(customer),
                    user_id: user_id(user),
                    from_day: from.clone(),
                    to_day: None,
                }))
            })
        })
    }

    /// The customer who has a subscription.
    pub fn owner(&self, subscription: u32) -> u32 {
        let customers = self.scenario.customers;
        if subscription < customers { subscription } else { die(HOMES, subscription.into(), customers) }
    }
}

fn sku_id(number: u32) -> String {
    format!("sku-{number:02}")
}

/// The id of a user, as directories give them.
pub fn user_id(user: u32) -> String {
    let bits = roll(USERS, user.into());
    format!(
        "{user:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        bits >> 48,
        bits & 0xFFF,
        bits >> 12 & 0xFFF,
        bits >> 24 & 0xFFFF_FFFF
    )
}

/// Whether a user uses a service on a day.
pub fn uses(user: u32, service: usize, day: Day) -> bool {
    let what = u64::from(user) << 16 | u64::from(day.day_of_month()) << 8 | service as u64;
    unit(day.month().index().unsigned_abs().into(), what) < SERVICES[service].1
}

/// Log-normal sizes with a median of 10 users, and eight customers of a twentieth or a fortieth of all users, at most 50,000
/// and 25,000.
fn sizes(scenario: Scenario) -> impl Iterator<Item = u32> {
    let large = move |customer: u32| match customer {
        0 | 1 => Some((scenario.users / 20).min(50_000)),
        2..8 => Some((scenario.users / 40).min(25_000)),
        _ => None,
    };
    let taken: u32 = (0..8).filter_map(large).sum();
    let mean = f64::from(scenario.users - taken) / f64::from(scenario.customers - 8);
    let sigma = (2.0 * (mean / 10.0).max(1.0).ln()).sqrt();
    (0..scenario.customers).map(move |customer| {
        // Cut where the large ones begin, or a single draw decides the size of the partner.
        let drawn = (10.0 * (sigma * normal(SIZES, customer.into())).exp()).clamp(1.0, 10_000.0);
        large(customer).unwrap_or(drawn.round() as u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_the_scenarios_say() {
        for scenario in [Scenario::S, Scenario::M] {
            let partner = FeedPartner::new(scenario);
            let users = f64::from(partner.user_count());
            assert!((users / f64::from(scenario.users) - 1.0).abs() < 0.2, "{}: {users}", scenario.name);
            let mut sizes: Vec<u32> = partner.users.iter().map(|(first, end)| end - first).collect();
            sizes.sort_unstable();
            assert!((9..=11).contains(&sizes[sizes.len() / 2]));
        }
    }
}
