//! From what came over the wire to facts. Past this door nothing is unchecked: ids are trimmed and folded, days are days
//! of the partner's calendar, users are hashed.
//!
//! One `TryFrom` per kind of record collects everything that is wrong with it at once.

mod activity;
mod checks;
mod customer;
pub(crate) mod fact;
pub(crate) mod licences;
mod partner;
mod reported;
mod subscription;
pub(crate) mod users;
mod violation;

use insights_domain::calendar::Day;
use insights_proto::ingestion::v1 as proto;

pub(crate) use activity::{CheckedActivity, WrongFact, columns};
use checks::Checks;
use fact::{Fact, Retraction};
use users::PartnerKey;
pub(crate) use violation::{Violation, summary};

/// What a record is checked against.
pub(crate) struct CheckContext<'a> {
    /// Today in the partner's time zone.
    pub today: Day,
    /// Hashes users.
    pub users: &'a PartnerKey,
    /// The records come out of the quarantine, their user ids are hashes already.
    pub users_are_hashed: bool,
}

/// A record on its way in.
pub(crate) struct In<'a, T> {
    pub record: T,
    pub context: &'a CheckContext<'a>,
}

/// A record that is good.
#[derive(Debug)]
pub(crate) enum RecordContent {
    Fact(Fact),
    Retract(Retraction),
}

/// Checks one record. Returns the time its source recorded it at, in nanoseconds since 1970, and what it says.
pub(crate) fn record(
    record: proto::Record,
    context: &CheckContext<'_>,
) -> Result<(Option<i64>, RecordContent), Vec<Violation>> {
    use proto::record::Kind;
    let mut checks = Checks::new("", context);
    let recorded_at = checks.recorded_at(record.recorded_at);
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
        Kind::Unreadable(record) => Err(vec![unreadable(record)]),
    };
    match (parsed, checks.into_violations()) {
        (Ok(parsed), violations) if violations.is_empty() => Ok((recorded_at, parsed)),
        (Ok(_), violations) => Err(violations),
        (Err(mut more), mut violations) => {
            more.append(&mut violations);
            Err(more)
        }
    }
}

/// What its reader said of a row, shortened: the quarantine keeps words, not files.
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
        Some(Kind::Unreadable(_)) => "unreadable",
    }
}
