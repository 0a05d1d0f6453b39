//! Surrogate ids of what a batch names, allocated once and never changed.
//!
//! Ids are looked up without locks and allocated under the lock of the partner's row, in a transaction of its own that commits before
//! any fact refers to them. An id that no fact refers to in the end does no harm.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use insights_database::sea_orm::ConnectionTrait;

use crate::{
    error::Error,
    ids::{BatchNames, CustomerAddress, ResolvedSubscription, SurrogateIds},
    tables::{
        catalogue, customer,
        partner::{IdCounters, StoredPartner},
        subscription,
    },
};

/// Surrogate ids by partner. Only committed ones are cached, and those of customers and services never change. Who has a subscription
/// may have changed since: it is only where a transaction begins, which reads it again under its locks.
#[derive(Debug, Default)]
pub(crate) struct SurrogateIdCache {
    partners: RwLock<HashMap<i32, PartnerIds>>,
}

#[derive(Debug, Default)]
struct PartnerIds {
    /// The ids hold until something else is erased.
    erasures: i64,
    customers: HashMap<Box<str>, CustomerAddress>,
    subscriptions: HashMap<Box<str>, ResolvedSubscription>,
    services: HashMap<Box<str>, i32>,
}

impl PartnerIds {
    fn len(&self) -> usize {
        self.customers.len() + self.subscriptions.len()
    }
}

/// Customers and subscriptions of all partners above which the cache is cleared, so that memory stays bounded.
const MOST_CACHED: usize = 500_000;

/// Whether cached subscriptions will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cached {
    /// All that is cached: a transaction that finds that one moved is planned again.
    All,
    /// Only what never changes.
    Unchanging,
}

impl SurrogateIdCache {
    /// Adds the cached ids of what is named.
    fn fill(&self, partner: &StoredPartner, names: &BatchNames, use_of: Cached, ids: &mut SurrogateIds) {
        let partners = self.partners.read().unwrap_or_else(PoisonError::into_inner);
        let cached = partners.get(&partner.number).filter(|cached| cached.erasures == partner.erasures);
        let Some(cached) = cached else { return };
        for id in names.customers.iter().chain(&names.mentioned) {
            if let Some(at) = cached.customers.get(id.as_str()) {
                ids.customers.insert(id.clone(), *at);
            }
        }
        for id in names.subscriptions.keys().filter(|_| use_of == Cached::All) {
            if let Some(at) = cached.subscriptions.get(id.as_str()) {
                ids.subscriptions.insert(id.clone(), *at);
            }
        }
        for name in &names.services {
            if let Some(number) = cached.services.get(name.as_str()) {
                ids.services.insert(name.clone(), *number);
            }
        }
    }

    /// Adds committed ids to the cache.
    pub(crate) fn remember(&self, partner: &StoredPartner, ids: &SurrogateIds) {
        let mut partners = self.partners.write().unwrap_or_else(PoisonError::into_inner);
        if partners.values().map(PartnerIds::len).sum::<usize>() > MOST_CACHED {
            partners.clear();
        }
        let cached = partners.entry(partner.number).or_default();
        if cached.erasures > partner.erasures {
            return;
        }
        if cached.erasures < partner.erasures {
            *cached = PartnerIds { erasures: partner.erasures, ..PartnerIds::default() };
        }
        for (id, at) in &ids.customers {
            if !cached.customers.contains_key(id.as_str()) {
                cached.customers.insert(id.as_str().into(), *at);
            }
        }
        for (id, at) in &ids.subscriptions {
            match cached.subscriptions.get_mut(id.as_str()) {
                Some(cached) => *cached = *at,
                None => drop(cached.subscriptions.insert(id.as_str().into(), *at)),
            }
        }
        for (name, number) in &ids.services {
            if !cached.services.contains_key(name.as_str()) {
                cached.services.insert(name.as_str().into(), *number);
            }
        }
    }
}

/// The ids of what a batch names, as far as there are any.
#[derive(Clone, Debug)]
pub(crate) struct FoundIds {
    pub ids: SurrogateIds,
    /// Whether everything named has one.
    pub complete: bool,
    /// The last ids given out before these were looked for.
    counters: IdCounters,
}

/// Looks up the ids of what a batch names.
pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    cache: &SurrogateIdCache,
    partner: &StoredPartner,
    names: &BatchNames,
    use_of: Cached,
) -> Result<FoundIds, Error> {
    let mut ids = SurrogateIds::default();
    cache.fill(partner, names, use_of, &mut ids);
    let counters = IdCounters::read(connection, partner).await?;
    look_up(connection, partner, names, &mut ids).await?;
    let complete = ids.cover(names);
    Ok(FoundIds { ids, complete, counters })
}

async fn look_up<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    names: &BatchNames,
    ids: &mut SurrogateIds,
) -> Result<(), Error> {
    let customers = names.customers.union(&names.mentioned);
    let customers = customers.filter(|id| !ids.customers.contains_key(*id)).cloned().collect();
    ids.customers.extend(customer::look_up(connection, partner, customers).await?);
    let subscriptions = names.subscriptions.keys().filter(|id| !ids.subscriptions.contains_key(*id)).cloned().collect();
    ids.subscriptions.extend(subscription::look_up(connection, partner, subscriptions).await?);
    let skus = names.skus.iter().filter(|id| !ids.skus.contains_key(*id)).cloned().collect();
    let skus = catalogue::look_up_skus(connection, partner, skus).await?;
    ids.skus.extend(skus.into_iter().map(|sku| (sku.sku_id, sku.sku_no)));
    let services = names.services.iter().filter(|name| !ids.services.contains_key(*name)).cloned().collect();
    let services = catalogue::look_up_services(connection, partner, services).await?;
    ids.services.extend(services.into_iter().map(|service| (service.name, service.service_no)));
    Ok(())
}

/// Allocates ids to what has none, beside those that were found. Returns the ids of everything named, and whether followers must learn
/// new SKUs or services.
pub(crate) async fn allocate<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    names: &BatchNames,
    found: FoundIds,
) -> Result<(SurrogateIds, bool), Error> {
    partner.lock_unerased(connection).await?;
    let (mut ids, counters) = (found.ids, IdCounters::read(connection, partner).await?);
    if counters != found.counters {
        // Others have given ids out since.
        look_up(connection, partner, names, &mut ids).await?;
    }
    let mut next = counters;
    let customers = new_customers(partner, names, &ids, &mut next);
    customer::insert(connection, partner, &customers).await?;
    ids.customers.extend(customers);
    let subscriptions = new_subscriptions(partner, names, &ids, &mut next);
    subscription::insert(connection, partner, &subscriptions).await?;
    ids.subscriptions.extend(subscriptions);
    let skus = numbered(&mut next.skus, names.skus.iter().filter(|id| !ids.skus.contains_key(*id)));
    catalogue::insert_skus(connection, partner, &skus).await?;
    ids.skus.extend(skus.into_iter().map(|(number, id)| (id, number)));
    let services = numbered(&mut next.services, names.services.iter().filter(|name| !ids.services.contains_key(*name)));
    catalogue::insert_services(connection, partner, &services).await?;
    ids.services.extend(services.into_iter().map(|(number, name)| (name, number)));
    if next != counters {
        next.write(connection, partner).await?;
    }
    ids.last_before = Some((counters.customers, counters.subscriptions));
    let catalogue_grew = next.skus != counters.skus || next.services != counters.services;
    Ok((ids, catalogue_grew))
}

fn numbered<'a>(last: &mut i32, names: impl Iterator<Item = &'a String>) -> Vec<(i32, String)> {
    let number = |name: &String| {
        *last += 1;
        (*last, name.clone())
    };
    names.map(number).collect()
}

fn new_customers(
    partner: &StoredPartner,
    names: &BatchNames,
    ids: &SurrogateIds,
    next: &mut IdCounters,
) -> Vec<(String, CustomerAddress)> {
    let new = names.customers.iter().filter(|id| !ids.customers.contains_key(*id));
    let key = |id: &String| {
        next.customers += 1;
        (id.clone(), CustomerAddress { shard: partner.shard(id), number: next.customers })
    };
    new.map(key).collect()
}

/// A new subscription belongs to the customer that its own record in the batch names, so that nothing has to move between shards;
/// without such a record it is unattached.
fn new_subscriptions(
    partner: &StoredPartner,
    names: &BatchNames,
    ids: &SurrogateIds,
    next: &mut IdCounters,
) -> Vec<(String, ResolvedSubscription)> {
    let new = names.subscriptions.iter().filter(|(id, _)| !ids.subscriptions.contains_key(*id));
    let entry = |(id, customer): (&String, &Option<String>)| {
        next.subscriptions += 1;
        let customer = customer.as_ref().and_then(|customer| ids.customers.get(customer).copied());
        let customer = customer.unwrap_or_else(|| partner.unattached(id));
        (id.clone(), ResolvedSubscription { number: next.subscriptions, customer, known: false })
    };
    new.map(entry).collect()
}
