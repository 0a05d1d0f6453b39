//! `ingestion_coverage`: the months that reports of all customers cover, from when until when, and how many rows say so.

use std::collections::BTreeMap;

use insights_database::{
    bulk::{self, Column, Conflict},
    sea_orm::{self, ConnectionTrait, FromQueryResult},
};

use super::{partner::StoredPartner, query};
use crate::error::Error;

/// The end of what has not ended.
const OPEN: i64 = i64::MAX;

/// A report and a month of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CoveredMonth {
    /// The report, as its rows name it; empty: of the rows that name none.
    pub report: String,
    /// Its rows are by customer and SKU, else by subscription.
    pub by_sku: bool,
    /// The first day of the month, days since 1970-01-01.
    pub day: i32,
}

#[derive(FromQueryResult)]
struct CoverageRow {
    report: String,
    by_sku: bool,
    day: i32,
    since: i64,
    row_count: i64,
}

impl CoverageRow {
    fn parse(self) -> (CoveredMonth, (i64, i64)) {
        (CoveredMonth { report: self.report, by_sku: self.by_sku, day: self.day }, (self.since, self.row_count))
    }
}

/// The months covered at a time (nanoseconds since 1970), in order.
pub(crate) async fn at<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    time: i64,
) -> Result<Vec<CoveredMonth>, Error> {
    let sql = "SELECT report, by_sku, day, since, row_count FROM ingestion_coverage \
               WHERE partner_no = $1 AND since <= $2 AND until > $2";
    let rows = query::rows(connection, sql, vec![partner.number.into(), time.into()]).await?;
    let mut months: Vec<CoveredMonth> = rows.into_iter().map(|row: CoverageRow| row.parse().0).collect();
    months.sort();
    Ok(months)
}

#[derive(FromQueryResult)]
struct RowCount {
    row_count: i64,
}

/// How many rows of a report there are, of the months that begin in a range of days.
pub(crate) async fn rows<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    report: &str,
    [from, to]: [i32; 2],
) -> Result<i64, Error> {
    let sql = "SELECT row_count FROM ingestion_coverage \
               WHERE partner_no = $1 AND until = $2 AND report = $3 AND day >= $4 AND day <= $5";
    let values = vec![partner.number.into(), OPEN.into(), report.into(), from.into(), to.into()];
    let rows = query::rows(connection, sql, values).await?;
    Ok(rows.into_iter().map(|row: RowCount| row.row_count).sum())
}

/// Notes that there are so many rows more or less of some months. The partner's row is locked, so nobody else does. Says whether
/// a month came to be covered or is so no longer.
pub(crate) async fn change<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    changes: &BTreeMap<CoveredMonth, i64>,
    now: i64,
) -> Result<bool, Error> {
    let sql = "SELECT report, by_sku, day, since, row_count FROM ingestion_coverage \
               WHERE partner_no = $1 AND until = $2";
    let rows = query::rows(connection, sql, vec![partner.number.into(), OPEN.into()]).await?;
    let open: BTreeMap<CoveredMonth, (i64, i64)> = rows.into_iter().map(CoverageRow::parse).collect();
    let mut changed = false;
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (month, more) in changes {
        let before = open.get(month);
        let (since, count) = before.copied().unwrap_or((now, 0));
        let count = (count + more).max(0);
        if before.is_none() && count == 0 {
            continue;
        }
        changed |= before.is_none() || count == 0;
        columns.0.push(month.report.clone());
        columns.1.push(month.by_sku);
        columns.2.push(month.day);
        columns.3.push(since);
        columns.4.push(if count == 0 { now } else { OPEN });
        columns.5.push(count);
    }
    let rows = vec![
        ("report", Column::Text(columns.0)),
        ("by_sku", Column::Bool(columns.1)),
        ("day", Column::Int(columns.2)),
        ("since", Column::BigInt(columns.3)),
        ("until", Column::BigInt(columns.4)),
        ("row_count", Column::BigInt(columns.5)),
    ];
    let key = &["partner_no", "report", "by_sku", "day", "since"];
    let replace = Conflict::Replace { key, set: &["until", "row_count"], only_if: None };
    bulk::upsert(connection, "ingestion_coverage", &partner.fixed(), rows, replace).await?;
    Ok(changed)
}
