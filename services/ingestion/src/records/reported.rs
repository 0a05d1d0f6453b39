//! Monthly rows: revenue, and figures that a source computed.

use insights_domain::{calendar::Month, facts::Seller};
use insights_proto::ingestion::v1::{ReportedSeats, ReportedUsage, Revenue};
use prost::Message;

use super::{
    Checks, In, Violation,
    fact::{Fact, FactKind, FactOwner, KeyPrefix},
};

/// The subject of a row: a subscription or a part of it, or a customer's SKU.
struct ReportSubject {
    subscription: Option<String>,
    customer: Option<String>,
    sku: Option<String>,
}

impl ReportSubject {
    /// From the ids of subscription, customer and SKU.
    fn parse(checks: &mut Checks<'_>, [subscription, customer, sku]: [&Option<String>; 3]) -> Self {
        if subscription.is_some() {
            // The subscription has a customer, that of the row is ignored; its SKU tells which part the row is about.
            let subscription = checks.optional_id("subscription_id", subscription.as_ref());
            return Self { subscription, customer: None, sku: checks.optional_id("sku_id", sku.as_ref()) };
        }
        if customer.is_none() && sku.is_none() {
            checks.wrong("subscription_id", "is required, or else customer_id and sku_id");
            return Self { subscription: None, customer: None, sku: None };
        }
        let customer = checks.id("customer_id", customer.as_deref().unwrap_or_default());
        let sku = checks.id("sku_id", sku.as_deref().unwrap_or_default());
        Self { subscription: None, customer: Some(customer), sku: Some(sku) }
    }

    /// The checked ids of subscription, customer and SKU.
    fn ids(&self) -> [Option<String>; 3] {
        [&self.subscription, &self.customer, &self.sku].map(Clone::clone)
    }

    /// The seller, if the row names one; without it the other rows of the month decide.
    fn seller(checks: &mut Checks<'_>, seller: Option<String>) -> Option<String> {
        let named = seller.filter(|name| !name.trim().is_empty())?;
        Some(checks.seller("seller", Some(named), Seller::Other))
    }

    fn fact(self, kind: FactKind, month: Option<Month>, rest: &[u8], body: Vec<u8>) -> Fact {
        let day = month.map_or(0, |month| month.first_day().epoch_days());
        let part = self.sku.as_deref().filter(|_| self.subscription.is_some()).unwrap_or_default().as_bytes();
        let tail = [&day.to_be_bytes()[..], rest, part].concat();
        let (owner, prefix) = match self.subscription {
            Some(id) => (FactOwner::Subscription(id), KeyPrefix::Subscription),
            None => (FactOwner::Customer(self.customer.unwrap_or_default()), KeyPrefix::Sku),
        };
        Fact { kind, owner, prefix, sku: self.sku, services: Vec::new(), tail, day, body }
    }
}

impl TryFrom<In<'_, Revenue>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, Revenue>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("revenue", context);
        let ids = [&record.subscription_id, &record.customer_id, &record.sku_id];
        let subject = ReportSubject::parse(&mut checks, ids);
        let [subscription_id, customer_id, sku_id] = subject.ids();
        let month = checks.month("month", &record.month);
        let currency = checks.currency("currency", &record.currency);
        let body = Revenue {
            subscription_id,
            customer_id,
            sku_id,
            month: record.month.clone(),
            amount: checks.amount("amount", &record.amount),
            currency: currency.clone(),
            seller: ReportSubject::seller(&mut checks, record.seller),
        };
        checks.finish(subject.fact(FactKind::Revenue, month, currency.as_bytes(), body.encode_to_vec()))
    }
}

impl TryFrom<In<'_, ReportedSeats>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, ReportedSeats>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("reported_seats", context);
        let ids = [&record.subscription_id, &record.customer_id, &record.sku_id];
        let subject = ReportSubject::parse(&mut checks, ids);
        let [subscription_id, customer_id, sku_id] = subject.ids();
        let month = checks.month("month", &record.month);
        let body = ReportedSeats {
            subscription_id,
            customer_id,
            sku_id,
            month: record.month.clone(),
            available: Some(checks.count("available", record.available)),
            assigned: checks.optional_count("assigned", record.assigned),
            active: checks.optional_count("active", record.active),
            status: Some(checks.optional_text("status", record.status).unwrap_or_else(|| "Active".to_owned())),
            seller: ReportSubject::seller(&mut checks, record.seller),
            attributions: checks.attributions("attributions", record.attributions),
            report: checks.optional_text("report", record.report),
            of_customer: record.of_customer,
            grace: checks.optional_count("grace", record.grace),
        };
        checks.finish(subject.fact(FactKind::ReportedSeats, month, &[], body.encode_to_vec()))
    }
}

impl TryFrom<In<'_, ReportedUsage>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, ReportedUsage>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("reported_usage", context);
        let customer = checks.id("customer_id", &record.customer_id);
        let service = checks.service("service", &record.service);
        let month = checks.month("month", &record.month);
        let body = ReportedUsage {
            customer_id: customer.clone(),
            service: service.clone(),
            month: record.month.clone(),
            paid_available_units: Some(checks.count("paid_available_units", record.paid_available_units)),
            monthly_active_users: Some(checks.count("monthly_active_users", record.monthly_active_users)),
            attributions: checks.attributions("attributions", record.attributions),
        };
        let subject = ReportSubject { subscription: None, customer: Some(customer), sku: None };
        let fact = subject.fact(FactKind::ReportedUsage, month, &[], body.encode_to_vec());
        checks.finish(Self { prefix: KeyPrefix::Service, services: vec![service], ..fact })
    }
}
