//! What early records wait for.

use std::collections::BTreeMap;

use insights_database::{
    bulk::{byte_order, statement},
    sea_orm::{ConnectionTrait, Value},
};

use super::{chunk::ActivityChunk, partner::PartnerRow};
use crate::error::Error;

/// A missing thing: `customer/C-1`, `subscription/S-1` or `sku/K-1`, and how many records wait for it.
pub(crate) type Missing = (String, i64);

/// Customers whose activity is read at once to be counted.
const CUSTOMERS_AT_ONCE: i64 = 500;

/// Lists missing things in the order of their names, from after one on.
pub(crate) async fn list<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    after: &str,
    most: usize,
) -> Result<Vec<Missing>, Error> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    // As they are ordered here, whatever the database's own order of words.
    let bytes = byte_order(connection);
    let sql = format!(
        "SELECT waits_for, count(*) FROM ingestion_fact WHERE partner_no = $1 AND waits_for <> '' \
         AND waits_for {bytes} > $2 GROUP BY waits_for ORDER BY waits_for {bytes} LIMIT $3"
    );
    let values: Vec<Value> = vec![partner.number.into(), after.into(), limit.into()];
    let mut missing: BTreeMap<String, i64> = BTreeMap::new();
    for row in connection.query_all_raw(statement(connection, &sql, values)).await? {
        missing.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    }
    for (reference, facts) in active_unknown(connection, partner, after, limit).await? {
        *missing.entry(reference).or_insert(0) += facts;
    }
    Ok(missing.into_iter().take(most).collect())
}

/// Customers that nobody introduced and whose users were active, with the number of such facts.
async fn active_unknown<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    after: &str,
    most: i64,
) -> Result<Vec<Missing>, Error> {
    let after = match after.strip_prefix("customer/") {
        Some(id) => id,
        None if after < "customer/" => "",
        None => return Ok(Vec::new()),
    };
    let bytes = byte_order(connection);
    let sql = format!(
        "SELECT c.customer_id, a.body FROM (SELECT cell, customer_no, customer_id FROM ingestion_customer \
         WHERE partner_no = $1 AND NOT known AND customer_id {bytes} > $2 AND EXISTS (SELECT 1 FROM ingestion_activity e \
         WHERE e.partner_no = $1 AND e.cell = ingestion_customer.cell AND e.customer_no = ingestion_customer.customer_no) \
         ORDER BY customer_id {bytes} LIMIT $3) AS c JOIN ingestion_activity AS a \
         ON a.partner_no = $1 AND a.cell = c.cell AND a.customer_no = c.customer_no"
    );
    let values: Vec<Value> = vec![partner.number.into(), after.into(), most.into()];
    let mut missing: BTreeMap<String, i64> = BTreeMap::new();
    for row in connection.query_all_raw(statement(connection, &sql, values)).await? {
        let chunk = ActivityChunk::decode(&row.try_get_by_index::<Vec<u8>>(1)?)?;
        let facts: u32 = chunk.services().flat_map(|(_, masks)| masks).map(|mask| mask.count_ones()).sum();
        *missing.entry(format!("customer/{}", row.try_get_by_index::<String>(0)?)).or_insert(0) += i64::from(facts);
    }
    Ok(missing.into_iter().collect())
}

/// How many records wait.
pub(crate) async fn count<C: ConnectionTrait>(connection: &C, partner: &PartnerRow) -> Result<i64, Error> {
    let sql = "SELECT count(*) FROM ingestion_fact WHERE partner_no = $1 AND waits_for <> ''";
    let row = connection.query_one_raw(statement(connection, sql, vec![partner.number.into()])).await?;
    let facts: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
    let (mut all, mut after) = (facts, String::new());
    loop {
        let page = active_unknown(connection, partner, &after, CUSTOMERS_AT_ONCE).await?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after.clone_from(last);
        all += page.into_iter().map(|(_, facts)| facts).sum::<i64>();
    }
}
