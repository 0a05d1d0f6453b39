//! Parsed records and their checks. A parsed record is checked: ids are trimmed and folded, days are days of the partner's calendar,
//! users are hashed.
//!
//! One `TryFrom` for each kind of record collects all of its violations at once.

mod activity;
mod checks;
mod customer;
pub(crate) mod erased;
pub(crate) mod fact;
pub(crate) mod licences;
mod list;
pub(crate) mod named;
mod partner;
pub(crate) mod quarantine;
mod reported;
mod subscription;
pub(crate) mod users;
mod violation;

use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{self as proto, Precedence};

pub(crate) use activity::{CheckedActivity, WrongFact, columns};
use checks::Checks;
use fact::{Fact, Retraction};
use users::PartnerKey;
pub(crate) use violation::{Violation, summary};

/// The context that a record is checked in.
pub(crate) struct CheckContext<'a> {
    /// Today in the partner's time zone.
    pub today: Day,
    /// The latest time at which what comes now may have been recorded, nanoseconds since 1970.
    pub latest_recorded: i64,
    /// Hashes users.
    pub users: &'a PartnerKey,
    /// User ids are hashes already: the records come out of the quarantine.
    pub users_are_hashed: bool,
}

/// A record that is to be checked.
pub(crate) struct In<'a, T> {
    pub record: T,
    pub context: &'a CheckContext<'a>,
}

/// A record that is good.
#[derive(Clone, Debug)]
pub(crate) struct ParsedRecord {
    /// When its source recorded it, nanoseconds since 1970; `None`: when it is received.
    pub recorded: Option<i64>,
    pub precedence: Precedence,
    pub content: RecordContent,
}

/// The content of a record.
#[derive(Clone, Debug)]
pub(crate) enum RecordContent {
    Fact(Fact),
    Retract(Retraction),
}

/// Checks one record.
pub(crate) fn record(record: proto::Record, context: &CheckContext<'_>) -> Result<ParsedRecord, Vec<Violation>> {
    use proto::record::Kind;
    let mut checks = Checks::new("", context);
    let recorded = checks.recorded_at(record.recorded_at, record.precedence());
    let precedence = checks.precedence(record.precedence);
    let Some(kind) = record.kind else {
        checks.wrong("kind", "is missing: a record has one of partner, location, sku, customer, subscription, …");
        return Err(checks.into_violations());
    };
    macro_rules! fact {
        ($record:expr) => {
            Fact::try_from(In { record: $record, context }).map(RecordContent::Fact)
        };
    }
    let parsed = match kind {
        Kind::Partner(record) => fact!(record),
        Kind::Location(record) => fact!(record),
        Kind::Sku(record) => fact!(record),
        Kind::Customer(record) => fact!(record),
        Kind::Subscription(record) => fact!(record),
        Kind::SubscriptionState(record) => fact!(record),
        Kind::Assignment(record) => fact!(record),
        Kind::Licensed(record) => fact!(record),
        Kind::Revenue(record) => fact!(record),
        Kind::SupportCases(record) => fact!(record),
        Kind::ReportedSeats(record) => fact!(record),
        Kind::ReportedUsage(record) => fact!(record),
        Kind::CompleteThrough(record) => fact!(record),
        Kind::Retract(record) => Retraction::try_from(In { record, context }).map(RecordContent::Retract),
        Kind::LicenceList(record) => fact!(record),
        Kind::WholeList(record) => fact!(record),
        Kind::Unreadable(record) => Err(vec![unreadable(record)]),
    };
    match (parsed, checks.into_violations()) {
        (Ok(content), violations) if violations.is_empty() => Ok(ParsedRecord { recorded, precedence, content }),
        (Ok(_), violations) => Err(violations),
        (Err(mut more), mut violations) => {
            more.append(&mut violations);
            Err(more)
        }
    }
}

/// The reader's reason for a row that it could not read, shortened: the quarantine keeps reasons, not files.
fn unreadable(record: proto::Unreadable) -> Violation {
    let cut = |text: String, bytes: usize| text[..text.floor_char_boundary(bytes)].to_owned();
    Violation { field: cut(record.field, 200), reason: cut(record.reason, 1_000) }
}

/// The kind of a record, as its field in `Record` is named.
pub(crate) fn kind_name(record: &proto::Record) -> &'static str {
    use proto::record::Kind;
    match &record.kind {
        None => "",
        Some(Kind::Partner(_)) => "partner",
        Some(Kind::Location(_)) => "location",
        Some(Kind::Sku(_)) => "sku",
        Some(Kind::Customer(_)) => "customer",
        Some(Kind::Subscription(_)) => "subscription",
        Some(Kind::SubscriptionState(_)) => "subscription_state",
        Some(Kind::Assignment(_)) => "assignment",
        Some(Kind::Licensed(_)) => "licensed",
        Some(Kind::Revenue(_)) => "revenue",
        Some(Kind::SupportCases(_)) => "support_cases",
        Some(Kind::ReportedSeats(_)) => "reported_seats",
        Some(Kind::ReportedUsage(_)) => "reported_usage",
        Some(Kind::CompleteThrough(_)) => "complete_through",
        Some(Kind::Retract(_)) => "retract",
        Some(Kind::LicenceList(_)) => "licence_list",
        Some(Kind::WholeList(_)) => "whole_list",
        Some(Kind::Unreadable(_)) => "unreadable",
    }
}
