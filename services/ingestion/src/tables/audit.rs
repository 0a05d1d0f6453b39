//! `ingestion_audit`: who sent what, a row a call; refused calls of a minute beyond the first are one row.

use insights_database::sea_orm::{self, ConnectionTrait, FromQueryResult, Value};

use super::query;
use crate::error::Error;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct AuditRow {
    pub partner: String,
    /// Microseconds since 1970.
    pub at_micros: i64,
    /// Random; tells rows of one microsecond apart.
    pub record_id: i64,
    pub subject: String,
    /// Names of roles, separated by blanks.
    pub roles: String,
    /// A JSON array; `None`: bound to none.
    pub locations: Option<String>,
    pub rpc: String,
    pub asked: String,
    pub records: i64,
    /// A code of gRPC as Rust spells it, such as `PermissionDenied`.
    pub outcome: String,
    pub calls: i64,
}

/// Which rows to list. Empty texts: all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditFilter {
    pub subject: String,
    pub rpc: String,
    pub outcome: String,
    /// Microseconds since 1970.
    pub from: i64,
    pub to: i64,
    /// Before this time and id.
    pub before: (i64, i64),
}

pub(crate) async fn insert<C: ConnectionTrait>(connection: &C, row: AuditRow) -> Result<(), Error> {
    let sql = "INSERT INTO ingestion_audit (partner, at_micros, record_id, subject, roles, locations, rpc, asked, records, \
               outcome, calls) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let values: Vec<Value> = vec![
        row.partner.into(),
        row.at_micros.into(),
        row.record_id.into(),
        row.subject.into(),
        row.roles.into(),
        row.locations.into(),
        row.rpc.into(),
        row.asked.into(),
        row.records.into(),
        row.outcome.into(),
        row.calls.into(),
    ];
    query::run(connection, sql, values).await.map(drop)
}

/// The newest rows of a partner, newest first.
pub(crate) async fn list<C: ConnectionTrait>(
    connection: &C,
    partner: &str,
    filter: &AuditFilter,
    most: usize,
) -> Result<Vec<AuditRow>, Error> {
    let sql = "SELECT partner, at_micros, record_id, subject, roles, locations, rpc, asked, records, outcome, calls \
               FROM ingestion_audit WHERE partner = $1 AND at_micros >= $2 AND (at_micros, record_id) < ($3, $4) \
               AND ($5 = '' OR subject = $5) AND ($6 = '' OR rpc = $6) AND ($7 = '' OR outcome = $7) \
               ORDER BY at_micros DESC, record_id DESC LIMIT $8";
    let before = filter.before.min((filter.to, i64::MIN));
    let values: Vec<Value> = vec![
        partner.into(),
        filter.from.into(),
        before.0.into(),
        before.1.into(),
        filter.subject.as_str().into(),
        filter.rpc.as_str().into(),
        filter.outcome.as_str().into(),
        i64::try_from(most).unwrap_or(i64::MAX).into(),
    ];
    query::rows(connection, sql, values).await
}

#[derive(FromQueryResult)]
struct OldRow {
    at_micros: i64,
}

#[derive(FromQueryResult)]
struct AuditedPartner {
    partner: String,
}

/// Rows deleted in one statement, so that no writer waits long.
const AT_ONCE: i64 = 1_000;

/// Deletes rows from before a time, microseconds since 1970.
pub(crate) async fn prune<C: ConnectionTrait>(connection: &C, before: i64) -> Result<(), Error> {
    let (mut name, oldest, delete) = (
        String::new(),
        "SELECT at_micros FROM ingestion_audit WHERE partner = $1 AND at_micros < $2 ORDER BY at_micros LIMIT $3",
        "DELETE FROM ingestion_audit WHERE partner = $1 AND at_micros <= $2",
    );
    let next = "SELECT partner FROM ingestion_audit WHERE partner > $1 ORDER BY partner LIMIT 1";
    while let Some(AuditedPartner { partner }) = query::row(connection, next, vec![name.as_str().into()]).await? {
        loop {
            let values = vec![partner.as_str().into(), before.into(), AT_ONCE.into()];
            let rows: Vec<OldRow> = query::rows(connection, oldest, values).await?;
            let Some(last) = rows.last() else { break };
            query::run(connection, delete, vec![partner.as_str().into(), last.at_micros.into()]).await?;
        }
        name = partner;
    }
    Ok(())
}
