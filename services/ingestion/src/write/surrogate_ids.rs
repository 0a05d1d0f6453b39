//! Small numbers for natural ids, given once and never changed.
//!
//! Numbers are looked up without locks and given under the partner's row, in a transaction of its own that commits before
//! any fact refers to them; a number that nothing refers to in the end does no harm.

use std::collections::HashMap;

use insights_database::{
    bulk::{self, Column, Conflict, statement},
    sea_orm::{ConnectionTrait, Value},
};

use crate::{
    error::Error,
    ids::{BatchNames, CustomerKey, SubscriptionEntry, SurrogateIds},
    tables::partner::PartnerRow,
};

/// Numbers that never change, by partner; filled with what is committed.
#[derive(Debug, Default)]
pub(crate) struct SurrogateIdCache {
    partners: std::sync::RwLock<HashMap<i32, PartnerIds>>,
}

#[derive(Debug, Default)]
struct PartnerIds {
    customers: HashMap<Box<str>, CustomerKey>,
    services: HashMap<Box<str>, i32>,
}

/// Above this many customers of all partners the cache starts anew: memory stays bounded.
const MOST_CACHED: usize = 500_000;

impl SurrogateIdCache {
    /// What is known of the wanted customers and services.
    fn fill(&self, partner: &PartnerRow, wanted: &BatchNames, numbers: &mut SurrogateIds) {
        let partners = self.partners.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(cached) = partners.get(&partner.number) else { return };
        for id in wanted.customers.iter().chain(&wanted.mentioned) {
            if let Some(at) = cached.customers.get(id.as_str()) {
                numbers.customers.insert(id.clone(), *at);
            }
        }
        for name in &wanted.services {
            if let Some(number) = cached.services.get(name.as_str()) {
                numbers.services.insert(name.clone(), *number);
            }
        }
    }

    /// Remembers committed numbers.
    pub(crate) fn remember(&self, partner: &PartnerRow, numbers: &SurrogateIds) {
        let mut partners = self.partners.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if partners.values().map(|cached| cached.customers.len()).sum::<usize>() > MOST_CACHED {
            partners.clear();
        }
        let cached = partners.entry(partner.number).or_default();
        for (id, at) in &numbers.customers {
            if !cached.customers.contains_key(id.as_str()) {
                cached.customers.insert(id.as_str().into(), *at);
            }
        }
        for (name, number) in &numbers.services {
            if !cached.services.contains_key(name.as_str()) {
                cached.services.insert(name.as_str().into(), *number);
            }
        }
    }
}

/// Looks the wanted numbers up. Returns whether all were there.
pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    cache: &SurrogateIdCache,
    partner: &PartnerRow,
    wanted: &BatchNames,
) -> Result<(SurrogateIds, bool), Error> {
    let mut numbers = SurrogateIds::default();
    cache.fill(partner, wanted, &mut numbers);
    look_up(connection, partner, wanted, &mut numbers).await?;
    let complete = numbers.cover(wanted);
    Ok((numbers, complete))
}

async fn look_up<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    wanted: &BatchNames,
    numbers: &mut SurrogateIds,
) -> Result<(), Error> {
    let missing = |names: Vec<&String>| -> Column { Column::Text(names.into_iter().cloned().collect()) };
    let fixed = partner.fixed();
    let customers = wanted.customers.union(&wanted.mentioned);
    let keys = missing(customers.filter(|id| !numbers.customers.contains_key(*id)).collect());
    let select = "customer_id, cell, customer_no";
    for row in bulk::lookup(connection, "ingestion_customer", &fixed, vec![("customer_id", keys)], select).await? {
        let at = CustomerKey { shard: row.try_get_by_index(2)?, number: row.try_get_by_index(3)? };
        numbers.customers.insert(row.try_get_by_index(1)?, at);
    }
    let keys = missing(wanted.subscriptions.keys().collect());
    let select = "subscription_id, subscription_no, cell, customer_no, known";
    let keys = vec![("subscription_id", keys)];
    for row in bulk::lookup(connection, "ingestion_subscription", &fixed, keys, select).await? {
        let customer = CustomerKey { shard: row.try_get_by_index(3)?, number: row.try_get_by_index(4)? };
        let at = SubscriptionEntry { number: row.try_get_by_index(2)?, customer, known: row.try_get_by_index(5)? };
        numbers.subscriptions.insert(row.try_get_by_index(1)?, at);
    }
    let keys = missing(wanted.skus.iter().collect());
    for row in bulk::lookup(connection, "ingestion_sku", &fixed, vec![("sku_id", keys)], "sku_id, sku_no").await? {
        numbers.skus.insert(row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    }
    let keys = missing(wanted.services.iter().filter(|name| !numbers.services.contains_key(*name)).collect());
    for row in bulk::lookup(connection, "ingestion_service", &fixed, vec![("name", keys)], "name, service_no").await? {
        numbers.services.insert(row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    }
    Ok(())
}

/// Gives numbers to what has none. Returns all wanted numbers and whether followers must learn new SKUs or services.
pub(crate) async fn give<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    wanted: &BatchNames,
) -> Result<(SurrogateIds, bool), Error> {
    PartnerRow::hold(connection, partner.number).await?;
    let mut numbers = SurrogateIds::default();
    look_up(connection, partner, wanted, &mut numbers).await?;
    let counters = IdCounters::read(connection, partner).await?;
    let mut next = counters;
    give_customers(connection, partner, wanted, &mut numbers, &mut next).await?;
    give_subscriptions(connection, partner, wanted, &mut numbers, &mut next).await?;
    let fixed = partner.fixed();
    let new: Vec<&String> = wanted.skus.iter().filter(|id| !numbers.skus.contains_key(*id)).collect();
    let count = i32::try_from(new.len()).unwrap_or(i32::MAX);
    let columns = vec![
        ("sku_no", Column::Int((1..=count).map(|offset| next.skus + offset).collect())),
        ("sku_id", Column::Text(new.iter().map(|id| (*id).clone()).collect())),
        ("known", Column::Bool(vec![false; new.len()])),
    ];
    bulk::upsert(connection, "ingestion_sku", &fixed, columns, Conflict::Fail).await?;
    for id in new {
        next.skus += 1;
        numbers.skus.insert(id.clone(), next.skus);
    }
    let new: Vec<&String> = wanted.services.iter().filter(|name| !numbers.services.contains_key(*name)).collect();
    let count = i32::try_from(new.len()).unwrap_or(i32::MAX);
    let columns = vec![
        ("service_no", Column::Int((1..=count).map(|offset| next.services + offset).collect())),
        ("name", Column::Text(new.iter().map(|name| (*name).clone()).collect())),
    ];
    bulk::upsert(connection, "ingestion_service", &fixed, columns, Conflict::Fail).await?;
    for name in new {
        next.services += 1;
        numbers.services.insert(name.clone(), next.services);
    }
    next.write(connection, partner).await?;
    let catalogue_grew = next.skus != counters.skus || next.services != counters.services;
    Ok((numbers, catalogue_grew))
}

async fn give_customers<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    wanted: &BatchNames,
    numbers: &mut SurrogateIds,
    next: &mut IdCounters,
) -> Result<(), Error> {
    let new: Vec<&String> = wanted.customers.iter().filter(|id| !numbers.customers.contains_key(*id)).collect();
    let mut at = Vec::with_capacity(new.len());
    for id in &new {
        next.customers += 1;
        at.push(CustomerKey { shard: partner.shard(id), number: next.customers });
    }
    let columns = vec![
        ("cell", Column::Int(at.iter().map(|at| at.shard).collect())),
        ("customer_no", Column::BigInt(at.iter().map(|at| at.number).collect())),
        ("customer_id", Column::Text(new.iter().map(|id| (*id).clone()).collect())),
        ("known", Column::Bool(vec![false; new.len()])),
        ("users", Column::Int(vec![0; new.len()])),
        ("first_activity", Column::Bytes(vec![Vec::new(); new.len()])),
    ];
    bulk::upsert(connection, "ingestion_customer", &partner.fixed(), columns, Conflict::Fail).await?;
    numbers.customers.extend(new.into_iter().cloned().zip(at));
    Ok(())
}

/// A new subscription belongs to the customer that its own record names, if that is in the batch (so that nothing has to
/// move from one shard to another), else to nobody.
async fn give_subscriptions<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    wanted: &BatchNames,
    numbers: &mut SurrogateIds,
    next: &mut IdCounters,
) -> Result<(), Error> {
    let new: Vec<(&String, &Option<String>)> =
        wanted.subscriptions.iter().filter(|(id, _)| !numbers.subscriptions.contains_key(*id)).collect();
    let mut at = Vec::with_capacity(new.len());
    for (id, customer) in &new {
        next.subscriptions += 1;
        let customer = customer.as_ref().and_then(|customer| numbers.customers.get(customer).copied());
        let customer = customer.unwrap_or_else(|| partner.unattached(id));
        at.push(SubscriptionEntry { number: next.subscriptions, customer, known: false });
    }
    let columns = vec![
        ("subscription_id", Column::Text(new.iter().map(|(id, _)| (*id).clone()).collect())),
        ("subscription_no", Column::Int(at.iter().map(|at| at.number).collect())),
        ("cell", Column::Int(at.iter().map(|at| at.customer.shard).collect())),
        ("customer_no", Column::BigInt(at.iter().map(|at| at.customer.number).collect())),
        ("known", Column::Bool(vec![false; new.len()])),
    ];
    bulk::upsert(connection, "ingestion_subscription", &partner.fixed(), columns, Conflict::Fail).await?;
    numbers.subscriptions.extend(new.into_iter().map(|(id, _)| id.clone()).zip(at));
    Ok(())
}

/// The last number given of each kind.
#[derive(Clone, Copy, Debug)]
struct IdCounters {
    customers: i64,
    subscriptions: i32,
    skus: i32,
    services: i32,
}

impl IdCounters {
    async fn read<C: ConnectionTrait>(connection: &C, partner: &PartnerRow) -> Result<Self, Error> {
        let sql = "SELECT customers, subscriptions, skus, services FROM ingestion_partner WHERE partner_no = $1";
        let row = connection.query_one_raw(statement(connection, sql, vec![Value::from(partner.number)])).await?;
        let row = row.ok_or(Error::NoPartner)?;
        Ok(Self {
            customers: row.try_get_by_index(0)?,
            subscriptions: row.try_get_by_index(1)?,
            skus: row.try_get_by_index(2)?,
            services: row.try_get_by_index(3)?,
        })
    }

    async fn write<C: ConnectionTrait>(self, connection: &C, partner: &PartnerRow) -> Result<(), Error> {
        let sql = "UPDATE ingestion_partner SET customers = $2, subscriptions = $3, skus = $4, services = $5 \
                   WHERE partner_no = $1";
        let values: Vec<Value> = vec![
            partner.number.into(),
            self.customers.into(),
            self.subscriptions.into(),
            self.skus.into(),
            self.services.into(),
        ];
        connection.execute_raw(statement(connection, sql, values)).await?;
        Ok(())
    }
}
