//! The form in which a rejected record is kept: as JSON with its user ids hashed. Of a record without readable content only a digest
//! is kept.

use insights_proto::ingestion::v1::{self as proto, record::Kind};
use insights_service::fail_point;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions, Value};
use serde::{Deserialize, Serialize};

use super::{
    Violation, WrongFact, kind_name,
    named::{NamedSubjects, named},
    summary,
    users::{PartnerKey, to_text},
};

/// The kind of rejected activity facts, which are no records of their own on the wire.
pub(crate) const ACTIVITY: &str = "activity";

/// Longest text that is kept of a record, in characters: longer than any that could be taken, so that what is cut is still refused.
const LONGEST_TEXT: usize = 1_100;
/// Longest record that is kept, in bytes of JSON.
const LONGEST_JSON: usize = 64 * 1024;

/// A record for the quarantine.
#[derive(Clone, Debug)]
pub(crate) struct Rejected {
    /// Its position in the batch.
    pub index: i64,
    pub kind: &'static str,
    pub field: String,
    pub reason: String,
    /// The record with its user ids hashed; empty when it had no readable content, or names what was erased.
    pub json: String,
    /// Whom it names.
    pub named: NamedSubjects,
    /// It names what was erased.
    pub erased: bool,
}

/// A record taken out of the quarantine.
pub(crate) struct KeptRecord {
    pub id: i64,
    pub kind: String,
    pub json: String,
}

/// An activity fact as kept in the quarantine.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ActivityFact {
    pub customer_id: String,
    pub user_id: String,
    pub service: String,
    /// Days since 1970-01-01; may be no day of the calendar.
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
        let named = named(&record, users, hashed);
        let (field, mut reason) = summary(violations);
        let mut json = if kind.is_empty() { String::new() } else { to_json(conceal(record, users, hashed)) };
        if json.len() > LONGEST_JSON && is_cut() {
            reason.push_str(&format!("; the record has {} bytes, too many to be kept", json.len()));
            json.clear();
        }
        Self { index: i64::try_from(index).unwrap_or(i64::MAX), kind, field, reason, json, named, erased: false }
    }

    /// A good record of what was erased. Nothing is kept of it but that it came.
    pub(crate) fn of_erased(index: usize, kind: &'static str, named: NamedSubjects) -> Self {
        let (field, reason, json) = (String::new(), String::new(), String::new());
        Self { index: i64::try_from(index).unwrap_or(i64::MAX), kind, field, reason, json, named, erased: true }
    }

    pub(crate) fn activity(records: usize, fact: &WrongFact) -> Self {
        let (field, reason) = summary(&fact.violations);
        let json = serde_json::to_string(&ActivityFact {
            customer_id: cut(&fact.customer),
            user_id: fact.user.map(to_text).unwrap_or_default(),
            service: cut(&fact.service),
            day: fact.day,
            lower_bound: fact.lower_bound,
        });
        let index = i64::try_from(records + fact.position).unwrap_or(i64::MAX);
        let named = NamedSubjects { customer: fact.customer.clone(), user: fact.user, ..NamedSubjects::default() };
        Self { index, kind: ACTIVITY, field, reason, json: json.unwrap_or_default(), named, erased: false }
    }

    /// Tells records apart: the same record with the same fault is kept once.
    pub(crate) fn digest(&self) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.kind.as_bytes()).update(b"\0").update(self.json.as_bytes()).update(b"\0");
        hasher.update(self.field.as_bytes());
        // Of what was erased one row says enough, however often it comes.
        if self.json.is_empty() && !self.erased {
            hasher.update(&self.index.to_le_bytes());
        }
        hasher.finalize().as_bytes()[..16].to_vec()
    }
}

impl Rejected {
    /// About how many bytes it takes in the quarantine.
    pub(crate) fn size(&self) -> usize {
        // The numbers, the batch's id and what an index takes.
        self.json.len() + self.reason.len() + self.field.len() + 300
    }
}

/// Whether long records are cut; only a test keeps them whole.
fn is_cut() -> bool {
    fail_point::guard_holds("ingestion.quarantine_cut")
}

/// A text, or its beginning and a mark.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) if is_cut() => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

/// Cuts the texts of a message and of those within.
fn cut_texts(message: &mut DynamicMessage) {
    message.fields_mut().for_each(|(_, value)| cut_value(value));
}

fn cut_value(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => *text = cut(text),
        Value::Message(message) => cut_texts(message),
        Value::List(values) => values.iter_mut().for_each(cut_value),
        _ => {}
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
    let Ok(mut message) = DynamicMessage::decode(descriptor, record.encode_to_vec().as_slice()) else {
        return String::new();
    };
    cut_texts(&mut message);
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
    let mut json = Vec::new();
    let written = message.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &options);
    // A time outside the calendar cannot be written as JSON; the rest of the record is worth keeping.
    match written {
        Ok(()) => String::from_utf8(json).unwrap_or_default(),
        Err(_) if record.recorded_at.is_some() => to_json(proto::Record { recorded_at: None, ..record }),
        Err(_) => String::new(),
    }
}

/// The record that was kept; `None` when it cannot be read.
fn from_json(json: &str) -> Option<proto::Record> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let message = DynamicMessage::deserialize(descriptor()?, &mut reader).ok()?;
    proto::Record::decode(message.encode_to_vec().as_slice()).ok()
}

/// Makes a batch of kept records: records, activity, and the ids in the order of their indexes. A record that cannot be read
/// becomes an empty record, which is refused again.
pub(crate) fn rebuild(kept: Vec<KeptRecord>) -> (Vec<proto::Record>, proto::ActivityColumns, Vec<i64>) {
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
