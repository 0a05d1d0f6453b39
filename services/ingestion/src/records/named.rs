//! Whom a record names, whether or not it is good.

use insights_domain::ids::canonical_id;
use insights_proto::ingestion::v1::{self as proto, record::Kind};

use super::users::PartnerKey;

/// A customer, a subscription and a user, by canonical id and hash; empty where the record names none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NamedSubjects {
    pub customer: String,
    pub subscription: String,
    pub user: Option<u128>,
}

/// Whom a record names.
pub(crate) fn named(record: &proto::Record, users: &PartnerKey, hashed: bool) -> NamedSubjects {
    let optional = |id: &Option<String>| id.clone().unwrap_or_default();
    let (customer, subscription, user) = match &record.kind {
        Some(Kind::Customer(it)) => (it.customer_id.clone(), String::new(), ""),
        Some(Kind::Subscription(it)) => (it.customer_id.clone(), it.subscription_id.clone(), ""),
        Some(Kind::SubscriptionState(it)) => (String::new(), it.subscription_id.clone(), ""),
        Some(Kind::Assignment(it)) => (String::new(), it.subscription_id.clone(), it.user_id.as_str()),
        Some(Kind::Licensed(it)) => (it.customer_id.clone(), String::new(), it.user_id.as_str()),
        Some(Kind::Revenue(it)) => (optional(&it.customer_id), optional(&it.subscription_id), ""),
        Some(Kind::SupportCases(it)) => (it.customer_id.clone(), String::new(), ""),
        Some(Kind::ReportedSeats(it)) => (optional(&it.customer_id), optional(&it.subscription_id), ""),
        Some(Kind::ReportedUsage(it)) => (it.customer_id.clone(), String::new(), ""),
        Some(Kind::Retract(it)) => (it.customer_id.clone(), String::new(), ""),
        Some(Kind::LicenceList(it)) => (it.customer_id.clone(), String::new(), ""),
        Some(Kind::WholeList(it)) => (it.customer_id.clone(), String::new(), ""),
        Some(Kind::Partner(_) | Kind::Location(_) | Kind::Sku(_) | Kind::CompleteThrough(_) | Kind::Unreadable(_))
        | None => return NamedSubjects::default(),
    };
    NamedSubjects {
        customer: canonical_id(&customer),
        subscription: canonical_id(&subscription),
        user: users.parse(user, hashed).ok(),
    }
}
