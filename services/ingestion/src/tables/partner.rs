//! `ingestion_partner`: a partner's settings, counters and newest version. The row is the lock under which versions and surrogate
//! ids are given out.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use insights_database::{
    bulk::{self, Column, Lock},
    sea_orm::{self, ConnectionTrait, FromQueryResult, Value},
};
use insights_domain::calendar::Day;
use insights_service::fail_point;

use super::query::{self, StatementScope};
use crate::{
    error::Error,
    ids::{CustomerAddress, SHARDS, UNATTACHED},
};

/// Stands for no day.
pub(crate) const NO_DAY: i32 = i32::MIN;

/// A partner's row.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct StoredPartner {
    #[sea_orm(from_alias = "partner_no")]
    pub number: i32,
    #[sea_orm(from_alias = "partner_id")]
    pub id: String,
    pub epoch: i64,
    pub version: i64,
    /// Feed rows up to this version are pruned.
    pub floor: i64,
    pub time_zone: String,
    /// The greatest day received, [`NO_DAY`] when there is none.
    pub complete_through: i32,
    pub last_activity: i32,
    /// Nanoseconds since 1970, 0 when nothing was stored yet.
    pub last_ingest: i64,
    /// Rejected records that were removed to make room, or because they were too old.
    #[sea_orm(from_alias = "quarantine_dropped")]
    pub dropped: i64,
    /// How often its marks of what was erased changed.
    pub erasures: i64,
}

const COLUMNS: &str = "partner_no, partner_id, epoch, version, floor, time_zone, complete_through, last_activity, last_ingest, quarantine_dropped, erasures";

impl StoredPartner {
    /// Every partner.
    pub(crate) async fn all<C: ConnectionTrait>(connection: &C) -> Result<Vec<Self>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM ingestion_partner ORDER BY partner_no");
        query::rows(connection, &sql, vec![]).await
    }

    /// The partner with this id, if it has sent anything yet.
    pub(crate) async fn find<C: ConnectionTrait>(connection: &C, id: &str) -> Result<Option<Self>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM ingestion_partner WHERE partner_id = $1");
        query::row(connection, &sql, vec![id.into()]).await
    }

    /// A partner of whom nothing is known.
    pub(crate) fn unknown(id: &str) -> Self {
        Self {
            number: 0,
            id: id.to_owned(),
            epoch: 0,
            version: 0,
            floor: 0,
            time_zone: "UTC".to_owned(),
            complete_through: NO_DAY,
            last_activity: NO_DAY,
            last_ingest: 0,
            dropped: 0,
            erasures: 0,
        }
    }

    /// Reads the row again and locks it until the transaction ends.
    pub(crate) async fn lock<C: ConnectionTrait>(connection: &C, number: i32) -> Result<Self, Error> {
        let key = ("partner_no", Column::Int(vec![number]));
        let rows = bulk::lock(connection, "ingestion_partner", &[], key, COLUMNS, Lock::Update).await?;
        Ok(Self::from_query_result(rows.first().ok_or(Error::NoPartner)?, "")?)
    }

    /// The same, unless something was erased since this row was read: what was compared with the marks then must be compared again.
    pub(crate) async fn lock_unerased<C: ConnectionTrait>(&self, connection: &C) -> Result<Self, Error> {
        let current = Self::lock(connection, self.number).await?;
        let holds = current.erasures == self.erasures || !fail_point::guard_holds("ingestion.erasures");
        if holds { Ok(current) } else { Err(Error::ErasedMeanwhile) }
    }

    /// Why a row of the partner is missing that was there: it was erased, or the data is damaged.
    pub(crate) async fn missing<C: ConnectionTrait>(&self, connection: &C, what: String) -> Error {
        match Self::find(connection, &self.id).await {
            Ok(Some(current)) if current.erasures != self.erasures => Error::ErasedMeanwhile,
            Ok(_) => Error::Damaged(what),
            Err(error) => error,
        }
    }

    /// Today in the partner's time zone.
    pub(crate) fn today(&self, now: DateTime<Utc>) -> Day {
        Day::of_instant(now, Tz::from_str(&self.time_zone).unwrap_or(Tz::UTC))
    }

    /// The shard of a customer, or of a subscription that no customer is known of, by its id.
    pub(crate) fn shard(&self, name: &str) -> i32 {
        let hash = blake3::hash(name.as_bytes());
        self.number * SHARDS + i32::from(hash.as_bytes()[0]) % SHARDS
    }

    /// The customer beside whom unattached facts of a subscription are kept.
    pub(crate) fn unattached(&self, subscription: &str) -> CustomerAddress {
        CustomerAddress { shard: self.shard(subscription), number: UNATTACHED }
    }

    /// The scope of statements on all shards.
    pub(crate) fn shards(&self) -> impl Iterator<Item = i32> + use<> {
        let first = self.number * SHARDS;
        first..first + SHARDS
    }

    pub(crate) fn whole(&self) -> StatementScope {
        StatementScope::Partner(self.number)
    }

    /// The scope of statements on one shard.
    pub(crate) fn in_shard(&self, shard: i32) -> StatementScope {
        StatementScope::Shard { partner: self.number, shard }
    }

    /// The column that every statement on a small table names.
    pub(crate) fn fixed(&self) -> [(&'static str, Value); 1] {
        [("partner_no", Value::from(self.number))]
    }

    /// The same for a look-up by other columns than the primary key's, so that the primary key does not fit it.
    pub(crate) fn fixed_beside_key(&self) -> [(&'static str, Value); 1] {
        [("partner_no + 0", Value::from(self.number))]
    }
}

/// Makes a row for a partner, unless it has one.
pub(crate) async fn insert<C: ConnectionTrait>(connection: &C, id: &str, now: i64) -> Result<(), Error> {
    let sql = "INSERT INTO ingestion_partner (partner_id, epoch, version, floor, time_zone, complete_through, \
               last_activity, last_ingest, customers, subscriptions, skus, services, quarantined) \
               VALUES ($1, $2, 0, 0, 'UTC', $3, $3, 0, 0, 0, 0, 0, 0) ON CONFLICT (partner_id) DO NOTHING";
    // The epoch is the time of creation in microseconds, so that a database in the place of this one has another.
    query::run(connection, sql, vec![id.into(), (now / 1_000).into(), NO_DAY.into()]).await.map(drop)
}

/// Gives every partner another epoch: the time in microseconds, as at creation, so that facts restored twice from one backup have
/// two epochs.
pub(crate) async fn begin_new_epochs<C: ConnectionTrait>(connection: &C, now_micros: i64) -> Result<(), Error> {
    let sql = "UPDATE ingestion_partner SET epoch = CASE WHEN epoch < $1 THEN $1 ELSE epoch + 1 END";
    query::run(connection, sql, vec![now_micros.into()]).await.map(drop)
}

/// Writes a new version, whose row is locked.
pub(crate) async fn set_version<C: ConnectionTrait>(connection: &C, partner: &StoredPartner) -> Result<(), Error> {
    let sql = "UPDATE ingestion_partner SET version = $2, last_activity = $3, last_ingest = $4 WHERE partner_no = $1";
    let values =
        vec![partner.number.into(), partner.version.into(), partner.last_activity.into(), partner.last_ingest.into()];
    query::run(connection, sql, values).await.map(drop)
}

/// Notes that something came that made no new version.
pub(crate) async fn set_last_ingest<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    now: i64,
) -> Result<(), Error> {
    let sql = "UPDATE ingestion_partner SET last_ingest = $2 WHERE partner_no = $1 AND last_ingest < $2";
    query::run(connection, sql, vec![partner.number.into(), now.into()]).await.map(drop)
}

/// Notes that the marks changed. The row is locked.
pub(crate) async fn count_erasure<C: ConnectionTrait>(connection: &C, partner: &StoredPartner) -> Result<(), Error> {
    let sql = "UPDATE ingestion_partner SET erasures = erasures + 1 WHERE partner_no = $1";
    query::run(connection, sql, vec![partner.number.into()]).await.map(drop)
}

/// Writes what the partner's own facts say of it.
pub(crate) async fn set_settings<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    complete_through: i32,
    time_zone: &str,
) -> Result<(), Error> {
    let sql = "UPDATE ingestion_partner SET complete_through = $2, time_zone = $3 WHERE partner_no = $1";
    query::run(connection, sql, vec![partner.number.into(), complete_through.into(), time_zone.into()]).await.map(drop)
}

/// Raises the floor of the feed.
pub(crate) async fn raise_floor<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    floor: i64,
) -> Result<(), Error> {
    let sql = "UPDATE ingestion_partner SET floor = $2 WHERE partner_no = $1 AND floor < $2";
    query::run(connection, sql, vec![partner.number.into(), floor.into()]).await.map(drop)
}

/// Counters of the quarantine. What is replayed is not counted back, so there may be fewer records, and smaller ones.
#[derive(FromQueryResult)]
pub(crate) struct QuarantineCounters {
    /// The last id given out.
    #[sea_orm(from_alias = "quarantined")]
    pub last_id: i64,
    #[sea_orm(from_alias = "quarantine_records")]
    pub records: i64,
    #[sea_orm(from_alias = "quarantine_bytes")]
    pub bytes: i64,
}

/// Takes ids for so many records of the quarantine, which have so many bytes.
pub(crate) async fn take_quarantine_ids<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    count: i64,
    bytes: i64,
) -> Result<QuarantineCounters, Error> {
    let sql = "UPDATE ingestion_partner SET quarantined = quarantined + $2, quarantine_records = quarantine_records + $2, \
               quarantine_bytes = quarantine_bytes + $3 WHERE partner_no = $1 \
               RETURNING quarantined, quarantine_records, quarantine_bytes";
    query::row(connection, sql, vec![partner.number.into(), count.into(), bytes.into()]).await?.ok_or(Error::NoPartner)
}

/// Notes how many records the quarantine has, how large they are, and how many more were dropped.
pub(crate) async fn set_quarantine<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    [records, bytes, dropped]: [i64; 3],
) -> Result<(), Error> {
    let sql = "UPDATE ingestion_partner SET quarantine_records = $2, quarantine_bytes = $3, \
               quarantine_dropped = quarantine_dropped + $4 WHERE partner_no = $1";
    query::run(connection, sql, vec![partner.number.into(), records.into(), bytes.into(), dropped.into()])
        .await
        .map(drop)
}

/// The last surrogate id given out of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct IdCounters {
    pub customers: i64,
    pub subscriptions: i32,
    pub skus: i32,
    pub services: i32,
}

impl IdCounters {
    pub(crate) async fn read<C: ConnectionTrait>(connection: &C, partner: &StoredPartner) -> Result<Self, Error> {
        let sql = "SELECT customers, subscriptions, skus, services FROM ingestion_partner WHERE partner_no = $1";
        query::row(connection, sql, vec![partner.number.into()]).await?.ok_or(Error::NoPartner)
    }

    pub(crate) async fn write<C: ConnectionTrait>(self, connection: &C, partner: &StoredPartner) -> Result<(), Error> {
        let sql = "UPDATE ingestion_partner SET customers = $2, subscriptions = $3, skus = $4, services = $5 \
                   WHERE partner_no = $1";
        let values: Vec<Value> = vec![
            partner.number.into(),
            self.customers.into(),
            self.subscriptions.into(),
            self.skus.into(),
            self.services.into(),
        ];
        query::run(connection, sql, values).await.map(drop)
    }
}
