//! The partner's row: its settings, its counters, its newest version.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use insights_database::{
    bulk::{self, Column, Conflict, Lock, statement},
    sea_orm::{ConnectionTrait, QueryResult, Value},
};
use insights_domain::calendar::Day;

use crate::{
    error::Error,
    ids::{CustomerKey, SHARDS, UNATTACHED},
};

/// Stands for no day.
pub(crate) const NO_DAY: i32 = i32::MIN;

/// A partner's row.
#[derive(Clone, Debug)]
pub(crate) struct PartnerRow {
    pub number: i32,
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
}

const COLUMNS: &str =
    "partner_no, partner_id, epoch, version, floor, time_zone, complete_through, last_activity, last_ingest";

impl PartnerRow {
    fn from_row(row: &QueryResult, first: usize) -> Result<Self, Error> {
        Ok(Self {
            number: row.try_get_by_index(first)?,
            id: row.try_get_by_index(first + 1)?,
            epoch: row.try_get_by_index(first + 2)?,
            version: row.try_get_by_index(first + 3)?,
            floor: row.try_get_by_index(first + 4)?,
            time_zone: row.try_get_by_index(first + 5)?,
            complete_through: row.try_get_by_index(first + 6)?,
            last_activity: row.try_get_by_index(first + 7)?,
            last_ingest: row.try_get_by_index(first + 8)?,
        })
    }

    /// Every partner.
    pub(crate) async fn all<C: ConnectionTrait>(connection: &C) -> Result<Vec<Self>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM ingestion_partner ORDER BY partner_no");
        let rows = connection.query_all_raw(statement(connection, sql, vec![])).await?;
        rows.iter().map(|row| Self::from_row(row, 0)).collect()
    }

    /// The partner with this id, if it has sent anything yet.
    pub(crate) async fn find<C: ConnectionTrait>(connection: &C, id: &str) -> Result<Option<Self>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM ingestion_partner WHERE partner_id = $1");
        let row = connection.query_one_raw(statement(connection, sql, vec![id.into()])).await?;
        row.map(|row| Self::from_row(&row, 0)).transpose()
    }

    /// The partner with this id, with a row of its own from now on.
    pub(crate) async fn create<C: ConnectionTrait>(connection: &C, id: &str, now: i64) -> Result<Self, Error> {
        let sql = "INSERT INTO ingestion_partner (partner_id, epoch, version, floor, time_zone, complete_through, \
                   last_activity, last_ingest, customers, subscriptions, skus, services, quarantined) \
                   VALUES ($1, $2, 0, 0, 'UTC', $3, $3, 0, 0, 0, 0, 0, 0) ON CONFLICT (partner_id) DO NOTHING";
        // Microseconds of its birth: another database in the place of this one has another epoch.
        let values = vec![id.into(), (now / 1_000).into(), NO_DAY.into()];
        connection.execute_raw(statement(connection, sql, values)).await?;
        let partner = Self::find(connection, id).await?.ok_or(Error::NoPartner)?;
        let shards: Vec<i32> = (0..SHARDS).map(|offset| partner.number * SHARDS + offset).collect();
        let count = shards.len();
        let ids = shards.iter().map(|shard| format!("\u{1}limbo/{shard}")).collect();
        let columns = vec![
            ("cell", Column::Int(shards)),
            ("customer_no", Column::BigInt(vec![UNATTACHED; count])),
            ("customer_id", Column::Text(ids)),
            ("known", Column::Bool(vec![true; count])),
            ("users", Column::Int(vec![0; count])),
            ("first_activity", Column::Bytes(vec![Vec::new(); count])),
        ];
        let fixed = [("partner_no", Value::from(partner.number))];
        let keep = Conflict::Keep { key: &["partner_no", "cell", "customer_no"] };
        bulk::upsert(connection, "ingestion_customer", &fixed, columns, keep).await?;
        Ok(partner)
    }

    /// Gives every partner another epoch: its time in microseconds, as at a birth, so that facts brought back twice from one
    /// backup have two.
    pub(crate) async fn begin_new_epochs<C: ConnectionTrait>(connection: &C, now_micros: i64) -> Result<(), Error> {
        let sql = "UPDATE ingestion_partner SET epoch = CASE WHEN epoch < $1 THEN $1 ELSE epoch + 1 END";
        connection.execute_raw(statement(connection, sql, vec![now_micros.into()])).await?;
        Ok(())
    }

    /// Reads the row again and holds it until the transaction ends.
    pub(crate) async fn hold<C: ConnectionTrait>(connection: &C, number: i32) -> Result<Self, Error> {
        let key = ("partner_no", Column::Int(vec![number]));
        let rows = bulk::lock(connection, "ingestion_partner", &[], key, COLUMNS, Lock::Update).await?;
        Self::from_row(rows.first().ok_or(Error::NoPartner)?, 1)
    }

    /// Today in the partner's time zone.
    pub(crate) fn today(&self, now: DateTime<Utc>) -> Day {
        Day::of_instant(now, Tz::from_str(&self.time_zone).unwrap_or(Tz::UTC))
    }

    /// The shard a name belongs to.
    pub(crate) fn shard(&self, name: &str) -> i32 {
        let hash = blake3::hash(name.as_bytes());
        self.number * SHARDS + i32::from(hash.as_bytes()[0]) % SHARDS
    }

    /// Where facts of a subscription are kept that nobody has said anything about.
    pub(crate) fn unattached(&self, subscription: &str) -> CustomerKey {
        CustomerKey { shard: self.shard(subscription), number: UNATTACHED }
    }

    pub(crate) fn fixed(&self) -> [(&'static str, Value); 1] {
        [("partner_no", Value::from(self.number))]
    }

    pub(crate) fn fixed_shard(&self, shard: i32) -> [(&'static str, Value); 2] {
        [("partner_no", Value::from(self.number)), ("cell", Value::from(shard))]
    }
}
