//! The facts of customers, a group of them in one snapshot.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;

use insights_database::{
    Database, Transaction,
    bulk::{self, Column, statement},
    sea_orm::{ConnectionTrait, QueryResult, Value},
};
use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{
    ActivityFacts, Assignment, AssignmentFacts, Customer, FirstActivity, LicenceFacts, Licensed, LowerBoundActivity,
    ReportedSeats, ReportedUsage, Revenue, StateFacts, StreamFactsResponse, Subscription, SubscriptionFacts,
    SubscriptionState, SupportCases,
};
use prost::Message;

use super::part::PartBuilder;
use crate::{
    error::Error,
    ids::CustomerKey,
    records::{fact::FactKind, licences::LicenceLists},
    tables::{
        chunk::{ActivityChunk, BUCKET},
        customer::{decode_first_activity, decode_lower_bound},
        partner::PartnerRow,
    },
};

/// Customers in one snapshot, and users of them above which a snapshot takes no further customer.
const CUSTOMERS: usize = 500;
const USERS: i64 = 20_000;

/// Which customers are still to come.
#[derive(Debug)]
pub(crate) enum CustomerSelection {
    /// These, by number; the next one last.
    Named(Vec<i64>),
    /// All after this one.
    After(CustomerKey),
}

impl CustomerSelection {
    pub(crate) fn new(mut customers: Vec<i64>) -> Self {
        if customers.is_empty() {
            return Self::After(CustomerKey { shard: i32::MIN, number: 0 });
        }
        customers.sort_unstable_by(|a, b| b.cmp(a));
        customers.dedup();
        Self::Named(customers)
    }
}

/// A customer's row.
struct FeedCustomer {
    at: CustomerKey,
    id: String,
    users: i32,
    first_activity: Vec<u8>,
    lower_bound: Vec<u8>,
}

/// What is asked for of every customer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FactsQuery {
    /// Activity of earlier months is not.
    pub first_activity_month: i32,
    /// Reported rows as they stood at this time, in nanoseconds since 1970.
    pub as_of: Option<i64>,
}

/// The facts of the next customers, cut into parts, each customer's parts in a row. `None` when all were sent.
pub(crate) async fn group(
    database: &Database,
    partner: &PartnerRow,
    selection: &mut CustomerSelection,
    asked: FactsQuery,
) -> Result<Option<Vec<StreamFactsResponse>>, Error> {
    let snapshot = database.snapshot().await?;
    let customers = loop {
        let Some(mut customers) = next(&snapshot, partner, selection).await? else { return Ok(None) };
        bound(&mut customers, selection);
        if !customers.is_empty() {
            break customers;
        }
    };
    let mut by_shard: BTreeMap<i32, Vec<FeedCustomer>> = BTreeMap::new();
    for customer in customers {
        by_shard.entry(customer.at.shard).or_default().push(customer);
    }
    let mut parts = Vec::new();
    for (shard, customers) in by_shard {
        parts.extend(shard_facts(&snapshot, partner, shard, customers, asked).await?);
    }
    snapshot.rollback().await?;
    Ok(Some(parts))
}

/// The next customers whose own record has come; facts of others do not count yet.
async fn next(
    snapshot: &Transaction,
    partner: &PartnerRow,
    selection: &mut CustomerSelection,
) -> Result<Option<Vec<FeedCustomer>>, Error> {
    const SELECT: &str = "cell, customer_no, customer_id, users, first_activity, lower_bound";
    let rows = match selection {
        CustomerSelection::Named(customers) => {
            if customers.is_empty() {
                return Ok(None);
            }
            let rest = customers.len().saturating_sub(CUSTOMERS);
            let keys = vec![("customer_no", Column::BigInt(customers.split_off(rest)))];
            let known = "AND t.known AND t.customer_no > 0";
            bulk::lookup_where(snapshot, "ingestion_customer", &partner.fixed(), keys, SELECT, known).await?
        }
        CustomerSelection::After(last) => {
            let sql = format!(
                "SELECT 0, {SELECT} FROM ingestion_customer WHERE partner_no = $1 AND (cell, customer_no) > ($2, $3) \
                 AND known AND customer_no > 0 ORDER BY cell, customer_no LIMIT {CUSTOMERS}"
            );
            let values: Vec<Value> = vec![partner.number.into(), last.shard.into(), last.number.into()];
            let rows = snapshot.query_all_raw(statement(snapshot, sql, values)).await?;
            if rows.is_empty() {
                return Ok(None);
            }
            rows
        }
    };
    let found = |row: &QueryResult| -> Result<FeedCustomer, Error> {
        Ok(FeedCustomer {
            at: CustomerKey { shard: row.try_get_by_index(1)?, number: row.try_get_by_index(2)? },
            id: row.try_get_by_index(3)?,
            users: row.try_get_by_index(4)?,
            first_activity: row.try_get_by_index(5)?,
            lower_bound: row.try_get_by_index(6)?,
        })
    };
    let mut found: Vec<FeedCustomer> = rows.iter().map(found).collect::<Result<_, _>>()?;
    found.sort_by_key(|customer| customer.at);
    Ok(Some(found))
}

/// Keeps a group small: what is too much goes back to the selection.
fn bound(customers: &mut Vec<FeedCustomer>, selection: &mut CustomerSelection) {
    let mut users = 0_i64;
    let mut keep = 0;
    for customer in customers.iter() {
        users += i64::from(customer.users);
        if keep > 0 && users > USERS {
            break;
        }
        keep += 1;
    }
    let back = customers.split_off(keep);
    match selection {
        CustomerSelection::Named(numbers) => numbers.extend(back.iter().rev().map(|customer| customer.at.number)),
        CustomerSelection::After(last) => *last = customers.last().map_or(*last, |customer| customer.at),
    }
}

/// A fact's row.
pub(super) struct StoredFact {
    pub kind: FactKind,
    pub key: Vec<u8>,
    pub day: i32,
    pub user: i32,
    /// Nanoseconds since 1970; 0 where nothing depends on it.
    pub recorded: i64,
    pub body: Vec<u8>,
}

impl StoredFact {
    fn prefix(&self) -> u32 {
        self.key.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }
}

async fn shard_facts(
    snapshot: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    customers: Vec<FeedCustomer>,
    asked: FactsQuery,
) -> Result<Vec<StreamFactsResponse>, Error> {
    let fixed = partner.fixed_shard(shard);
    let numbers: Vec<i64> = customers.iter().map(|customer| customer.at.number).collect();
    let keys = vec![("customer_no", Column::BigInt(numbers.clone()))];
    let select = "kind, key, day, user_no, body, received_at, recorded_at";
    let found = bulk::lookup_where(snapshot, "ingestion_fact", &fixed, keys, select, "AND t.waits_for = ''").await?;
    let mut facts: Vec<Vec<StoredFact>> = customers.iter().map(|_| Vec::new()).collect();
    for row in &found {
        let Some(kind) = FactKind::from_number(row.try_get_by_index(1)?) else { continue };
        if asked
            .as_of
            .is_some_and(|time| kind.keeps_history() && row.try_get_by_index(6).is_ok_and(|at: i64| at > time))
        {
            continue;
        }
        let fact = StoredFact {
            kind,
            key: row.try_get_by_index(2)?,
            day: row.try_get_by_index(3)?,
            user: row.try_get_by_index(4)?,
            body: row.try_get_by_index(5)?,
            recorded: row.try_get_by_index(7)?,
        };
        facts[place(row)?].push(fact);
    }
    if let Some(time) = asked.as_of {
        for (place, row) in super::history::standing_at(snapshot, &fixed, &numbers, time).await? {
            facts[place].push(row);
        }
    }
    let keys = vec![
        ("customer_no", Column::BigInt(numbers)),
        ("_month", Column::Int(vec![asked.first_activity_month; customers.len()])),
    ];
    let select = "month, bucket, body";
    let since = "AND t.month >= k._month";
    let found = bulk::lookup_where(snapshot, "ingestion_activity", &fixed, keys, select, since).await?;
    let mut activity: Vec<BTreeMap<(i32, i32), ActivityFacts>> = customers.iter().map(|_| BTreeMap::new()).collect();
    for row in &found {
        let (month, bucket): (i32, i32) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        add_chunk(&mut activity[place(row)?], month, bucket, &row.try_get_by_index::<Vec<u8>>(3)?)?;
    }
    let skus = sku_numbers(snapshot, partner, &facts).await?;
    let mut parts = Vec::new();
    for ((customer, facts), activity) in customers.into_iter().zip(facts).zip(activity) {
        parts.extend(customer_parts(customer, facts, activity, &skus)?);
    }
    Ok(parts)
}

pub(super) fn place(row: &QueryResult) -> Result<usize, Error> {
    Ok(usize::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or(usize::MAX))
}

fn add_chunk(
    activity: &mut BTreeMap<(i32, i32), ActivityFacts>,
    month: i32,
    bucket: i32,
    body: &[u8],
) -> Result<(), Error> {
    let base = bucket.cast_unsigned() * BUCKET as u32;
    for (service, masks) in ActivityChunk::decode(body)?.services() {
        let target = activity.entry((service, month)).or_insert_with(|| ActivityFacts {
            service: service.cast_unsigned(),
            month,
            ..ActivityFacts::default()
        });
        for (place, mask) in (0_u32..).zip(masks).filter(|(_, mask)| **mask != 0) {
            target.user.push(base + place);
            target.days.push(*mask);
        }
    }
    Ok(())
}

/// Numbers of the SKUs that subscriptions and states name.
async fn sku_numbers(
    snapshot: &Transaction,
    partner: &PartnerRow,
    facts: &[Vec<StoredFact>],
) -> Result<HashMap<String, u32>, Error> {
    let mut ids = HashSet::new();
    for row in facts.iter().flatten() {
        match row.kind {
            FactKind::Subscription => drop(ids.insert(Subscription::decode(row.body.as_slice())?.sku_id)),
            FactKind::State => ids.extend(SubscriptionState::decode(row.body.as_slice())?.sku_id),
            _ => {}
        }
    }
    let keys = vec![("sku_id", Column::Text(ids.into_iter().collect()))];
    let rows = bulk::lookup(snapshot, "ingestion_sku", &partner.fixed(), keys, "sku_id, sku_no").await?;
    let number = |row: &QueryResult| -> Result<(String, u32), Error> {
        Ok((row.try_get_by_index(1)?, row.try_get_by_index::<i32>(2)?.cast_unsigned()))
    };
    rows.iter().map(number).collect()
}

fn customer_parts(
    customer: FeedCustomer,
    mut facts: Vec<StoredFact>,
    activity: BTreeMap<(i32, i32), ActivityFacts>,
    skus: &HashMap<String, u32>,
) -> Result<Vec<StreamFactsResponse>, Error> {
    // Subscriptions before what refers to them.
    facts.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    let attributes = facts.iter().find(|row| row.kind == FactKind::Customer);
    let attributes = attributes.map(|row| Customer::decode(row.body.as_slice())).transpose()?;
    let first_activity = decode_first_activity(&customer.first_activity)
        .into_iter()
        .map(|(service, day)| FirstActivity { service: service.cast_unsigned(), day })
        .collect();
    let lower_bound = decode_lower_bound(&customer.lower_bound)
        .into_iter()
        .map(|(service, (first_day, last_day))| LowerBoundActivity {
            service: service.cast_unsigned(),
            first_day,
            last_day,
        })
        .collect();
    let mut parts = PartBuilder::new(StreamFactsResponse {
        customer: customer.at.number,
        cell: customer.at.shard,
        customer_id: customer.id,
        attributes,
        first_activity,
        lower_bound,
        ..StreamFactsResponse::default()
    });
    let of_lists = facts.iter().filter(|row| row.kind == FactKind::LicenceList);
    let lists = LicenceLists::new(of_lists.map(|row| (row.prefix(), row.day)));
    let mut sent = HashSet::new();
    for row in facts {
        match row.kind {
            FactKind::Licensed => add_licence(&mut parts, &row, &lists)?,
            _ => add_fact(&mut parts, &row, &mut sent, skus)?,
        }
    }
    for facts in activity.into_values() {
        parts.add(16 + facts.user.len() * 7, |part| part.activity.push(facts));
    }
    Ok(parts.finish())
}

fn add_fact(
    parts: &mut PartBuilder,
    row: &StoredFact,
    sent: &mut HashSet<u32>,
    skus: &HashMap<String, u32>,
) -> Result<(), Error> {
    let body = row.body.as_slice();
    let number = row.prefix();
    let size = body.len() + 24;
    // What refers to a subscription that itself waits, waits with it. Rows by customer and SKU begin with 0.
    if FactKind::OF_SUBSCRIPTION.contains(&row.kind) && number != 0 && !sent.contains(&number) {
        return Ok(());
    }
    let sku_number = |id: &str| skus.get(id).copied().unwrap_or(0);
    match row.kind {
        FactKind::Subscription => {
            let subscription = Subscription::decode(body)?;
            sent.insert(number);
            let facts =
                SubscriptionFacts { number, sku: sku_number(&subscription.sku_id), subscription: Some(subscription) };
            parts.add(size, |part| part.subscriptions.push(facts));
        }
        FactKind::State => {
            let state = SubscriptionState::decode(body)?;
            let facts = StateFacts {
                subscription: number,
                effective: row.day,
                status: state.status,
                seats: u32::try_from(state.seats.unwrap_or(0)).unwrap_or(u32::MAX),
                sku: state.sku_id.as_deref().map_or(0, sku_number),
                trial: state.trial,
            };
            parts.add(size, |part| part.states.push(facts));
        }
        FactKind::Assignment => {
            let to = end(Assignment::decode(body)?.to_day.as_ref());
            let user = row.user.cast_unsigned();
            let facts = AssignmentFacts { subscription: number, user, from_day: row.day, to_day: to };
            parts.add(20, |part| part.assignments.push(facts));
        }
        FactKind::Revenue => {
            let facts = Revenue::decode(body)?;
            parts.add(size, |part| part.revenue.push(facts));
        }
        FactKind::SupportCases => {
            let facts = SupportCases::decode(body)?;
            parts.add(size, |part| part.support_cases.push(facts));
        }
        FactKind::ReportedSeats => {
            let facts = ReportedSeats::decode(body)?;
            parts.add(size, |part| part.reported_seats.push(facts));
        }
        FactKind::ReportedUsage => {
            let facts = ReportedUsage::decode(body)?;
            parts.add(size, |part| part.reported_usage.push(facts));
        }
        // Licences are sent apart, with what their lists say of them.
        FactKind::Licensed | FactKind::LicenceList => {}
        FactKind::Customer | FactKind::Partner | FactKind::Location | FactKind::Sku | FactKind::CompleteThrough => {}
    }
    Ok(())
}

fn add_licence(parts: &mut PartBuilder, row: &StoredFact, lists: &LicenceLists) -> Result<(), Error> {
    let licence = Licensed::decode(row.body.as_slice())?;
    let service = row.prefix();
    let to = end(licence.to_day.as_ref());
    let to = if licence.listed { lists.end(service, row.day, to, row.recorded) } else { to };
    let facts = LicenceFacts { user: row.user.cast_unsigned(), service, from_day: row.day, to_day: to };
    parts.add(20, |part| part.licences.push(facts));
    Ok(())
}

fn end(day: Option<&String>) -> Option<i32> {
    Day::from_str(day?).ok().map(Day::epoch_days)
}
