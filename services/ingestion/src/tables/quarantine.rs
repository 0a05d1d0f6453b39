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
use crate::{IngestLimits, error::Error, records::quarantine::Rejected};

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

/// How much of a partner is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuarantineCap {
    pub records: i64,
    pub bytes: i64,
}

impl QuarantineCap {
    pub(crate) fn of(limits: &IngestLimits) -> Self {
        Self { records: limits.quarantine_records.into(), bytes: i64::from(limits.quarantine_mebibytes) << 20 }
    }

    /// The last of the records, as many as there is room for.
    fn last(self, rejected: &[Rejected]) -> (&[Rejected], i64) {
        let (mut bytes, mut begin) = (0, rejected.len());
        for (at, record) in rejected.iter().enumerate().rev() {
            let more = bytes + i64::try_from(record.size()).unwrap_or(i64::MAX / 2);
            let count = i64::try_from(rejected.len() - at).unwrap_or(i64::MAX);
            if more > self.bytes || count > self.records {
                break;
            }
            (bytes, begin) = (more, at);
        }
        (&rejected[begin..], bytes)
    }
}

/// Puts records into the quarantine. Where it is full, the oldest make room: a tenth at once, for finding out which they are takes a look
/// at all.
pub(crate) async fn keep<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    batch_id: &str,
    (rejected, cap): (&[Rejected], QuarantineCap),
    now: i64,
) -> Result<(), Error> {
    if rejected.is_empty() {
        return Ok(());
    }
    partner.lock_unerased(connection).await?;
    let all = rejected.len();
    let (rejected, bytes) = cap.last(rejected);
    let count = i64::try_from(rejected.len()).unwrap_or(0);
    let counters = partner::take_quarantine_ids(connection, partner, count, bytes).await?;
    insert(connection, partner, batch_id, (rejected, counters.last_id), now).await?;
    let mut dropped = i64::try_from(all - rejected.len()).unwrap_or(0);
    if counters.records > cap.records || counters.bytes > cap.bytes {
        let room = vec![(cap.records - cap.records / 10).into(), (cap.bytes - cap.bytes / 10).into()];
        let row: Option<LastDropped> = sql::REJECTED_BEYOND.row(connection, partner.whole(), room).await?;
        if let Some(LastDropped { id }) = row {
            dropped += sql::DELETE_REJECTED_TO.change(connection, partner.whole(), vec![id.into()]).await?;
        }
        recount(connection, partner, dropped).await?;
    } else if dropped > 0 {
        recount(connection, partner, dropped).await?;
    }
    if dropped > 0 {
        tracing::warn!(partner = partner.id, dropped, "the quarantine is full: the oldest records went");
    }
    Ok(())
}

/// Removes records received before a time, nanoseconds since 1970.
pub(crate) async fn prune<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    before: i64,
) -> Result<(), Error> {
    let dropped = sql::DELETE_REJECTED_BEFORE.change(connection, partner.whole(), vec![before.into()]).await?;
    if dropped > 0 {
        recount(connection, partner, dropped).await?;
        tracing::warn!(partner = partner.id, dropped, "rejected records were too old to be kept");
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct LastDropped {
    id: i64,
}

#[derive(FromQueryResult)]
struct QuarantineSize {
    records: i64,
    bytes: i64,
}

async fn recount<C: ConnectionTrait>(connection: &C, partner: &StoredPartner, dropped: i64) -> Result<(), Error> {
    let size = sql::SIZE_OF_REJECTED.row(connection, partner.whole(), vec![]).await?;
    let QuarantineSize { records, bytes } = size.unwrap_or(QuarantineSize { records: 0, bytes: 0 });
    partner::set_quarantine(connection, partner, [records, bytes, dropped]).await
}

async fn insert<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    batch_id: &str,
    (rejected, last): (&[Rejected], i64),
    now: i64,
) -> Result<(), Error> {
    let count = i64::try_from(rejected.len()).unwrap_or(0);
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
        Column::BigInt(rows.iter().map(|row| i64::try_from(row.2.size()).unwrap_or(i64::MAX)).collect()),
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
