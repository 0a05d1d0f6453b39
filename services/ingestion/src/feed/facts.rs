//! The facts of customers, a group of them in one snapshot.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;

use insights_database::{Database, Transaction};
use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{
    ActivityFacts, Assignment, AssignmentFacts, Customer, FirstActivity, LicenceFacts, Licensed, LowerBoundActivity,
    ReportedSeats, ReportedUsage, Revenue, StateFacts, StreamFactsResponse, Subscription, SubscriptionFacts,
    SubscriptionState, SupportCases,
};
use prost::Message;

use super::{absences::absences, part::PartBuilder};
use crate::{
    error::Error,
    ids::CustomerAddress,
    records::{fact::FactKind, licences::LicenceLists},
    tables::{
        activity::{self, ChunkRow},
        catalogue,
        chunk::BUCKET,
        customer::{self, FeedCustomer, decode_first_activity, decode_lower_bound},
        fact::{self, FeedFact},
        history,
        partner::StoredPartner,
    },
};

/// Most customers of one snapshot, and the users above which it takes no further customer.
const CUSTOMERS: usize = 500;
const USERS: i64 = 20_000;

/// Which customers are still to come.
#[derive(Debug)]
pub(crate) enum FeedSelection {
    /// Customers by number, the next one last.
    Named(Vec<i64>),
    /// All customers after one.
    After(CustomerAddress),
}

impl FeedSelection {
    pub(crate) fn new(mut customers: Vec<i64>) -> Self {
        if customers.is_empty() {
            return Self::After(CustomerAddress { shard: i32::MIN, number: 0 });
        }
        customers.sort_unstable_by(|a, b| b.cmp(a));
        customers.dedup();
        Self::Named(customers)
    }
}

/// The facts that a follower asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FactsQuery {
    /// The first month of activity.
    pub first_activity_month: i32,
    /// Reported rows as they stood at this time, in nanoseconds since 1970.
    pub as_of: Option<i64>,
}

/// The facts of the next customers, cut into parts, each customer's parts in a row. `None` when all were sent.
pub(crate) async fn group(
    database: &Database,
    partner: &StoredPartner,
    selection: &mut FeedSelection,
    query: FactsQuery,
) -> Result<Option<Vec<StreamFactsResponse>>, Error> {
    let snapshot = database.snapshot().await?;
    let parts = group_in(&snapshot, partner, selection, query).await?;
    snapshot.rollback().await?;
    Ok(parts)
}

/// The same as a transaction sees them.
pub(crate) async fn group_in(
    snapshot: &Transaction,
    partner: &StoredPartner,
    selection: &mut FeedSelection,
    query: FactsQuery,
) -> Result<Option<Vec<StreamFactsResponse>>, Error> {
    let customers = loop {
        let Some(mut customers) = next(snapshot, partner, selection).await? else { return Ok(None) };
        bound(&mut customers, selection);
        if !customers.is_empty() {
            break customers;
        }
    };
    let mut by_shard: BTreeMap<i32, Vec<FeedCustomer>> = BTreeMap::new();
    for customer in customers {
        by_shard.entry(customer.at().shard).or_default().push(customer);
    }
    let mut parts = Vec::new();
    for (shard, customers) in by_shard {
        parts.extend(shard_facts(snapshot, partner, shard, customers, query).await?);
    }
    Ok(Some(parts))
}

/// The next known customers; facts of others do not count yet.
async fn next(
    snapshot: &Transaction,
    partner: &StoredPartner,
    selection: &mut FeedSelection,
) -> Result<Option<Vec<FeedCustomer>>, Error> {
    let mut found = match selection {
        FeedSelection::Named(customers) => {
            if customers.is_empty() {
                return Ok(None);
            }
            let rest = customers.len().saturating_sub(CUSTOMERS);
            customer::read_numbers(snapshot, partner, customers.split_off(rest)).await?
        }
        FeedSelection::After(last) => {
            let rows = customer::read_after(snapshot, partner, *last, CUSTOMERS as i64).await?;
            if rows.is_empty() {
                return Ok(None);
            }
            rows
        }
    };
    found.sort_by_key(FeedCustomer::at);
    Ok(Some(found))
}

/// Bounds a group by its users: customers beyond go back to the selection.
fn bound(customers: &mut Vec<FeedCustomer>, selection: &mut FeedSelection) {
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
        FeedSelection::Named(numbers) => numbers.extend(back.iter().rev().map(|customer| customer.at().number)),
        FeedSelection::After(last) => *last = customers.last().map_or(*last, FeedCustomer::at),
    }
}

async fn shard_facts(
    snapshot: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    customers: Vec<FeedCustomer>,
    query: FactsQuery,
) -> Result<Vec<StreamFactsResponse>, Error> {
    let numbers: Vec<i64> = customers.iter().map(|customer| customer.at().number).collect();
    let mut facts: Vec<Vec<FeedFact>> = customers.iter().map(|_| Vec::new()).collect();
    for (position, fact) in fact::read_of_customers(snapshot, partner, shard, &numbers).await? {
        if query.as_of.is_none_or(|time| !fact.kind.keeps_history() || fact.received <= time) {
            facts[position].push(fact);
        }
    }
    if let Some(time) = query.as_of {
        for (position, fact) in history::standing_at(snapshot, partner, shard, &numbers, time).await? {
            facts[position].push(fact);
        }
    }
    let chunks = activity::read_since(snapshot, partner, shard, &numbers, query.first_activity_month).await?;
    let mut activity: Vec<BTreeMap<(i32, i32), ActivityFacts>> = customers.iter().map(|_| BTreeMap::new()).collect();
    for (position, row) in chunks {
        add_chunk(&mut activity[position], &row);
    }
    let skus = sku_numbers(snapshot, partner, &facts).await?;
    let lists = fact::customer_lists(snapshot, partner).await?;
    let mut parts = Vec::new();
    for ((customer, facts), activity) in customers.into_iter().zip(facts).zip(activity) {
        let absences = absences(&facts, &lists)?;
        let mut customer_parts = customer_parts(customer, facts, activity, &skus)?;
        if let Some(part) = customer_parts.last_mut() {
            part.absences = absences;
        }
        parts.extend(customer_parts);
    }
    Ok(parts)
}

fn add_chunk(activity: &mut BTreeMap<(i32, i32), ActivityFacts>, row: &ChunkRow) {
    let base = row.bucket.cast_unsigned() * BUCKET as u32;
    let month = row.month.index();
    for (service, masks) in row.chunk.services() {
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
}

/// Numbers of the SKUs that subscriptions and states name.
async fn sku_numbers(
    snapshot: &Transaction,
    partner: &StoredPartner,
    facts: &[Vec<FeedFact>],
) -> Result<HashMap<String, u32>, Error> {
    let mut ids = HashSet::new();
    for row in facts.iter().flatten() {
        match row.kind {
            FactKind::Subscription => drop(ids.insert(Subscription::decode(row.body.as_slice())?.sku_id)),
            FactKind::State => ids.extend(SubscriptionState::decode(row.body.as_slice())?.sku_id),
            _ => {}
        }
    }
    let rows = catalogue::look_up_skus(snapshot, partner, ids.into_iter().collect()).await?;
    Ok(rows.into_iter().map(|sku| (sku.sku_id, sku.sku_no.cast_unsigned())).collect())
}

fn customer_parts(
    customer: FeedCustomer,
    mut facts: Vec<FeedFact>,
    activity: BTreeMap<(i32, i32), ActivityFacts>,
    skus: &HashMap<String, u32>,
) -> Result<Vec<StreamFactsResponse>, Error> {
    // Subscriptions before the facts that refer to them.
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
        customer: customer.at().number,
        cell: customer.at().shard,
        customer_id: customer.customer_id,
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
    row: &FeedFact,
    sent: &mut HashSet<u32>,
    skus: &HashMap<String, u32>,
) -> Result<(), Error> {
    let body = row.body.as_slice();
    let number = row.prefix();
    let size = body.len() + 24;
    // A fact of a subscription that itself waits, waits with it. Keys of rows by customer and SKU begin with 0.
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
        // Licences are added by `add_licence`, with their lists.
        FactKind::Licensed | FactKind::LicenceList => {}
        // What lists leave out is worked out by `absences`.
        FactKind::SubscriptionList | FactKind::SkuList | FactKind::CustomerList => {}
        FactKind::Customer | FactKind::Partner | FactKind::Location | FactKind::Sku | FactKind::CompleteThrough => {}
    }
    Ok(())
}

fn add_licence(parts: &mut PartBuilder, row: &FeedFact, lists: &LicenceLists) -> Result<(), Error> {
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
