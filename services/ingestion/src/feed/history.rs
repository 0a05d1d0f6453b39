//! Reported rows as they stood at an earlier time.

use insights_database::{
    Database, Transaction,
    bulk::{self, Column, Fixed, statement},
    sea_orm::{ConnectionTrait, QueryResult, Value},
};

use super::facts::{StoredFact, place};
use crate::{error::Error, records::fact::FactKind, tables::partner::PartnerRow};

/// Superseded rows of the customers that stood at `time`, each with its customer's position.
pub(super) async fn standing_at(
    snapshot: &Transaction,
    fixed: Fixed<'_>,
    customers: &[i64],
    time: i64,
) -> Result<Vec<(usize, StoredFact)>, Error> {
    let keys = vec![
        ("customer_no", Column::BigInt(customers.to_vec())),
        ("_time", Column::BigInt(vec![time; customers.len()])),
    ];
    let stood = "AND t.received_at <= k._time AND t.superseded_at > k._time";
    let select = "t.kind, t.key, t.day, t.body";
    let found = bulk::lookup_where(snapshot, "ingestion_history", fixed, keys, select, stood).await?;
    let mut rows = Vec::new();
    for row in &found {
        let Some(kind) = FactKind::from_number(row.try_get_by_index(1)?) else { continue };
        let (key, day, body) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?, row.try_get_by_index(4)?);
        rows.push((place(row)?, StoredFact { kind, key, day, user: 0, recorded: 0, body }));
    }
    Ok(rows)
}

/// Customers of whom other reported rows stood at `time` than do now.
pub(crate) async fn changed_since(database: &Database, partner: &PartnerRow, time: i64) -> Result<Vec<i64>, Error> {
    let kinds = format!("{}, {}", FactKind::ReportedSeats as i32, FactKind::ReportedUsage as i32);
    let sql = format!(
        "SELECT customer_no FROM ingestion_fact WHERE partner_no = $1 AND kind IN ({kinds}) AND received_at > $2 \
         UNION SELECT customer_no FROM ingestion_history WHERE partner_no = $1 AND superseded_at > $2 AND received_at <= $2"
    );
    let values: Vec<Value> = vec![partner.number.into(), time.into()];
    let rows = database.reader().query_all_raw(statement(database.reader(), sql, values)).await?;
    let number = |row: &QueryResult| -> Result<i64, Error> { Ok(row.try_get_by_index(0)?) };
    rows.iter().map(number).collect()
}
