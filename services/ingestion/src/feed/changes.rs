//! Changes after a position.
//!
//! A version becomes visible together with its rows when its transaction commits, and transactions of one partner commit
//! one after the other under the partner's row: whoever reads the newest version first and the rows after it misses none.

use std::collections::BTreeMap;

use insights_database::{
    Database,
    bulk::statement,
    sea_orm::{ConnectionTrait, Value},
};
use insights_proto::ingestion::v1::{CustomerChange, StreamChangesResponse};
use insights_service::fail_point;

use crate::{error::Error, tables::partner::PartnerRow};

/// Rows read at once. A version is never cut.
const ROWS: i64 = 20_000;

/// What a follower has of a partner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeedPosition {
    pub epoch: i64,
    pub version: i64,
    /// What was said of the version, to be compared once; 0: nothing, or it was compared.
    pub stamp: i64,
}

/// The next changes after a position, and the position after them. `None` when there are none.
pub(crate) async fn next_changes(
    database: &Database,
    partner: &PartnerRow,
    position: FeedPosition,
) -> Result<Option<(StreamChangesResponse, FeedPosition)>, Error> {
    let from_the_beginning = position.version == 0;
    let same_epoch = from_the_beginning || position.epoch == partner.epoch;
    if same_epoch && position.stamp != 0 && other_history(database, partner, position).await? {
        return Ok(Some(rebuild(database, partner).await?));
    }
    if same_epoch && position.version == partner.version {
        return Ok(None);
    }
    if !same_epoch || position.version < partner.floor || position.version > partner.version {
        return Ok(Some(rebuild(database, partner).await?));
    }
    let mut rows = rows(database, partner, position.version, ROWS).await?;
    let first = rows.first().map(|row| row.0);
    if first != Some(position.version + 1) {
        // Pruned between the two reads.
        return Ok(Some(rebuild(database, partner).await?));
    }
    let mut last = rows.last().map_or(position.version, |row| row.0);
    if i64::try_from(rows.len()).unwrap_or(0) == ROWS {
        if last == position.version + 1 {
            rows = version(database, partner, last).await?;
            if rows.is_empty() {
                return Ok(Some(rebuild(database, partner).await?));
            }
        } else {
            // The last version may be cut.
            last -= 1;
            rows.retain(|row| row.0 <= last);
        }
    }
    let stamp = rows.last().map_or(0, |row| row.3);
    let mut customers: BTreeMap<i64, i32> = BTreeMap::new();
    for (_, customer, month, _) in rows {
        if customer != 0 {
            customers.entry(customer).and_modify(|first| *first = (*first).min(month)).or_insert(month);
        }
    }
    let customers = customers.into_iter().map(|(customer, first_month)| CustomerChange { customer, first_month });
    let response = StreamChangesResponse {
        partner: partner.id.clone(),
        epoch: partner.epoch,
        first_version: position.version + 1,
        last_version: last,
        rebuild: false,
        customers: customers.collect(),
        stamp,
    };
    Ok(Some((response, FeedPosition { epoch: partner.epoch, version: last, stamp: 0 })))
}

/// Whether the facts know another version by the number the follower has: they were brought back from a backup and went on.
async fn other_history(database: &Database, partner: &PartnerRow, position: FeedPosition) -> Result<bool, Error> {
    let known = stamp(database, partner, position.version).await?;
    Ok(fail_point::guard_holds("ingestion.stamp") && known.is_some_and(|known| known != position.stamp))
}

/// What tells a version from any other of its number: when it came, to the nanosecond.
async fn stamp(database: &Database, partner: &PartnerRow, version: i64) -> Result<Option<i64>, Error> {
    let sql = "SELECT committed_at FROM ingestion_feed WHERE partner_no = $1 AND version = $2 LIMIT 1";
    let values = vec![partner.number.into(), version.into()];
    let row = database.reader().query_one_raw(statement(database.reader(), sql, values)).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

async fn rebuild(database: &Database, partner: &PartnerRow) -> Result<(StreamChangesResponse, FeedPosition), Error> {
    let response = StreamChangesResponse {
        partner: partner.id.clone(),
        epoch: partner.epoch,
        first_version: 1,
        last_version: partner.version,
        rebuild: true,
        customers: Vec::new(),
        stamp: stamp(database, partner, partner.version).await?.unwrap_or(0),
    };
    Ok((response, FeedPosition { epoch: partner.epoch, version: partner.version, stamp: 0 }))
}

type FeedRow = (i64, i64, i32, i64);

async fn rows(database: &Database, partner: &PartnerRow, after: i64, most: i64) -> Result<Vec<FeedRow>, Error> {
    let sql = "SELECT version, customer_no, first_month, committed_at FROM ingestion_feed WHERE partner_no = $1 AND version > $2 \
               AND version <= $3 ORDER BY version, customer_no LIMIT $4";
    read(database, sql, vec![partner.number.into(), after.into(), partner.version.into(), most.into()]).await
}

async fn version(database: &Database, partner: &PartnerRow, version: i64) -> Result<Vec<FeedRow>, Error> {
    let sql = "SELECT version, customer_no, first_month, committed_at FROM ingestion_feed WHERE partner_no = $1 AND version = $2";
    read(database, sql, vec![partner.number.into(), version.into()]).await
}

async fn read(database: &Database, sql: &str, values: Vec<Value>) -> Result<Vec<FeedRow>, Error> {
    let rows = database.reader().query_all_raw(statement(database.reader(), sql, values)).await?;
    let row = |row: &insights_database::sea_orm::QueryResult| -> Result<FeedRow, Error> {
        Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?, row.try_get_by_index(3)?))
    };
    rows.iter().map(row).collect()
}

/// Forgets feed rows committed before a time (nanoseconds since 1970). Who is behind rebuilds. The rows of the floor itself stay: who
/// stands there is told from who stood at another version of its number.
pub(crate) async fn prune(database: &Database, before: i64) -> Result<(), Error> {
    for partner in PartnerRow::all(database.reader()).await? {
        let sql =
            "SELECT max(version) FROM ingestion_feed WHERE partner_no = $1 AND version < $3 AND committed_at < $2";
        let values: Vec<Value> = vec![partner.number.into(), before.into(), partner.version.into()];
        let row = database.reader().query_one_raw(statement(database.reader(), sql, values)).await?;
        let Some(floor) = row.map(|row| row.try_get_by_index::<Option<i64>>(0)).transpose()?.flatten() else {
            continue;
        };
        if floor <= partner.floor {
            continue;
        }
        let transaction = database.begin().await?;
        let sql = "UPDATE ingestion_partner SET floor = $2 WHERE partner_no = $1 AND floor < $2";
        let values = || -> Vec<Value> { vec![partner.number.into(), floor.into()] };
        transaction.execute_raw(statement(&transaction, sql, values())).await?;
        let sql = "DELETE FROM ingestion_feed WHERE partner_no = $1 AND version < $2";
        transaction.execute_raw(statement(&transaction, sql, values())).await?;
        transaction.commit().await?;
    }
    Ok(())
}
