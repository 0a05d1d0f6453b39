//! Changes after a position.
//!
//! A version becomes visible together with its rows when its transaction commits, and transactions of one partner commit
//! one after the other under the partner's row: a reader that reads the newest version first and the rows after it misses none.

use std::collections::BTreeMap;

use insights_database::Database;
use insights_proto::ingestion::v1::{CustomerChange, StreamChangesResponse};
use insights_service::fail_point;

use crate::{
    error::Error,
    tables::{
        feed,
        partner::{self, StoredPartner},
    },
};

/// Rows read at once, each of up to some hundred customers. A version is never cut.
const ROWS: i64 = 200;

/// The version of a partner that a follower has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeedPosition {
    pub epoch: i64,
    pub version: i64,
    /// The stamp that came with the version, to be compared once; 0: none, or compared already.
    pub stamp: i64,
}

/// The next changes after a position, and the position after them. `None` when there are none.
pub(crate) async fn next_changes(
    database: &Database,
    partner: &StoredPartner,
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
    let mut rows = feed::after(database.reader(), partner, position.version, ROWS).await?;
    let first = rows.first().map(|row| row.version);
    if first != Some(position.version + 1) {
        // Pruned between the two reads.
        return Ok(Some(rebuild(database, partner).await?));
    }
    let mut last = rows.last().map_or(position.version, |row| row.version);
    if i64::try_from(rows.len()).unwrap_or(0) == ROWS {
        if last == position.version + 1 {
            rows = feed::of_version(database.reader(), partner, last).await?;
            if rows.is_empty() {
                return Ok(Some(rebuild(database, partner).await?));
            }
        } else {
            // The last version may be cut.
            last -= 1;
            rows.retain(|row| row.version <= last);
        }
    }
    let stamp = rows.last().map_or(0, |row| row.committed);
    let mut customers: BTreeMap<i64, i32> = BTreeMap::new();
    for (customer, first_month) in rows.into_iter().flat_map(|row| row.customers).filter(|(number, _)| *number != 0) {
        customers.entry(customer).and_modify(|first| *first = (*first).min(first_month)).or_insert(first_month);
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

/// Whether the stored version of the follower's number is another one: facts were restored from a backup and written on.
async fn other_history(database: &Database, partner: &StoredPartner, position: FeedPosition) -> Result<bool, Error> {
    let known = feed::time_of_version(database.reader(), partner, position.version).await?;
    Ok(fail_point::guard_holds("ingestion.stamp") && known.is_some_and(|known| known != position.stamp))
}

async fn rebuild(database: &Database, partner: &StoredPartner) -> Result<(StreamChangesResponse, FeedPosition), Error> {
    let response = StreamChangesResponse {
        partner: partner.id.clone(),
        epoch: partner.epoch,
        first_version: 1,
        last_version: partner.version,
        rebuild: true,
        customers: Vec::new(),
        stamp: feed::time_of_version(database.reader(), partner, partner.version).await?.unwrap_or(0),
    };
    Ok((response, FeedPosition { epoch: partner.epoch, version: partner.version, stamp: 0 }))
}

/// Deletes changes that were committed before a time (nanoseconds since 1970). Followers behind them rebuild. The changes of the floor
/// itself stay, so that its stamp can still be compared.
pub(crate) async fn prune(database: &Database, before: i64) -> Result<(), Error> {
    for partner in StoredPartner::all(database.reader()).await? {
        let Some(floor) = feed::last_version_before(database.reader(), &partner, before).await? else { continue };
        if floor <= partner.floor {
            continue;
        }
        let transaction = database.begin().await?;
        partner::raise_floor(&transaction, &partner, floor).await?;
        feed::delete_before(&transaction, &partner, floor).await?;
        transaction.commit().await?;
    }
    Ok(())
}
