//! Small partners to ask questions of.

use std::collections::BTreeMap;

use insights_domain::calendar::{Day, Month};
use insights_domain::facts::{
    Activity, Assignment, Attribution, CustomerFacts, Seller, State, SubscriptionFacts, SubscriptionNumber,
};
use insights_domain::rollup::roll_up;
use insights_domain::standing::Switches;
use insights_proto::metrics::v1::{Dimension, Measure};

use crate::cube::{CustomerHeader, CustomerUpdate, Figure, PartnerHeader, QueryAnswer, SkuHeader, SubscriptionHeader};
use crate::query::{Basis, Query, Scope};

pub const E3: u32 = 1;
pub const CRM: u32 = 2;
pub const YAMMER: u32 = 2;

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub fn month(text: &str) -> Month {
    text.parse().unwrap()
}

pub fn partner(complete_through: &str) -> PartnerHeader {
    let sku = |id: &str, product: &str, services: &[u32]| SkuHeader {
        known: true,
        id: id.to_owned(),
        name: id.to_owned(),
        product: product.to_owned(),
        free: false,
        services: services.to_vec(),
    };
    PartnerHeader {
        epoch: 1,
        version: 1,
        complete_through: day(complete_through),
        currency: "USD".to_owned(),
        skus: [(E3, sku("e3", "Office 365", &[1, YAMMER])), (CRM, sku("crm", "Dynamics 365 Sales", &[3]))].into(),
        services: [(1, "Exchange".to_owned()), (YAMMER, "Yammer".to_owned()), (3, "Sales".to_owned())].into(),
        locations: BTreeMap::new(),
    }
}

/// A subscription with a state for each (day, status, seats), its users held without end, and its locations.
pub struct Sold<'a> {
    pub sku: u32,
    pub states: &'a [(&'a str, &'a str, u32)],
    pub users: &'a [u32],
    pub locations: &'a [&'a str],
}

pub fn customer(
    number: i64,
    country: &str,
    sold: &[Sold<'_>],
    activity: &[(u32, u32, &str)],
    partner: &PartnerHeader,
) -> CustomerUpdate {
    let mut facts = CustomerFacts { known: true, ..CustomerFacts::default() };
    let mut header = CustomerHeader {
        number,
        cell: 0,
        id: format!("c{number}"),
        country: Some(country.to_owned()),
        ..CustomerHeader::default()
    };
    for (position, sold) in sold.iter().enumerate() {
        let code = u32::try_from(number).unwrap() * 10 + u32::try_from(position).unwrap();
        let subscription = SubscriptionNumber::of_subscription(code);
        let attributions =
            sold.locations.iter().map(|location| Attribution { location: Some((*location).to_owned()), kind: None });
        header.subscriptions.push(SubscriptionHeader {
            number: subscription,
            id: format!("s{code}"),
            sales_channel: None,
            pricing_model: None,
            seller: Seller::Own,
            attributions: attributions.collect(),
            start: None,
            end: None,
        });
        let states = sold.states.iter().map(|(effective, status, seats)| State {
            effective: day(effective),
            status: (*status).to_owned(),
            seats: *seats,
            sku: None,
            trial: None,
        });
        let from = day(sold.states[0].0);
        facts.subscriptions.push(SubscriptionFacts {
            number: subscription,
            sku: sold.sku,
            trial: false,
            paid_by_use: false,
            states: states.collect(),
            assignments: sold.users.iter().map(|user| Assignment { user: *user, from, to: None }).collect(),
            reported: Vec::new(),
            revenue: Vec::new(),
            absences: Vec::new(),
        });
    }
    for (user, service, on) in activity {
        let on = day(on);
        facts.activity.push(Activity {
            user: *user,
            service: *service,
            month: on.month(),
            days: 1 << (on.day_of_month() - 1),
        });
        let first = facts.first_activity.entry(*service).or_insert(on);
        *first = (*first).min(on);
    }
    let from = month("1990-01");
    let months = roll_up(&facts, &partner.catalogue(), partner.complete_through, from);
    CustomerUpdate { header, from, months }
}

pub fn query(measures: &[Measure], group_by: &[Dimension], from: &str, to: &str) -> Query {
    Query {
        measures: measures.to_vec(),
        group_by: group_by.to_vec(),
        from: month(from),
        to: month(to),
        filters: Vec::new(),
        basis: Basis::Users,
        scope: Scope::AllSellers,
        switches: Switches::default(),
        top: None,
        slice: None,
        hidden: false,
    }
}

pub fn counts(answer: &QueryAnswer) -> Vec<(String, Vec<Option<String>>, Vec<i64>)> {
    let count = |figure: &Figure| match figure {
        Figure::Count(count) => *count,
        other => panic!("not a count: {other:?}"),
    };
    answer
        .rows
        .iter()
        .map(|row| (row.month.to_string(), row.dimensions.clone(), row.values.iter().map(count).collect()))
        .collect()
}

pub fn some(value: &str) -> Option<String> {
    Some(value.to_owned())
}
