//! Records of a subscription.

use insights_domain::{calendar::Day, facts::Seller};
use insights_proto::ingestion::v1::{Assignment, Subscription, SubscriptionState};
use prost::Message;

use super::{
    Checks, In, Violation,
    fact::{EVERY_DAY, Fact, FactKind, FactOwner, KeyPrefix},
};

impl TryFrom<In<'_, Subscription>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, Subscription>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("subscription", context);
        let subscription = checks.id("subscription_id", &record.subscription_id);
        let customer = checks.id("customer_id", &record.customer_id);
        let sku = checks.id("sku_id", &record.sku_id);
        let start = checks.optional_day("start", record.start.as_ref());
        let end = checks.optional_day("end", record.end.as_ref());
        let record = Subscription {
            subscription_id: subscription.clone(),
            customer_id: customer.clone(),
            sku_id: sku.clone(),
            sales_channel: checks.optional_text("sales_channel", record.sales_channel),
            pricing_model: checks.optional_text("pricing_model", record.pricing_model),
            seller: Some(checks.seller("seller", record.seller, Seller::Own)),
            trial: record.trial,
            auto_renew: record.auto_renew,
            start: start.map(|day| day.to_string()),
            end: end.map(|day| day.to_string()),
            attributions: checks.attributions("attributions", record.attributions),
            paid_by_use: record.paid_by_use,
        };
        checks.finish(Self {
            kind: FactKind::Subscription,
            owner: FactOwner::SubscriptionRecord { subscription, customer },
            prefix: KeyPrefix::Subscription,
            sku: Some(sku),
            services: Vec::new(),
            tail: Vec::new(),
            day: EVERY_DAY,
            body: record.encode_to_vec(),
        })
    }
}

impl TryFrom<In<'_, SubscriptionState>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, SubscriptionState>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("subscription_state", context);
        let subscription = checks.id("subscription_id", &record.subscription_id);
        let day = checks.past_day("effective", &record.effective).map_or(0, Day::epoch_days);
        let sku = checks.optional_id("sku_id", record.sku_id.as_ref());
        let body = SubscriptionState {
            subscription_id: String::new(),
            effective: String::new(),
            status: checks.text("status", &record.status),
            seats: Some(checks.count("seats", record.seats)),
            sku_id: sku.clone(),
            trial: record.trial,
        };
        checks.finish(Self {
            kind: FactKind::State,
            owner: FactOwner::Subscription(subscription),
            prefix: KeyPrefix::Subscription,
            sku,
            services: Vec::new(),
            tail: day.to_be_bytes().to_vec(),
            day,
            body: body.encode_to_vec(),
        })
    }
}

impl TryFrom<In<'_, Assignment>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, Assignment>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("assignment", context);
        let subscription = checks.id("subscription_id", &record.subscription_id);
        let user = checks.user("user_id", &record.user_id);
        let from = checks.past_day("from", &record.from_day);
        let to = checks.end_after("to", record.to_day.as_ref(), from);
        let day = from.map_or(0, Day::epoch_days);
        let body = Assignment { to_day: to.map(|day| day.to_string()), ..Assignment::default() };
        checks.finish(Self {
            kind: FactKind::Assignment,
            owner: FactOwner::Subscription(subscription),
            prefix: KeyPrefix::Subscription,
            sku: None,
            services: Vec::new(),
            tail: [&user.to_be_bytes()[..], &day.to_be_bytes()].concat(),
            day,
            body: body.encode_to_vec(),
        })
    }
}
