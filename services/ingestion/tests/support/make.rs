//! Records, in few words.

use insights_proto::ingestion::v1::{
    ActivityColumns, Assignment, Attribution, CompleteThrough, Customer, IngestBatchRequest, LicenceList, Licensed,
    Location, Partner, Record, ReportedSeats, ReportedUsage, Retract, Revenue, Sku, Subscription, SubscriptionState,
    SupportCases, WholeList, record::Kind,
};
use prost_types::Timestamp;

pub fn record(kind: Kind) -> Record {
    Record { kind: Some(kind), ..Record::default() }
}

/// The same record, recorded at so many seconds after 2024-01-01.
pub fn at(seconds: i64, record: Record) -> Record {
    Record { recorded_at: Some(Timestamp { seconds: 1_704_067_200 + seconds, nanos: 0 }), ..record }
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

pub fn partner(name: &str, zone: &str) -> Record {
    record(Kind::Partner(Partner { name: text(name), time_zone: text(zone), currency: text("EUR") }))
}

pub fn location(id: &str, name: &str) -> Record {
    record(Kind::Location(Location { location_id: id.into(), name: name.into(), country: "DE".into() }))
}

pub fn sku(id: &str, services: &[&str]) -> Record {
    let services = services.iter().map(|name| (*name).to_owned()).collect();
    record(Kind::Sku(Sku {
        sku_id: id.into(),
        name: format!("{id} name"),
        product: "Office 365".into(),
        services,
        free: false,
    }))
}

pub fn customer(id: &str, country: &str) -> Record {
    let customer = Customer { customer_id: id.into(), name: text(id), country: text(country), ..Default::default() };
    record(Kind::Customer(customer))
}

pub fn subscription(id: &str, customer: &str, sku: &str) -> Record {
    record(Kind::Subscription(Subscription {
        subscription_id: id.into(),
        customer_id: customer.into(),
        sku_id: sku.into(),
        attributions: vec![Attribution { location_id: text("L-1"), r#type: text("CSP") }],
        ..Default::default()
    }))
}

pub fn state(id: &str, effective: &str, status: &str, seats: i64) -> Record {
    record(Kind::SubscriptionState(SubscriptionState {
        subscription_id: id.into(),
        effective: effective.into(),
        status: status.into(),
        seats: Some(seats),
        ..Default::default()
    }))
}

pub fn state_on_sku(id: &str, effective: &str, seats: i64, sku: &str) -> Record {
    record(Kind::SubscriptionState(SubscriptionState {
        subscription_id: id.into(),
        effective: effective.into(),
        status: "Active".into(),
        seats: Some(seats),
        sku_id: text(sku),
        trial: Some(true),
    }))
}

pub fn assignment(id: &str, user: &str, from: &str, to: &str) -> Record {
    let assignment =
        Assignment { subscription_id: id.into(), user_id: user.into(), from_day: from.into(), to_day: text(to) };
    record(Kind::Assignment(assignment))
}

pub fn licensed(customer: &str, user: &str, service: &str, from: &str) -> Record {
    record(Kind::Licensed(Licensed {
        customer_id: customer.into(),
        user_id: user.into(),
        service: service.into(),
        from_day: from.into(),
        ..Default::default()
    }))
}

/// A licence as a list of a day has it.
pub fn listed(customer: &str, user: &str, service: &str, from: &str, on: &str) -> Record {
    let Some(Kind::Licensed(licence)) = licensed(customer, user, service, from).kind else { unreachable!() };
    let recorded_at = Some(Timestamp { seconds: i64::from(day(on)) * 86_400, nanos: 0 });
    Record { recorded_at, kind: Some(Kind::Licensed(Licensed { listed: true, ..licence })), ..Record::default() }
}

pub fn licence_list(customer: &str, service: &str, day: &str) -> Record {
    record(Kind::LicenceList(LicenceList { customer_id: customer.into(), service: service.into(), day: day.into() }))
}

/// A whole list of a customer's subscriptions or SKUs; of customers, one that names the customer.
pub fn whole_list(what: &str, customer: &str, day: &str, ids: &[&str]) -> Record {
    record(Kind::WholeList(WholeList {
        source: "crm".into(),
        what: what.into(),
        customer_id: customer.into(),
        day: day.into(),
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        part: false,
    }))
}

pub fn revenue(subscription: &str, month: &str, amount: &str) -> Record {
    record(Kind::Revenue(Revenue {
        subscription_id: text(subscription),
        month: month.into(),
        amount: amount.into(),
        currency: "eur".into(),
        ..Default::default()
    }))
}

pub fn revenue_by_sku(customer: &str, sku: &str, month: &str, amount: &str) -> Record {
    record(Kind::Revenue(Revenue {
        customer_id: text(customer),
        sku_id: text(sku),
        month: month.into(),
        amount: amount.into(),
        currency: "EUR".into(),
        ..Default::default()
    }))
}

pub fn support_cases(customer: &str, month: &str, total: i64) -> Record {
    record(Kind::SupportCases(SupportCases {
        customer_id: customer.into(),
        month: month.into(),
        total: Some(total),
        how_to: Some(1),
    }))
}

pub fn reported_seats(subscription: &str, month: &str, available: i64) -> Record {
    record(Kind::ReportedSeats(ReportedSeats {
        subscription_id: text(subscription),
        month: month.into(),
        available: Some(available),
        ..Default::default()
    }))
}

pub fn reported_seats_by_sku(customer: &str, sku: &str, month: &str, available: i64) -> Record {
    record(Kind::ReportedSeats(ReportedSeats {
        customer_id: text(customer),
        sku_id: text(sku),
        month: month.into(),
        available: Some(available),
        ..Default::default()
    }))
}

pub fn reported_usage(customer: &str, service: &str, month: &str, users: i64) -> Record {
    record(Kind::ReportedUsage(ReportedUsage {
        customer_id: customer.into(),
        service: service.into(),
        month: month.into(),
        paid_available_units: Some(users * 2),
        monthly_active_users: Some(users),
        attributions: Vec::new(),
    }))
}

pub fn retract(what: &str, customer: &str, service: &str, from: &str, to: &str) -> Record {
    record(Kind::Retract(Retract {
        what: what.into(),
        customer_id: customer.into(),
        service: text(service),
        from_day: from.into(),
        to_day: to.into(),
        ..Retract::default()
    }))
}

pub fn complete_through(day: &str) -> Record {
    record(Kind::CompleteThrough(CompleteThrough { day: day.into() }))
}

/// Days since 1970 of a day.
pub fn day(text: &str) -> i32 {
    text.parse::<insights_domain::calendar::Day>().unwrap().epoch_days()
}

/// Activity as (customer, user, service, day).
pub fn activity(facts: &[(&str, &str, &str, &str)]) -> ActivityColumns {
    let facts: Vec<_> = facts.iter().map(|fact| (fact.0, fact.1, fact.2, day(fact.3))).collect();
    activity_on(&facts)
}

/// The same with days since 1970.
pub fn activity_on(facts: &[(&str, &str, &str, i32)]) -> ActivityColumns {
    fn place(names: &mut Vec<String>, name: &str) -> u32 {
        let found = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        u32::try_from(found).unwrap()
    }
    let mut columns = ActivityColumns::default();
    for (customer, user, service, day) in facts {
        columns.customer.push(place(&mut columns.customers, customer));
        columns.user.push(place(&mut columns.users, user));
        columns.service.push(place(&mut columns.services, service));
        columns.day.push(*day);
    }
    columns
}

pub fn batch(records: Vec<Record>) -> IngestBatchRequest {
    IngestBatchRequest { records, ..Default::default() }
}

pub fn activity_batch(facts: &[(&str, &str, &str, &str)]) -> IngestBatchRequest {
    IngestBatchRequest { activity: Some(activity(facts)), ..Default::default() }
}
