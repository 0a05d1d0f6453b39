//! `insights audit`.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use clap::Args;
use insights_messages::{Language, Sentence};
use insights_proto::ingestion::v1 as ingestion;
use insights_proto::reporting::v1::{AuditEntry, ListAuditEntriesRequest};
use prost_types::Timestamp;
use serde_json::{Value, json};

use crate::{client::Caller, failure::Failure, output};

const DEADLINE: Duration = Duration::from_secs(60);
/// Entries asked for at a time.
const PAGE: usize = 1_000;
/// Longest request shown in a table, in characters.
const SHOWN: usize = 80;

/// Which entries to list.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Of this caller, by the `sub` of their token.
    #[arg(long, value_name = "SUBJECT", default_value = "")]
    pub who: String,
    /// Of this method, such as GetCustomersDashboard.
    #[arg(long, default_value = "")]
    pub method: String,
    /// That ended so, such as OK or PERMISSION_DENIED.
    #[arg(long, value_name = "CODE", default_value = "")]
    pub outcome: String,
    /// Not before this day of UTC or time: YYYY-MM-DD or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<DateTime<Utc>>,
    /// Before this day of UTC or time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<DateTime<Utc>>,
    /// At most so many; 0: all.
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

/// A day's beginning, or a time.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let day = text.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0)).map(|time| time.and_utc());
    let time = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    day.or_else(time)
        .ok_or_else(|| "must be a day such as 2026-11-22 or a time such as 2026-11-22T08:00:00Z".to_owned())
}

/// Lists who read and sent what.
pub async fn run(caller: &Caller, wanted: AuditArgs, language: Language, json: bool) -> Result<(), Failure> {
    let limit = if wanted.limit == 0 { usize::MAX } else { wanted.limit };
    let mut entries = read(caller, &wanted, limit).await?;
    entries.extend(sent(caller, &wanted, limit).await?);
    let at = |entry: &AuditEntry| entry.time.map(|time| (time.seconds, time.nanos));
    entries.sort_by_key(|entry| std::cmp::Reverse(at(entry)));
    entries.truncate(limit);
    if json {
        return output::print_json(&entries.iter().map(as_json).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = entries.iter().map(|entry| row(entry, language)).collect();
    let columns = [
        Sentence::AuditTime,
        Sentence::AuditWho,
        Sentence::AuditRoles,
        Sentence::AuditMethod,
        Sentence::AuditOutcome,
        Sentence::AuditCalls,
        Sentence::Rows,
        Sentence::AuditRedacted,
        Sentence::AuditAsked,
    ];
    let columns = columns.map(|word| word.say(language, &[]));
    output::print(&output::table(
        &columns.each_ref().map(String::as_str),
        &rows,
        &[false, false, false, false, false, true, true, false, false],
    ))
}

/// Who read what: the newest entries of reporting.
async fn read(caller: &Caller, wanted: &AuditArgs, limit: usize) -> Result<Vec<AuditEntry>, Failure> {
    let mut entries: Vec<AuditEntry> = Vec::new();
    let mut message = ListAuditEntriesRequest {
        subject: wanted.who.clone(),
        method: wanted.method.clone(),
        outcome: wanted.outcome.clone(),
        from_time: wanted.from.map(timestamp),
        to_time: wanted.to.map(timestamp),
        ..Default::default()
    };
    loop {
        message.page_size = i32::try_from((limit - entries.len()).min(PAGE)).unwrap_or_default();
        let request = caller.request(message.clone(), DEADLINE);
        let page = caller.reporting().list_audit_entries(request).await?.into_inner();
        entries.extend(page.entries);
        message.page_token = page.next_page_token;
        if message.page_token.is_empty() || entries.len() >= limit {
            return Ok(entries);
        }
    }
}

/// Who sent what: the newest entries of ingestion, as reporting writes them.
async fn sent(caller: &Caller, wanted: &AuditArgs, limit: usize) -> Result<Vec<AuditEntry>, Failure> {
    let mut entries: Vec<AuditEntry> = Vec::new();
    let mut message = ingestion::ListAuditEntriesRequest {
        subject: wanted.who.clone(),
        method: wanted.method.clone(),
        outcome: wanted.outcome.clone(),
        from_time: wanted.from.map(timestamp),
        to_time: wanted.to.map(timestamp),
        ..Default::default()
    };
    loop {
        message.page_size = i32::try_from((limit - entries.len()).min(PAGE)).unwrap_or_default();
        let request = caller.request(message.clone(), DEADLINE);
        let page = caller.ingestion().list_audit_entries(request).await?.into_inner();
        entries.extend(page.entries.into_iter().map(|entry| AuditEntry {
            time: entry.time,
            subject: entry.subject,
            roles: entry.roles,
            rpc: entry.rpc,
            asked: entry.asked,
            rows: entry.records,
            redacted: false,
            outcome: entry.outcome,
            partner: entry.partner,
            bound: entry.bound,
            locations: entry.locations,
            calls: entry.calls,
        }));
        message.page_token = page.next_page_token;
        if message.page_token.is_empty() || entries.len() >= limit {
            return Ok(entries);
        }
    }
}

fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: time.timestamp(), nanos: time.timestamp_subsec_nanos().cast_signed() }
}

fn time(entry: &AuditEntry) -> String {
    let time = entry.time.and_then(|time| DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).ok()?));
    time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default()
}

fn row(entry: &AuditEntry, language: Language) -> Vec<String> {
    let method = entry.rpc.strip_prefix('/').and_then(|path| path.rsplit('/').next()).unwrap_or(&entry.rpc);
    // What somebody else wrote must not draw on this terminal.
    let plain = |text: &str| text.chars().filter(|letter| !letter.is_control()).collect::<String>();
    let asked = plain(&entry.asked);
    let shown: String = asked.chars().take(SHOWN).collect();
    vec![
        time(entry),
        plain(&entry.subject),
        if entry.bound {
            format!("{} ({})", entry.roles.join(" "), plain(&entry.locations.join(", ")))
        } else {
            entry.roles.join(" ")
        },
        method.to_owned(),
        entry.outcome.clone(),
        language.number(entry.calls),
        language.number(entry.rows),
        if entry.redacted { Sentence::Yes.say(language, &[]) } else { String::new() },
        if shown.len() < asked.len() { format!("{shown}…") } else { shown },
    ]
}

fn as_json(entry: &AuditEntry) -> Value {
    // Cut off where very long, and then no JSON any more.
    let asked = serde_json::from_str::<Value>(&entry.asked).ok();
    let asked = asked.or_else(|| (!entry.asked.is_empty()).then(|| Value::from(entry.asked.as_str())));
    json!({
        "time": time(entry),
        "who": entry.subject,
        "roles": entry.roles,
        "partner": entry.partner,
        "locations": entry.bound.then_some(&entry.locations),
        "rpc": entry.rpc,
        "asked": asked,
        "calls": entry.calls,
        "rows": entry.rows,
        "redacted": entry.redacted,
        "outcome": entry.outcome,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_days_or_times() {
        let of = |text: &str| moment(text).map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
        assert_eq!(of("2026-11-22").as_deref(), Ok("2026-11-22T00:00:00Z"));
        assert_eq!(of("2026-11-22T08:00:00+02:00").as_deref(), Ok("2026-11-22T06:00:00Z"));
        assert!(of("yesterday").is_err());
    }

    #[test]
    fn what_others_wrote_does_not_draw_on_the_terminal() {
        let entry = AuditEntry {
            subject: "ada\u{1b}[2J".into(),
            asked: format!("{{\"search\":\"{}\"}}", "é".repeat(200)),
            rpc: "/insights.reporting.v1.ReportingService/Query".into(),
            ..Default::default()
        };
        let row = row(&entry, Language::English);
        assert_eq!((row[1].as_str(), row[3].as_str()), ("ada[2J", "Query"));
        assert!(row[8].ends_with('…') && row[8].chars().count() == SHOWN + 1);
    }
}
