//! Records that could not be stored, kept with their reason until somebody replays them.
//!
//! A record is kept as JSON with its user ids hashed. What says nothing readable is kept as a digest only.

use insights_database::{
    bulk::{self, Column, Conflict, statement},
    sea_orm::{ConnectionTrait, Value},
};
use insights_proto::ingestion::v1::{self as proto, record::Kind};
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::{Deserialize, Serialize};

use super::partner::PartnerRow;
use crate::{
    error::Error,
    records::{
        Violation, WrongFact, kind_name, summary,
        users::{PartnerKey, to_text},
    },
};

/// The name of activity facts, which are no records of their own on the wire.
pub(crate) const ACTIVITY: &str = "activity";

/// A record for the quarantine.
#[derive(Clone, Debug)]
pub(crate) struct Rejected {
    /// Its position in the batch.
    pub index: i64,
    pub kind: &'static str,
    pub field: String,
    pub reason: String,
    /// With user ids hashed; empty when it said nothing readable.
    pub json: String,
}

/// A record in the quarantine.
#[derive(Clone, Debug)]
pub(crate) struct Quarantined {
    pub id: i64,
    pub batch_id: String,
    pub index: i64,
    pub kind: String,
    pub field: String,
    pub reason: String,
    pub received: i64,
    pub json: String,
}

/// An activity fact as kept in the quarantine.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ActivityFact {
    pub customer_id: String,
    pub user_id: String,
    pub service: String,
    /// Days since 1970-01-01: what came may be no day.
    pub day: i32,
    /// The day is a date of last activity.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lower_bound: bool,
}

impl Rejected {
    pub(crate) fn record(
        index: usize,
        record: proto::Record,
        violations: &[Violation],
        users: &PartnerKey,
        hashed: bool,
    ) -> Self {
        let kind = kind_name(&record);
        let (field, reason) = summary(violations);
        let json = if kind.is_empty() { String::new() } else { to_json(conceal(record, users, hashed)) };
        Self { index: i64::try_from(index).unwrap_or(i64::MAX), kind, field, reason, json }
    }

    pub(crate) fn activity(records: usize, fact: &WrongFact) -> Self {
        let (field, reason) = summary(&fact.violations);
        let json = serde_json::to_string(&ActivityFact {
            customer_id: fact.customer.clone(),
            user_id: fact.user.map(to_text).unwrap_or_default(),
            service: fact.service.clone(),
            day: fact.day,
            lower_bound: fact.lower_bound,
        });
        let index = i64::try_from(records + fact.position).unwrap_or(i64::MAX);
        Self { index, kind: ACTIVITY, field, reason, json: json.unwrap_or_default() }
    }

    /// The same record wrong in the same way is kept once.
    fn digest(&self) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.kind.as_bytes()).update(b"\0").update(self.json.as_bytes()).update(b"\0");
        hasher.update(self.field.as_bytes());
        if self.json.is_empty() {
            hasher.update(&self.index.to_le_bytes());
        }
        hasher.finalize().as_bytes()[..16].to_vec()
    }
}

/// Hashes the user ids of a record.
fn conceal(mut record: proto::Record, users: &PartnerKey, hashed: bool) -> proto::Record {
    match &mut record.kind {
        Some(Kind::Assignment(assignment)) => assignment.user_id = users.conceal(&assignment.user_id, hashed),
        Some(Kind::Licensed(licensed)) => licensed.user_id = users.conceal(&licensed.user_id, hashed),
        _ => {}
    }
    record
}

fn descriptor() -> Option<MessageDescriptor> {
    insights_proto::descriptors().get_message_by_name("insights.ingestion.v1.Record")
}

fn to_json(record: proto::Record) -> String {
    let Some(descriptor) = descriptor() else { return String::new() };
    let Ok(message) = DynamicMessage::decode(descriptor, record.encode_to_vec().as_slice()) else {
        return String::new();
    };
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
    let mut json = Vec::new();
    let written = message.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &options);
    // A time that no calendar has cannot be written; the rest of the record is worth keeping.
    match written {
        Ok(()) => String::from_utf8(json).unwrap_or_default(),
        Err(_) if record.recorded_at.is_some() => to_json(proto::Record { recorded_at: None, ..record }),
        Err(_) => String::new(),
    }
}

/// The record that was kept; `None` when it cannot be read.
pub(crate) fn from_json(json: &str) -> Option<proto::Record> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let message = DynamicMessage::deserialize(descriptor()?, &mut reader).ok()?;
    proto::Record::decode(message.encode_to_vec().as_slice()).ok()
}

/// Puts records into the quarantine.
pub(crate) async fn keep<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    batch_id: &str,
    rejected: &[Rejected],
    now: i64,
) -> Result<(), Error> {
    if rejected.is_empty() {
        return Ok(());
    }
    PartnerRow::hold(connection, partner.number).await?;
    let count = i64::try_from(rejected.len()).unwrap_or(0);
    let sql = "UPDATE ingestion_partner SET quarantined = quarantined + $2 WHERE partner_no = $1 RETURNING quarantined";
    let row = connection.query_one_raw(statement(connection, sql, vec![partner.number.into(), count.into()])).await?;
    let last: i64 = row.ok_or(Error::NoPartner)?.try_get_by_index(0)?;
    let mut seen = std::collections::HashSet::new();
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
        ("id", Column::BigInt(rows.iter().map(|row| row.0).collect())),
        ("position", Column::BigInt(rows.iter().map(|row| row.2.index).collect())),
        ("kind", Column::Text(rows.iter().map(|row| row.2.kind.to_owned()).collect())),
        ("field", Column::Text(rows.iter().map(|row| row.2.field.clone()).collect())),
        ("reason", Column::Text(rows.iter().map(|row| row.2.reason.clone()).collect())),
        ("record_json", Column::Text(rows.iter().map(|row| row.2.json.clone()).collect())),
        ("digest", Column::Bytes(rows.into_iter().map(|row| row.1).collect())),
    ];
    let again = Conflict::Replace {
        key: &["partner_no", "digest"],
        set: &["batch_id", "received_at", "position", "reason"],
        only_if: None,
    };
    bulk::upsert(connection, "ingestion_quarantine", &fixed, columns, again).await?;
    Ok(())
}

const COLUMNS: &str = "id, batch_id, position, kind, field, reason, received_at, record_json";

/// Lists the quarantine, newest first, from below an id on.
pub(crate) async fn list<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    batch_id: &str,
    below: i64,
    most: u32,
) -> Result<Vec<Quarantined>, Error> {
    let sql = format!(
        "SELECT 0, {COLUMNS} FROM ingestion_quarantine WHERE partner_no = $1 AND id < $2 AND ($4 = '' OR batch_id = $4) \
         ORDER BY id DESC LIMIT $3"
    );
    let values: Vec<Value> = vec![partner.number.into(), below.into(), i64::from(most).into(), batch_id.into()];
    let rows = connection.query_all_raw(statement(connection, sql, values)).await?;
    rows.iter().map(quarantined).collect()
}

/// The records with these ids that are still there.
pub(crate) async fn get<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    ids: &[i64],
) -> Result<Vec<Quarantined>, Error> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let keys = vec![("id", Column::BigInt(ids))];
    let rows = bulk::lookup(connection, "ingestion_quarantine", &partner.fixed(), keys, COLUMNS).await?;
    rows.iter().map(quarantined).collect()
}

fn quarantined(row: &insights_database::sea_orm::QueryResult) -> Result<Quarantined, Error> {
    Ok(Quarantined {
        id: row.try_get_by_index(1)?,
        batch_id: row.try_get_by_index(2)?,
        index: row.try_get_by_index(3)?,
        kind: row.try_get_by_index(4)?,
        field: row.try_get_by_index(5)?,
        reason: row.try_get_by_index(6)?,
        received: row.try_get_by_index(7)?,
        json: row.try_get_by_index(8)?,
    })
}

/// Makes a batch of kept records: records, activity, and the ids in the order of their indexes there. What cannot be read
/// stays as a record that says nothing, and is refused again.
pub(crate) fn rebuild(kept: Vec<Quarantined>) -> (Vec<proto::Record>, proto::ActivityColumns, Vec<i64>) {
    let (activity, records): (Vec<_>, Vec<_>) = kept.into_iter().partition(|kept| kept.kind == ACTIVITY);
    let mut order: Vec<i64> = records.iter().map(|kept| kept.id).collect();
    let records = records.iter().map(|kept| from_json(&kept.json).unwrap_or_default()).collect();
    let mut columns = proto::ActivityColumns::default();
    for (position, kept) in (0_u32..).zip(activity) {
        let fact: ActivityFact = serde_json::from_str(&kept.json).unwrap_or(ActivityFact {
            customer_id: String::new(),
            user_id: String::new(),
            service: String::new(),
            day: i32::MAX,
            lower_bound: false,
        });
        order.push(kept.id);
        columns.customers.push(fact.customer_id);
        columns.users.push(fact.user_id);
        columns.services.push(fact.service);
        columns.customer.push(position);
        columns.user.push(position);
        columns.service.push(position);
        columns.day.push(fact.day);
        if fact.lower_bound {
            columns.lower_bound.push(position);
        }
    }
    (records, columns, order)
}

/// Lets records out.
pub(crate) async fn remove<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    ids: Vec<i64>,
) -> Result<(), Error> {
    let keys = vec![("id", Column::BigInt(ids))];
    bulk::delete(connection, "ingestion_quarantine", &partner.fixed(), keys).await?;
    Ok(())
}

/// How many records are in the quarantine.
pub(crate) async fn count<C: ConnectionTrait>(connection: &C, partner: &PartnerRow) -> Result<i64, Error> {
    let sql = "SELECT count(*) FROM ingestion_quarantine WHERE partner_no = $1";
    let row = connection.query_one_raw(statement(connection, sql, vec![partner.number.into()])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}
