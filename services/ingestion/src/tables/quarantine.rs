//! `ingestion_quarantine`: rejected records with their reasons, kept until they are replayed.

use std::collections::HashSet;

use insights_database::{
    bulk::Column,
    sea_orm::{self, ConnectionTrait, FromQueryResult, Value},
};

use super::{
    partner::{self, StoredPartner},
    statements as sql,
    waiting::RecordCount,
};
use crate::{error::Error, records::quarantine::Rejected};

/// A record in the quarantine.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Quarantined {
    pub id: i64,
    pub batch_id: String,
    /// Its position in the batch.
    #[sea_orm(from_alias = "position")]
    pub index: i64,
    pub kind: String,
    pub field: String,
    pub reason: String,
    #[sea_orm(from_alias = "received_at")]
    pub received: i64,
    #[sea_orm(from_alias = "record_json")]
    pub json: String,
}

/// Puts records into the quarantine.
pub(crate) async fn keep<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    batch_id: &str,
    rejected: &[Rejected],
    now: i64,
) -> Result<(), Error> {
    if rejected.is_empty() {
        return Ok(());
    }
    StoredPartner::lock(connection, partner.number).await?;
    let count = i64::try_from(rejected.len()).unwrap_or(0);
    let last = partner::take_quarantine_ids(connection, partner, count).await?;
    let mut seen = HashSet::new();
    let rows: Vec<(i64, Vec<u8>, &Rejected)> = (last - count + 1..=last)
        .zip(rejected)
        .map(|(id, rejected)| (id, rejected.digest(), rejected))
        .filter(|(_, digest, _)| seen.insert(digest.clone()))
        .collect();
    let fixed = [
        ("partner_no", Value::from(partner.number)),
        ("batch_id", Value::from(batch_id)),
        ("received_at", Value::from(now)),
    ];
    let columns = vec![
        Column::BigInt(rows.iter().map(|row| row.0).collect()),
        Column::BigInt(rows.iter().map(|row| row.2.index).collect()),
        Column::Text(rows.iter().map(|row| row.2.kind.to_owned()).collect()),
        Column::Text(rows.iter().map(|row| row.2.field.clone()).collect()),
        Column::Text(rows.iter().map(|row| row.2.reason.clone()).collect()),
        Column::Text(rows.iter().map(|row| row.2.json.clone()).collect()),
        Column::Bytes(rows.into_iter().map(|row| row.1).collect()),
    ];
    sql::KEEP_REJECTED.run_with(connection, &fixed, columns).await
}

/// Lists the quarantine, newest first, from below an id on; of one batch, or of all with an empty batch id.
pub(crate) async fn list<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    batch_id: &str,
    below: i64,
    most: u32,
) -> Result<Vec<Quarantined>, Error> {
    let values = vec![below.into(), i64::from(most).into(), batch_id.into()];
    sql::REJECTED_BELOW.rows(connection, partner.whole(), values).await
}

/// The records with these ids, of those that are still there.
pub(crate) async fn get<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    ids: &[i64],
) -> Result<Vec<Quarantined>, Error> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let keys = vec![Column::BigInt(ids)];
    let rows = sql::REJECTED_BY_ID.rows(connection, partner.whole(), keys).await?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Takes records out of the quarantine.
pub(crate) async fn remove<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    ids: Vec<i64>,
) -> Result<(), Error> {
    sql::DELETE_REJECTED.run(connection, partner.whole(), vec![Column::BigInt(ids)]).await
}

/// How many records are in the quarantine.
pub(crate) async fn count<C: ConnectionTrait>(connection: &C, partner: &StoredPartner) -> Result<i64, Error> {
    let row = sql::COUNT_REJECTED.row(connection, partner.whole(), vec![]).await?;
    Ok(row.map_or(0, |row: RecordCount| row.records))
}
