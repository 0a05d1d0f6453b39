//! Lists audit entries, newest first.

use insights_access::Policy;
use insights_proto::reporting::v1::{AuditEntry, ListAuditEntriesRequest, ListAuditEntriesResponse};
use insights_service::{Error, FieldViolation, PageToken, code_from_name, code_name, fitting, page_size};
use prost_types::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tonic::Code;

use super::{Audit, AuditRecord, DOWNLOAD_BY_TICKET, entity};

/// Default number of entries of a page.
const PAGE: usize = 100;
/// Most entries of a page.
const LARGEST_PAGE: usize = 1_000;
/// Longest text of a filter, in bytes.
const TEXT_BYTES: usize = 512;

/// Filters and position of a list of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    subject: Option<String>,
    /// Paths of methods; `None` for all.
    rpcs: Option<Vec<String>>,
    /// The outcome as stored.
    outcome: Option<String>,
    from: Option<i64>,
    to: Option<i64>,
    size: usize,
    after: Option<AuditPosition>,
}

/// Position after a page: the time of its last entry in microseconds, and that entry's id.
pub type AuditPosition = (i64, i64);

impl AuditQuery {
    /// Parses a request and collects every fault.
    ///
    /// # Errors
    /// Names the fields at fault.
    pub fn parse(
        request: &ListAuditEntriesRequest,
        policy: &Policy,
        tokens: &PageToken<AuditPosition>,
    ) -> Result<Self, Error> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, what: String| faults.push(FieldViolation::new(field, what));
        for (field, text) in [("subject", &request.subject), ("method", &request.method)] {
            if text.len() > TEXT_BYTES {
                fault(field, format!("is longer than {TEXT_BYTES} bytes"));
            }
        }
        let rpcs = rpcs(&request.method, policy);
        if rpcs.as_ref().is_some_and(Vec::is_empty) {
            fault("method", "is no method".to_owned());
        }
        let outcome = code_from_name(&request.outcome.trim().to_uppercase());
        if outcome.is_none() && !request.outcome.is_empty() {
            fault("outcome", "is no code of gRPC, such as PERMISSION_DENIED".to_owned());
        }
        let mut time = |field: &str, time: Option<Timestamp>| {
            let micros = time.map(micros);
            if micros == Some(None) {
                fault(field, "is not a time".to_owned());
            }
            micros.flatten()
        };
        let (from, to) = (time("from_time", request.from_time), time("to_time", request.to_time));
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            fault("to_time", "comes before from_time".to_owned());
        }
        let size = page_size(request.page_size, PAGE, LARGEST_PAGE);
        let after = tokens.read(&request.page_token);
        for violation in size.as_ref().err().into_iter().chain(after.as_ref().err()) {
            fault(&violation.field, violation.description.clone());
        }
        let subject = Some(request.subject.clone()).filter(|subject| !subject.is_empty());
        let outcome = outcome.map(|code| format!("{code:?}"));
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let (size, after) = (size.unwrap_or(PAGE), after.unwrap_or_default());
        Ok(Self { subject, rpcs, outcome, from, to, size, after })
    }

    fn condition(&self, partner: &str) -> Condition {
        use entity::Column;
        let mut all = Condition::all().add(Column::Partner.eq(partner));
        all = all.add_option(self.subject.as_ref().map(|subject| Column::Subject.eq(subject)));
        all = all.add_option(self.rpcs.as_ref().map(|rpcs| Column::Rpc.is_in(rpcs)));
        all = all.add_option(self.outcome.as_ref().map(|outcome| Column::Outcome.eq(outcome)));
        all = all.add_option(self.from.map(|from| Column::AtMicros.gte(from)));
        all = all.add_option(self.to.map(|to| Column::AtMicros.lt(to)));
        all.add_option(self.after.map(|(at_micros, record_id)| {
            let same = Condition::all().add(Column::AtMicros.eq(at_micros)).add(Column::RecordId.lt(record_id));
            // The first condition lets the database use the key; the others are exact.
            let before = Condition::any().add(Column::AtMicros.lt(at_micros)).add(same);
            Condition::all().add(Column::AtMicros.lte(at_micros)).add(before)
        }))
    }
}

/// Paths of the methods with a name; `None` for all methods.
fn rpcs(method: &str, policy: &Policy) -> Option<Vec<String>> {
    let known = || policy.methods().map(|(path, _)| path).chain([DOWNLOAD_BY_TICKET]);
    match method.trim() {
        "" => None,
        name if name.starts_with('/') => Some(vec![name.to_owned()]),
        name => {
            let named = |path: &&str| *path == name || path.rsplit('/').next() == Some(name);
            let mut rpcs: Vec<String> = known().filter(named).map(str::to_owned).collect();
            rpcs.sort();
            Some(rpcs)
        }
    }
}

/// `PermissionDenied`, as the table has it, as gRPC spells it.
fn spelled(outcome: &str) -> String {
    let code = (0..=16).map(Code::from_i32).find(|code| format!("{code:?}") == outcome);
    code.map_or_else(|| outcome.to_owned(), |code| code_name(code).to_owned())
}

fn micros(time: Timestamp) -> Option<i64> {
    let nanos = u32::try_from(time.nanos).ok()?;
    Some(chrono::DateTime::from_timestamp(time.seconds, nanos)?.timestamp_micros())
}

fn entry(record: AuditRecord) -> AuditEntry {
    let micros = record.at_micros;
    AuditEntry {
        time: Some(Timestamp {
            seconds: micros.div_euclid(1_000_000),
            nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default(),
        }),
        subject: record.subject,
        roles: record.roles.split_whitespace().map(str::to_owned).collect(),
        rpc: record.rpc,
        asked: record.asked,
        rows: record.row_count,
        redacted: record.redacted,
        outcome: spelled(&record.outcome),
        partner: record.partner,
        bound: record.locations.is_some(),
        locations: record.locations.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        calls: record.calls,
    }
}

impl Audit {
    /// A page of a partner's entries.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn list(
        &self,
        partner: &str,
        listing: &AuditQuery,
        tokens: &PageToken<AuditPosition>,
    ) -> Result<ListAuditEntriesResponse, insights_database::Error> {
        let found = entity::Entity::find()
            .filter(listing.condition(partner))
            .order_by_desc(entity::Column::AtMicros)
            .order_by_desc(entity::Column::RecordId)
            .limit(listing.size as u64 + 1);
        let mut found = found.all(self.database.reader()).await?;
        let mut entries: Vec<AuditEntry> = found.iter().take(listing.size).cloned().map(entry).collect();
        entries.truncate(fitting(&entries));
        let more = found.len() > entries.len();
        found.truncate(entries.len());
        let last = found.last().filter(|_| more);
        let next_page_token = last.map(|last| tokens.write(&(last.at_micros, last.record_id))).unwrap_or_default();
        Ok(ListAuditEntriesResponse { entries, next_page_token })
    }
}

#[cfg(test)]
mod tests {
    use insights_access::Viewer;
    use insights_service::PageTokenKey;

    use super::*;

    fn tokens(request: &ListAuditEntriesRequest) -> PageToken<AuditPosition> {
        let viewer = Viewer::stored("contoso", "global_admin", None);
        PageToken::of(&PageTokenKey::derived_from(b"a secret"), "ada", &viewer, request)
    }

    fn parse(request: &ListAuditEntriesRequest) -> Result<AuditQuery, Error> {
        AuditQuery::parse(request, &Policy::product().expect("a policy"), &tokens(request))
    }

    #[test]
    fn methods_go_by_name_or_path() {
        let rpcs = |method: &str| {
            let request = ListAuditEntriesRequest { method: method.to_owned(), ..Default::default() };
            parse(&request).expect("a listing").rpcs
        };
        assert_eq!(rpcs(""), None);
        assert_eq!(rpcs("Verify").map(|rpcs| rpcs.len()), Some(2), "of reporting and of metrics");
        assert_eq!(rpcs(DOWNLOAD_BY_TICKET), Some(vec![DOWNLOAD_BY_TICKET.to_owned()]));
        assert_eq!(rpcs("/insights.old.v1.Service/Gone"), Some(vec!["/insights.old.v1.Service/Gone".to_owned()]));
    }

    #[test]
    fn every_fault_is_named() {
        let request = ListAuditEntriesRequest {
            page_size: -1,
            page_token: "1.2.3".into(),
            subject: "s".repeat(TEXT_BYTES + 1),
            method: "GetEverything".into(),
            outcome: "FINE".into(),
            from_time: Some(Timestamp { seconds: 0, nanos: -1 }),
            to_time: Some(Timestamp { seconds: i64::MAX, nanos: 0 }),
        };
        let Err(Error::Invalid(faults)) = parse(&request) else { panic!("not refused") };
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["subject", "method", "outcome", "from_time", "to_time", "page_size", "page_token"]);
    }

    #[test]
    fn page_tokens_are_of_one_listing() {
        let request = ListAuditEntriesRequest { outcome: "permission_denied".into(), ..Default::default() };
        let token = tokens(&request).write(&(17, -4));
        let again = ListAuditEntriesRequest { page_token: token.clone(), page_size: 7, ..request.clone() };
        assert_eq!(parse(&again).expect("a listing").after, Some((17, -4)));
        let other = ListAuditEntriesRequest { page_token: token, subject: "ada".into(), ..request };
        let Err(Error::Invalid(faults)) = parse(&other) else { panic!("not refused") };
        assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["page_token"]);
    }

    #[test]
    fn codes_are_spelled_as_grpc_does() {
        assert_eq!(spelled("PermissionDenied"), "PERMISSION_DENIED");
        assert_eq!(spelled("Ok"), "OK");
    }
}
