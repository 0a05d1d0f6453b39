//! Which months reports cover.

use insights_domain::coverage::USERS_REPORT;
use insights_proto::ingestion::v1::ReportedSeats;
use prost::Message;

use crate::{
    error::Error,
    records::fact::FactKind,
    tables::{coverage::CoveredMonth, fact::FactRow},
    write::transaction::WriteTransaction,
};

/// Notes that a row came (1) or is gone (-1), whether or not it waits for something: its report covers the month all the same. What
/// a report of one customer covers is told by that customer's rows alone.
pub(crate) fn note(tx: &mut WriteTransaction<'_>, row: &FactRow, more: i64) -> Result<(), Error> {
    if row.kind == FactKind::ReportedUsage {
        let covered = CoveredMonth { report: USERS_REPORT.to_owned(), by_sku: false, day: row.day };
        tx.changes.cover(covered, more);
    }
    if row.kind != FactKind::ReportedSeats {
        return Ok(());
    }
    let seats = ReportedSeats::decode(row.body.as_slice())?;
    if !seats.of_customer {
        // The keys of rows by customer and SKU begin with 0.
        let by_sku = row.key.starts_with(&[0; 4]);
        tx.changes.cover(CoveredMonth { report: seats.report.unwrap_or_default(), by_sku, day: row.day }, more);
    }
    Ok(())
}
