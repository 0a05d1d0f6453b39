//! One transaction of a batch: a unit of cells, or the partner's own records.

use std::collections::HashMap;

use insights_database::{
    Transaction,
    bulk::{self, Column, Lock, statement},
    sea_orm::{ConnectionTrait, Value},
};
use insights_proto::ingestion::v1 as proto;
use prost::Message;

use super::{
    plan::{Item, Step, Unit},
    rules::{
        activity,
        facts::{self, Arrival},
        retraction::{self, PlacedRetraction},
    },
    transaction::{Placed, Tally, UserCache, Where, Work, key, publish},
};
use crate::{
    error::Error,
    ids::{NumberedUser, Numbers, OF_PARTNER},
    records::{
        Activity, Parsed,
        fact::{Kind, Place},
    },
    tables::{
        customer::{self, CustomerState, Held},
        fact,
        partner::{NO_DAY, Partner},
    },
};

/// What a transaction did, to be made known once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub tally: Tally,
    /// The partner's new version, if anything changed.
    pub version: Option<i64>,
    pub numbered: Vec<NumberedUser>,
}

/// What all transactions of a batch share.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    pub partner: &'a Partner,
    pub users: &'a UserCache,
    pub activity: &'a Activity,
    pub numbers: &'a Numbers,
    /// Receive time of the batch, nanoseconds since 1970.
    pub now: i64,
    /// How customers are held; only a test holds them less.
    pub lock: Lock,
}

/// Does one unit.
pub(crate) async fn unit(transaction: &Transaction, shared: Shared<'_>, unit: &Unit<'_>) -> Result<Outcome, Error> {
    let held = customer::hold(transaction, shared.partner, &unit.customers, shared.lock).await?;
    let mut work = Work::new(transaction, shared.partner, shared.users, held, shared.now);
    work.read_subscriptions(unit.subscriptions.clone()).await?;
    steps(&mut work, &unit.steps).await?;
    facts::release(&mut work, &unit.todo.arrivals).await?;
    for (cell, facts) in &unit.todo.activity {
        activity::apply(&mut work, *cell, shared.activity, facts, shared.numbers).await?;
    }
    finish(work).await
}

async fn steps(work: &mut Work<'_>, steps: &[Step<'_>]) -> Result<(), Error> {
    let mut run: Vec<Placed<'_>> = Vec::new();
    for step in steps {
        match step {
            Step::Fact(placed) => run.push(placed.clone()),
            Step::Retract(retraction) => {
                facts::apply(work, &run).await?;
                run.clear();
                retraction::apply(work, *retraction).await?;
            }
        }
    }
    facts::apply(work, &run).await
}

async fn finish(work: Work<'_>) -> Result<Outcome, Error> {
    customer::store(work.transaction, work.partner, &work.held).await?;
    let version = publish(work.transaction, work.partner, work.changes, work.now).await?;
    if version.is_none() && work.tally.accepted > 0 {
        // Only facts that wait: no follower needs to hear of them, yet something came.
        let sql = "UPDATE ingestion_partner SET last_ingest = $2 WHERE partner_no = $1 AND last_ingest < $2";
        let values: Vec<Value> = vec![work.partner.no.into(), work.now.into()];
        work.transaction.execute_raw(statement(work.transaction, sql, values)).await?;
    }
    Ok(Outcome { tally: work.tally, version, numbered: work.numbered })
}

/// Does the partner's own records: settings, locations, catalogue, `complete_through`. Returns what arrived with them is
/// to be looked for with [`waiting_for_skus`] once this is committed.
pub(crate) async fn of_partner(
    transaction: &Transaction,
    shared: Shared<'_>,
    items: &[Item],
) -> Result<Outcome, Error> {
    let items: Vec<&Item> = items.iter().filter(|item| item.is_of_partner()).collect();
    if items.is_empty() {
        return Ok(Outcome::default());
    }
    let partner = shared.partner;
    let mut skus: Vec<i32> = skus_of(&items, shared.numbers);
    // SKUs before the partner, as everybody holds them.
    skus.sort_unstable();
    skus.dedup();
    let key_column = ("sku_no", Column::Int(skus.clone()));
    bulk::lock(transaction, "ingestion_sku", &partner.fixed(), key_column, "sku_no", Lock::Update).await?;
    Partner::hold(transaction, partner.no).await?;
    let steps_of_batch: Vec<Step<'_>> = items.iter().map(|item| place(item, shared.numbers)).collect();
    let state = CustomerState {
        at: OF_PARTNER,
        id: String::new(),
        known: true,
        users: 0,
        first_activity: Default::default(),
        lower_bound: Default::default(),
        changed: false,
    };
    let held: Held = HashMap::from([(OF_PARTNER, state)]);
    let mut work = Work::new(transaction, partner, shared.users, held, shared.now);
    steps(&mut work, &steps_of_batch).await?;
    if !work.changes.customers.is_empty() {
        update_partner(&mut work, &skus).await?;
    }
    finish(work).await
}

fn skus_of(items: &[&Item], numbers: &Numbers) -> Vec<i32> {
    let ids = items.iter().filter_map(|item| match &item.what {
        Parsed::Fact(fact) if fact.kind == Kind::Sku => fact.sku.as_ref(),
        _ => None,
    });
    ids.filter_map(|id| numbers.skus.get(id).copied()).collect()
}

fn place<'a>(item: &'a Item, numbers: &Numbers) -> Step<'a> {
    match &item.what {
        Parsed::Fact(fact) => Step::Fact(Placed {
            fact,
            recorded: item.recorded(),
            received: item.received,
            place: Where::Customer(OF_PARTNER),
            key: key(fact, 0, numbers),
        }),
        Parsed::Retract(retraction) => Step::Retract(PlacedRetraction {
            retraction,
            received: item.received,
            customer: Some(OF_PARTNER),
            service: None,
        }),
    }
}

/// Brings the partner's row and the SKUs' up to the facts.
async fn update_partner(work: &mut Work<'_>, skus: &[i32]) -> Result<(), Error> {
    let connection = work.transaction;
    let no = work.partner.no;
    let (complete_through, _) = fact::of_partner(connection, work.partner, Kind::CompleteThrough).await?;
    let (_, settings) = fact::of_partner(connection, work.partner, Kind::Partner).await?;
    let settings = proto::Partner::decode(settings.unwrap_or_default().as_slice())?;
    let sql = "UPDATE ingestion_partner SET complete_through = $2, time_zone = $3 WHERE partner_no = $1";
    let zone = settings.time_zone.unwrap_or_else(|| "UTC".to_owned());
    let values = vec![no.into(), complete_through.unwrap_or(NO_DAY).into(), zone.into()];
    connection.execute_raw(statement(connection, sql, values)).await?;
    for sku in skus {
        let sql = "UPDATE ingestion_sku SET known = $3 WHERE partner_no = $1 AND sku_no = $2 AND NOT known";
        connection.execute_raw(statement(connection, sql, vec![no.into(), (*sku).into(), true.into()])).await?;
    }
    Ok(())
}

/// Facts that wait for SKUs of this batch, which are there now.
pub(crate) async fn waiting_for_skus<C: ConnectionTrait>(
    connection: &C,
    partner: &Partner,
    items: &[Item],
) -> Result<Vec<Arrival>, Error> {
    let references = items.iter().filter_map(|item| match &item.what {
        Parsed::Fact(fact) if fact.kind == Kind::Sku && matches!(fact.place, Place::Partner) => {
            fact.sku.as_ref().map(|id| format!("sku/{id}"))
        }
        _ => None,
    });
    let mut references: Vec<String> = references.collect();
    references.sort();
    references.dedup();
    fact::waiting_for(connection, partner, references).await
}
