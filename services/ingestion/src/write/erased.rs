//! What was erased is refused: batches are compared with the partner's marks. Why none slips through: `docs/erasure.md`.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use super::{
    Ledger,
    plan::{CheckedRecord, names},
    prepare::CheckedBatch,
};
use crate::{
    error::Error,
    ids::CustomerAddress,
    records::{
        RecordContent,
        erased::ErasedMarks,
        fact::{Fact, FactOwner},
        named::NamedSubjects,
        quarantine::{ACTIVITY, Rejected},
        users::Marked,
    },
    tables::{customer, erased, partner::StoredPartner, subscription},
};

/// The marks of all partners, as often as they changed.
#[derive(Default)]
pub(crate) struct ErasedCache(RwLock<HashMap<i32, (i64, Arc<ErasedMarks>)>>);

/// The marks of a partner as its row was read, or later ones.
pub(super) async fn marks(ledger: &Ledger, partner: &StoredPartner) -> Result<Arc<ErasedMarks>, Error> {
    let key = || ledger.user_key.of_partner(&partner.id).of_marks();
    if partner.erasures == 0 {
        return Ok(Arc::new(ErasedMarks::new(key(), Vec::new())));
    }
    let cached = |cache: &HashMap<i32, (i64, Arc<ErasedMarks>)>| {
        cache.get(&partner.number).filter(|(erasures, _)| *erasures == partner.erasures).map(|(_, marks)| marks.clone())
    };
    if let Some(marks) = cached(&ledger.erased.0.read().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(marks);
    }
    let marks = Arc::new(ErasedMarks::new(key(), erased::marks(ledger.database.reader(), partner).await?));
    let mut cache = ledger.erased.0.write().unwrap_or_else(PoisonError::into_inner);
    cache.insert(partner.number, (partner.erasures, marks.clone()));
    Ok(marks)
}

/// Takes the records that name what was erased out of the good ones of a batch, and the content out of the others.
pub(super) async fn sift(ledger: &Ledger, partner: &StoredPartner, checked: &mut CheckedBatch) -> Result<(), Error> {
    let marks = marks(ledger, partner).await?;
    checked.erased = marks.clone();
    if marks.is_empty() {
        return Ok(());
    }
    checked.learned = learned(&marks, checked);
    let marks = marks.with_subscriptions(checked.learned.iter().map(|belonging| belonging.subscription.as_str()));
    let owners = customers_of_subscriptions(ledger, partner, &marks, &checked.items).await?;
    let mut items = Vec::with_capacity(checked.items.len());
    for item in std::mem::take(&mut checked.items) {
        match refused(&marks, &item, &owners) {
            Some((kind, named)) => checked.rejected.push(Rejected::of_erased(item.index, kind, named)),
            None => items.push(item),
        }
    }
    checked.items = items;
    sift_activity(&marks, checked);
    for rejected in &mut checked.rejected {
        if let Some(refused) = marks.refuses(&rejected.named) {
            (rejected.field, rejected.reason) = refused.says(rejected.kind);
            rejected.json.clear();
            rejected.erased = true;
        }
    }
    checked.rejected.sort_by_key(|rejected| rejected.index);
    checked.names = names(&checked.items, &checked.activity);
    Ok(())
}

/// A subscription that a refused record gives to a customer who was erased.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ErasedBelonging {
    pub customer: String,
    pub subscription: String,
}

/// Subscriptions that are not marked yet, and that records of the batch give to a customer who is.
fn learned(marks: &ErasedMarks, checked: &CheckedBatch) -> Vec<ErasedBelonging> {
    let good = checked.items.iter().filter_map(|item| match &item.record.content {
        RecordContent::Fact(fact) => Some(named(fact, &HashMap::new())),
        RecordContent::Retract(_) => None,
    });
    let named = good.chain(checked.rejected.iter().map(|rejected| rejected.named.clone()));
    let both = named.filter(|named| !named.customer.is_empty() && !named.subscription.is_empty());
    let belonging = |named: NamedSubjects| {
        let (customer, subscription) = (named.customer, named.subscription);
        let new = marks.has(Marked::Customer(&customer)) && !marks.has(Marked::Subscription(&subscription));
        new.then_some(ErasedBelonging { customer, subscription })
    };
    let mut learned: Vec<ErasedBelonging> = both.filter_map(belonging).collect();
    learned.sort();
    learned.dedup();
    learned
}

/// The kind of a good record that names what was erased, and whom it names.
fn refused(
    marks: &ErasedMarks,
    item: &CheckedRecord,
    owners: &HashMap<String, String>,
) -> Option<(&'static str, NamedSubjects)> {
    // A retraction stores nothing, and finds nothing.
    let RecordContent::Fact(fact) = &item.record.content else { return None };
    let named = named(fact, owners);
    marks.refuses(&named).map(|_| (fact.kind.name(), named))
}

fn named(fact: &Fact, owners: &HashMap<String, String>) -> NamedSubjects {
    let user = fact.user();
    match &fact.owner {
        FactOwner::Partner => NamedSubjects::default(),
        FactOwner::Customer(id) => NamedSubjects { customer: id.clone(), subscription: String::new(), user },
        FactOwner::Subscription(id) => {
            let customer = owners.get(id).filter(|_| user.is_some()).cloned().unwrap_or_default();
            NamedSubjects { customer, subscription: id.clone(), user }
        }
        FactOwner::SubscriptionRecord { subscription, customer } => {
            NamedSubjects { customer: customer.clone(), subscription: subscription.clone(), user }
        }
    }
}

/// The customers of the subscriptions that assignments name, where users of one customer are erased: by the records of the batch, else
/// by what is stored.
async fn customers_of_subscriptions(
    ledger: &Ledger,
    partner: &StoredPartner,
    marks: &ErasedMarks,
    items: &[CheckedRecord],
) -> Result<HashMap<String, String>, Error> {
    let mut owners = HashMap::new();
    if !marks.has_any(Marked::UserOf(0, "")) {
        return Ok(owners);
    }
    let facts = || {
        items.iter().filter_map(|item| match &item.record.content {
            RecordContent::Fact(fact) => Some(fact),
            RecordContent::Retract(_) => None,
        })
    };
    let reader = ledger.database.reader();
    let named = facts().filter(|fact| fact.user().is_some()).filter_map(|fact| match &fact.owner {
        FactOwner::Subscription(id) => Some(id.clone()),
        _ => None,
    });
    let named: HashSet<String> = named.collect();
    let stored = subscription::look_up(reader, partner, named.into_iter().collect()).await?;
    let numbers: HashSet<i64> = stored.iter().map(|(_, at)| at.customer.number).filter(|number| *number > 0).collect();
    let ids: HashMap<CustomerAddress, String> = customer::named(reader, partner, numbers.into_iter().collect()).await?;
    owners.extend(stored.into_iter().filter_map(|(id, at)| Some((id, ids.get(&at.customer)?.clone()))));
    owners.extend(facts().filter_map(|fact| match &fact.owner {
        FactOwner::SubscriptionRecord { subscription, customer } => Some((subscription.clone(), customer.clone())),
        _ => None,
    }));
    Ok(owners)
}

fn sift_activity(marks: &ErasedMarks, checked: &mut CheckedBatch) {
    let activity = &mut checked.activity;
    let named = |customer: &str, user: Option<u128>| NamedSubjects {
        customer: customer.to_owned(),
        subscription: String::new(),
        user,
    };
    let customers: Vec<bool> = activity.customers.iter().map(|id| marks.has(Marked::Customer(id))).collect();
    let users: Vec<bool> = activity.users.iter().map(|user| marks.has(Marked::User(*user))).collect();
    let of_one = marks.has_any(Marked::UserOf(0, ""));
    if !of_one && !customers.iter().chain(&users).any(|erased| *erased) {
        return;
    }
    let columns = std::mem::take(&mut activity.columns);
    let mut wrong = activity.wrong.iter().map(|fact| fact.position).peekable();
    let mut position = 0;
    for at in 0..columns.day.len() {
        // Where it was before wrong facts were taken out.
        while wrong.next_if_eq(&position).is_some() {
            position += 1;
        }
        let [customer, user, service] = [columns.customer[at], columns.user[at], columns.service[at]];
        let (id, hash) = (&activity.customers[customer as usize], activity.users[user as usize]);
        let erased =
            customers[customer as usize] || users[user as usize] || of_one && marks.has(Marked::UserOf(hash, id));
        if erased {
            checked.rejected.push(Rejected::of_erased(checked.records + position, ACTIVITY, named(id, Some(hash))));
        } else {
            activity.columns.customer.push(customer);
            activity.columns.user.push(user);
            activity.columns.service.push(service);
            activity.columns.day.push(columns.day[at]);
        }
        position += 1;
    }
}
