//! The records of partners that tests make, one function a kind: what a test does not say is as it usually is.

use insights_proto::ingestion::v1::{
    Assignment, Attribution, CompleteThrough, Customer, IngestBatchRequest, Location, Record, Revenue, Sku,
    Subscription, SubscriptionState, record::Kind,
};

/// A field that is set.
#[must_use]
pub fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// A SKU with these services, which is not free.
#[must_use]
pub fn sku(id: &str, name: &str, product: &str, services: &[&str]) -> Kind {
    let services = services.iter().map(|&service| service.to_owned()).collect();
    Kind::Sku(Sku { sku_id: id.into(), name: name.into(), product: product.into(), services, free: false })
}

/// A location in Brazil.
#[must_use]
pub fn location(id: &str, name: &str) -> Kind {
    Kind::Location(Location { location_id: id.into(), name: name.into(), country: "BR".into() })
}

/// A customer of which nothing is known but what `say` says.
#[must_use]
pub fn customer(id: &str, say: impl FnOnce(&mut Customer)) -> Kind {
    let mut customer = Customer { customer_id: id.into(), ..Customer::default() };
    say(&mut customer);
    Kind::Customer(customer)
}

/// A subscription of a customer to a SKU, and what `say` says of it.
#[must_use]
pub fn subscription(id: &str, customer: &str, sku: &str, say: impl FnOnce(&mut Subscription)) -> Kind {
    let (subscription_id, customer_id, sku_id) = (id.into(), customer.into(), sku.into());
    let mut subscription = Subscription { subscription_id, customer_id, sku_id, ..Subscription::default() };
    say(&mut subscription);
    Kind::Subscription(subscription)
}

/// An attribution of a subscription.
#[must_use]
pub fn attribution(location: &str, kind: &str) -> Attribution {
    Attribution { location_id: text(location), r#type: text(kind) }
}

/// What a subscription is from a day on.
#[must_use]
pub fn state(subscription: &str, effective: &str, status: &str, seats: i64) -> Kind {
    Kind::SubscriptionState(SubscriptionState {
        subscription_id: subscription.into(),
        effective: effective.into(),
        status: status.into(),
        seats: Some(seats),
        ..SubscriptionState::default()
    })
}

/// A seat that a user holds from a day on.
#[must_use]
pub fn assignment(subscription: &str, user: &str, from: &str) -> Kind {
    Kind::Assignment(Assignment {
        subscription_id: subscription.into(),
        user_id: user.into(),
        from_day: from.into(),
        to_day: None,
    })
}

/// What a subscription brought in a month.
#[must_use]
pub fn revenue(subscription: &str, month: &str, amount: &str, currency: &str) -> Kind {
    Kind::Revenue(Revenue {
        subscription_id: text(subscription),
        month: month.into(),
        amount: amount.into(),
        currency: currency.into(),
        ..Revenue::default()
    })
}

/// Until when the data is complete.
#[must_use]
pub fn complete_through(day: &str) -> Kind {
    Kind::CompleteThrough(CompleteThrough { day: day.into() })
}

/// Records without times of their own, as one batch.
#[must_use]
pub fn batch(id: &str, records: impl IntoIterator<Item = Kind>) -> IngestBatchRequest {
    let records = records.into_iter().map(|kind| Record { kind: Some(kind), ..Record::default() }).collect();
    IngestBatchRequest { batch_id: id.into(), records, ..IngestBatchRequest::default() }
}

/// The smallest partner: one customer with so many seats from January to March 2025.
#[must_use]
pub fn smallest(seats: i64) -> Vec<Kind> {
    vec![
        sku("SKU-1", "Sales", "Dynamics 365 Sales", &["Dynamics"]),
        customer("C-1", |_| {}),
        subscription("S-1", "C-1", "SKU-1", |it| it.seller = text("own")),
        state("S-1", "2025-01-01", "Active", seats),
        complete_through("2025-03-31"),
    ]
}
