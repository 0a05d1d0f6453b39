//! Reads rollups. Every read names the partner, and the cell where it names customers.

use std::collections::BTreeMap;

use insights_database::bulk::{self, Column};
use insights_database::{Database, Transaction};
use insights_domain::calendar::Day;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Value,
};

use super::entities::{customer, month, partner};
use super::model::PartnerModel;
use super::month_encoding::BodyError;
use super::{CellCustomer, read_partner};

/// Why rollups cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The connection or a transaction failed.
    #[error("rollups: {0}")]
    Database(#[from] insights_database::Error),
    /// A statement failed.
    #[error("rollups: {0}")]
    Query(#[from] DbErr),
    /// A row cannot be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// A task of this service panicked or was cancelled.
    #[error("rollups: reading stopped: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// A stored number is out of its range.
    #[error("rollups: a stored day or month is out of range")]
    Range,
}

/// A partner and how far its rollups are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollupPartner {
    /// Its number within these tables.
    pub number: i32,
    /// The partner.
    pub partner: String,
    /// The epoch of `version`.
    pub epoch: i64,
    /// The version of the feed.
    pub version: i64,
    /// What the feed said of the version; 0: nothing.
    pub stamp: i64,
    /// Counts what was applied.
    pub revision: i64,
    /// The revision of the last rebuilding.
    pub rebuilt_revision: i64,
    /// The effective one, at which the rollups were made; `None` before the first.
    pub complete_through: Option<Day>,
    /// Settings, catalogue and locations.
    pub model: PartnerModel,
}

impl RollupPartner {
    /// A partner of which nothing was seen.
    pub fn unseen(partner: &str) -> Self {
        Self {
            number: 0,
            partner: partner.to_owned(),
            epoch: 0,
            version: 0,
            stamp: 0,
            revision: 0,
            rebuilt_revision: 0,
            complete_through: None,
            model: PartnerModel::default(),
        }
    }
}

/// The header of a customer, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRows {
    /// The customer.
    pub key: CellCustomer,
    /// The header's bytes.
    pub body: Vec<u8>,
}

/// The months of a customer, as stored: bytes by month index.
pub type MonthRows = BTreeMap<i32, Vec<u8>>;

/// What a lookup of headers reads.
#[derive(Debug, FromQueryResult)]
struct StoredHeader {
    customer_no: i64,
    body: Vec<u8>,
}

/// What a lookup of months reads.
#[derive(Debug, FromQueryResult)]
struct StoredMonth {
    customer_no: i64,
    month: i32,
    body: Vec<u8>,
}

/// The rollups of all partners.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
}

/// A `complete_through` that is not known yet.
pub(super) const UNKNOWN_DAY: i32 = i32::MIN;

impl Store {
    /// On a migrated database.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// The database below.
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// One state of the tables, for reads that belong together.
    pub async fn snapshot(&self) -> Result<Transaction, RollupError> {
        Ok(self.database.snapshot().await?)
    }

    /// The partner, if anything of it was seen.
    pub async fn find_partner_in(
        connection: &impl ConnectionTrait,
        partner: &str,
    ) -> Result<Option<RollupPartner>, RollupError> {
        let row = partner::Entity::find().filter(partner::Column::Partner.eq(partner)).one(connection).await?;
        row.map(partner_row).transpose()
    }

    /// The partner; a row at version 0 when there was none.
    pub async fn enter_partner(&self, partner: &str) -> Result<RollupPartner, RollupError> {
        if let Some(row) = Self::find_partner_in(self.database.writer(), partner).await? {
            return Ok(row);
        }
        let row = partner::ActiveModel {
            partner_no: ActiveValue::NotSet,
            partner: ActiveValue::Set(partner.to_owned()),
            epoch: ActiveValue::Set(0),
            version: ActiveValue::Set(0),
            stamp: ActiveValue::Set(0),
            revision: ActiveValue::Set(0),
            rebuilt_revision: ActiveValue::Set(0),
            complete_through: ActiveValue::Set(UNKNOWN_DAY),
            body: ActiveValue::Set(Vec::new()),
        };
        // Another replica may have been first.
        partner::Entity::insert(row)
            .on_conflict_do_nothing_on([partner::Column::Partner])
            .exec_without_returning(self.database.writer())
            .await?;
        let row = Self::find_partner_in(self.database.writer(), partner).await?;
        row.ok_or_else(|| DbErr::RecordNotFound("a partner's row that was just written".to_owned()).into())
    }

    /// Every partner.
    pub async fn list_partners(&self) -> Result<Vec<RollupPartner>, RollupError> {
        let rows = partner::Entity::find().all(self.database.reader()).await?;
        rows.into_iter().map(partner_row).collect()
    }

    /// The version of the facts that every partner's figures show.
    pub async fn list_versions(&self) -> Result<Vec<(String, i64)>, RollupError> {
        let rows = partner::Entity::find()
            .select_only()
            .columns([partner::Column::Partner, partner::Column::Version])
            .into_tuple()
            .all(self.database.reader())
            .await?;
        Ok(rows)
    }

    /// The revision of every partner, by its number, without what makes its row large.
    pub async fn list_revisions(&self) -> Result<Vec<(String, i64)>, RollupError> {
        let rows = partner::Entity::find()
            .select_only()
            .columns([partner::Column::Partner, partner::Column::Revision])
            .into_tuple()
            .all(self.database.reader())
            .await?;
        Ok(rows)
    }

    /// Customers that changed after a revision, in key order.
    pub async fn list_changed(
        connection: &impl ConnectionTrait,
        partner_no: i32,
        after_revision: i64,
    ) -> Result<Vec<CellCustomer>, RollupError> {
        let rows: Vec<(i32, i64)> = customer::Entity::find()
            .select_only()
            .columns([customer::Column::Cell, customer::Column::CustomerNo])
            // As the index by revision has it; the primary key does not fit.
            .filter(Expr::cust("partner_no + 0").eq(partner_no))
            .filter(customer::Column::Revision.gt(after_revision))
            .order_by_asc(customer::Column::Cell)
            .order_by_asc(customer::Column::CustomerNo)
            .into_tuple()
            .all(connection)
            .await?;
        Ok(rows.into_iter().map(|(cell, customer)| CellCustomer { cell, customer }).collect())
    }

    /// Headers of all customers, a page at a time in key order: those after `after`.
    pub async fn page_of_headers(
        connection: &impl ConnectionTrait,
        partner_no: i32,
        after: Option<CellCustomer>,
        size: u64,
    ) -> Result<Vec<CustomerRows>, RollupError> {
        let mut query = customer::Entity::find().filter(customer::Column::PartnerNo.eq(partner_no));
        if let Some(after) = after {
            // As one comparison the primary key answers it; written out it would be a filter over all rows before.
            let key = Expr::tuple([Expr::col(customer::Column::Cell), Expr::col(customer::Column::CustomerNo)]);
            query = query.filter(key.gt(Expr::tuple([Expr::value(after.cell), Expr::value(after.customer)])));
        }
        let rows = query
            .order_by_asc(customer::Column::Cell)
            .order_by_asc(customer::Column::CustomerNo)
            .limit(size)
            .all(connection)
            .await?;
        Ok(rows.into_iter().map(customer_rows).collect())
    }

    /// How many months are stored of a customer.
    pub async fn count_months(&self, partner: &str, key: CellCustomer) -> Result<u64, RollupError> {
        let reader = self.database.reader();
        let Some(row) = Self::find_partner_in(reader, partner).await? else { return Ok(0) };
        let months = month::Entity::find()
            .filter(month::Column::PartnerNo.eq(row.number))
            .filter(month::Column::Cell.eq(key.cell))
            .filter(month::Column::CustomerNo.eq(key.customer));
        Ok(months.count(reader).await?)
    }

    /// Headers of the named customers.
    pub async fn headers(
        connection: &impl ConnectionTrait,
        partner_no: i32,
        keys: &[CellCustomer],
    ) -> Result<BTreeMap<CellCustomer, Vec<u8>>, RollupError> {
        let mut found = BTreeMap::new();
        for (cell, customers) in group_by_cell(keys) {
            let names = vec![("customer_no", Column::BigInt(customers))];
            let rows = bulk::lookup(
                connection,
                "rollup_customer",
                &fixed(partner_no, cell),
                names,
                "t.customer_no AS customer_no, t.body AS body",
            )
            .await?;
            for row in rows {
                let row = StoredHeader::from_query_result(&row, "")?;
                found.insert(CellCustomer { cell, customer: row.customer_no }, row.body);
            }
        }
        Ok(found)
    }

    /// Months of the named customers, from a month on.
    pub async fn months(
        connection: &impl ConnectionTrait,
        partner_no: i32,
        keys: &[CellCustomer],
        from: i32,
    ) -> Result<BTreeMap<CellCustomer, MonthRows>, RollupError> {
        let mut found: BTreeMap<CellCustomer, MonthRows> = BTreeMap::new();
        for (cell, customers) in group_by_cell(keys) {
            let count = customers.len();
            let names = vec![("customer_no", Column::BigInt(customers)), ("_from", Column::Int(vec![from; count]))];
            let (select, condition) =
                ("t.customer_no AS customer_no, t.month AS month, t.body AS body", "AND t.month >= k._from");
            let fixed = fixed(partner_no, cell);
            for row in bulk::lookup_where(connection, "rollup_month", &fixed, names, select, condition).await? {
                let row = StoredMonth::from_query_result(&row, "")?;
                let key = CellCustomer { cell, customer: row.customer_no };
                found.entry(key).or_default().insert(row.month, row.body);
            }
        }
        Ok(found)
    }
}

/// What every statement about customers names.
pub(super) fn fixed(partner_no: i32, cell: i32) -> [(&'static str, Value); 2] {
    [("partner_no", Value::Int(Some(partner_no))), ("cell", Value::Int(Some(cell)))]
}

/// Customers by cell, so that each statement names one.
fn group_by_cell(keys: &[CellCustomer]) -> BTreeMap<i32, Vec<i64>> {
    let mut cells: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for key in keys {
        cells.entry(key.cell).or_default().push(key.customer);
    }
    cells
}

fn customer_rows(row: customer::Model) -> CustomerRows {
    CustomerRows { key: CellCustomer { cell: row.cell, customer: row.customer_no }, body: row.body }
}

fn partner_row(row: partner::Model) -> Result<RollupPartner, RollupError> {
    let complete_through = match row.complete_through {
        UNKNOWN_DAY => None,
        days => Some(Day::from_epoch_days(days).ok_or(RollupError::Range)?),
    };
    Ok(RollupPartner {
        number: row.partner_no,
        partner: row.partner,
        epoch: row.epoch,
        version: row.version,
        stamp: row.stamp,
        revision: row.revision,
        rebuilt_revision: row.rebuilt_revision,
        complete_through,
        model: read_partner(&row.body)?,
    })
}

impl From<RollupError> for insights_service::Error {
    /// A database that is away comes back; everything else is a fault of ours.
    fn from(error: RollupError) -> Self {
        use insights_database::Error as Cause;
        let passes = |cause: &Cause| matches!(cause, Cause::Unavailable(_) | Cause::Contended(_));
        let away = |cause: &dyn std::fmt::Display| {
            tracing::warn!(%cause, "rollups cannot be read");
            Self::unavailable("The figures cannot be read just now.")
        };
        match error {
            RollupError::Database(cause) if passes(&cause) => away(&cause),
            RollupError::Query(cause) => match Cause::from(cause) {
                cause if passes(&cause) => away(&cause),
                cause => Self::internal(cause),
            },
            other => Self::internal(other),
        }
    }
}
