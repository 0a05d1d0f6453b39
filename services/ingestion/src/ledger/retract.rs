//! Facts taken back.

use std::collections::BTreeMap;

use insights_database::{
    bulk::statement,
    sea_orm::{ConnectionTrait, Value},
};

use super::{
    Error, activity,
    cells::CustomerAt,
    facts,
    kind::{Kind, Retracted, Retraction},
    work::{Row, Work},
};

/// A retraction with numbers in the place of names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlacedRetraction<'a> {
    pub retraction: &'a Retraction,
    pub received: i64,
    /// Absent when nothing was ever said of the customer.
    pub customer: Option<CustomerAt>,
    /// `Some(None)` when nothing was ever said of the service.
    pub service: Option<Option<i32>>,
}

/// Takes back what was received before.
pub(crate) async fn apply(work: &mut Work<'_>, placed: PlacedRetraction<'_>) -> Result<(), Error> {
    let removed = match (placed.customer, placed.service) {
        (None, _) | (_, Some(None)) => false,
        (Some(customer), service) => {
            let service = service.flatten();
            match placed.retraction.what {
                Retracted::Activity => {
                    activity::retract(work, customer, service, placed.retraction.from, placed.retraction.to).await?
                }
                Retracted::Facts(kind) => facts_of(work, customer, kind, service, &placed).await?,
            }
        }
    };
    if removed {
        work.tally.accepted += 1;
    } else {
        work.tally.duplicates += 1;
    }
    Ok(())
}

async fn facts_of(
    work: &mut Work<'_>,
    customer: CustomerAt,
    kind: Kind,
    service: Option<i32>,
    placed: &PlacedRetraction<'_>,
) -> Result<bool, Error> {
    let sql = "SELECT key, recorded_at, received_at, day, body, waits_for, kind FROM ingestion_fact WHERE partner_no = $1 \
               AND cell = $2 AND customer_no = $3 AND kind IN ($4, $7) AND day >= $5 AND day <= $6";
    let values: Vec<Value> = vec![
        work.partner.no.into(),
        customer.cell.into(),
        customer.no.into(),
        (kind as i32).into(),
        placed.retraction.from.epoch_days().into(),
        placed.retraction.to.epoch_days().into(),
        (kind.with() as i32).into(),
    ];
    let mut rows = Vec::new();
    for row in work.transaction.query_all_raw(statement(work.transaction, sql, values)).await? {
        let key: Vec<u8> = row.try_get_by_index(0)?;
        if service.is_some_and(|service| !key.starts_with(&service.to_be_bytes())) {
            continue;
        }
        rows.push(Row {
            customer,
            kind: if row.try_get_by_index::<i32>(6)? == kind as i32 { kind } else { kind.with() },
            key,
            recorded: row.try_get_by_index(1)?,
            received: row.try_get_by_index(2)?,
            day: row.try_get_by_index(3)?,
            body: row.try_get_by_index(4)?,
            waits_for: row.try_get_by_index(5)?,
        });
    }
    if rows.is_empty() {
        return Ok(false);
    }
    facts::delete(work, customer.cell, &rows).await?;
    for row in rows.iter().filter(|row| row.waits_for.is_empty()) {
        work.note(customer, row.day);
    }
    if kind.keeps_history() {
        let rows: BTreeMap<Vec<u8>, Row> = rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        let rows = rows.into_values().map(|row| (row, placed.received)).collect();
        facts::keep_history(work, customer.cell, rows).await?;
    }
    Ok(true)
}
