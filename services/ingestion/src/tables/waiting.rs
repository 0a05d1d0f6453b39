//! What is waited for: references of stored facts to things that have not come, and activity of customers that have not.

use std::collections::BTreeMap;

use insights_database::sea_orm::{self, ConnectionTrait, FromQueryResult};

use super::{chunk::ActivityChunk, partner::StoredPartner, statements as sql};
use crate::error::Error;

/// A reference such as `customer/C-1`, `subscription/S-1` or `sku/K-1`, and how many records wait for it.
pub(crate) type WaitingCount = (String, i64);

/// Customers whose activity is read at once to be counted.
const CUSTOMERS_AT_ONCE: i64 = 500;

#[derive(FromQueryResult)]
struct ReferenceCount {
    waits_for: String,
    records: i64,
}

#[derive(FromQueryResult)]
pub(super) struct RecordCount {
    pub records: i64,
}

#[derive(FromQueryResult)]
struct WaitingChunk {
    customer_id: String,
    body: Vec<u8>,
}

/// Lists references in the order of their names, from after one on.
pub(crate) async fn list<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    after: &str,
    most: usize,
) -> Result<Vec<WaitingCount>, Error> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let (scope, values) = (partner.whole(), vec![after.into(), limit.into()]);
    let rows = sql::WAITING_COUNTS.rows::<ReferenceCount, _>(connection, scope, values).await?;
    let mut counts: BTreeMap<String, i64> = rows.into_iter().map(|row| (row.waits_for, row.records)).collect();
    for (reference, facts) in waiting_activity(connection, partner, after, limit).await? {
        *counts.entry(reference).or_insert(0) += facts;
    }
    Ok(counts.into_iter().take(most).collect())
}

/// Customers whose own record has not come and who have activity, with the number of its facts.
async fn waiting_activity<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    after: &str,
    most: i64,
) -> Result<Vec<WaitingCount>, Error> {
    let after = match after.strip_prefix("customer/") {
        Some(id) => id,
        None if after < "customer/" => "",
        None => return Ok(Vec::new()),
    };
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    let (scope, values) = (partner.whole(), vec![after.into(), most.into()]);
    for row in sql::CHUNKS_WAITING.rows::<WaitingChunk, _>(connection, scope, values).await? {
        let chunk = ActivityChunk::decode(&row.body)?;
        let facts: u32 = chunk.services().flat_map(|(_, masks)| masks).map(|mask| mask.count_ones()).sum();
        *counts.entry(format!("customer/{}", row.customer_id)).or_insert(0) += i64::from(facts);
    }
    Ok(counts.into_iter().collect())
}

/// How many records wait.
pub(crate) async fn count<C: ConnectionTrait>(connection: &C, partner: &StoredPartner) -> Result<i64, Error> {
    let facts = sql::COUNT_WAITING.row(connection, partner.whole(), vec![]).await?;
    let (mut all, mut after) = (facts.map_or(0, |row: RecordCount| row.records), String::new());
    loop {
        let page = waiting_activity(connection, partner, &after, CUSTOMERS_AT_ONCE).await?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after.clone_from(last);
        all += page.into_iter().map(|(_, facts)| facts).sum::<i64>();
    }
}
