//! Writes rollups: the position first, compared and set, then what differs, in one transaction.

use insights_database::Transaction;
use insights_domain::calendar::Day;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue, ColumnTrait, EntityTrait, QueryFilter, TransactionSession};

use super::entities::{customer, month, partner};
use super::model::PartnerHeader;
use super::store::{PartnerRow, Store, StoreError};
use super::{CustomerKey, write_partner};

/// Rows per statement; six columns each, far below what either engine binds.
const ROWS: usize = 1_000;

/// What a partner's rollups are brought to.
#[derive(Clone, Debug)]
pub struct Position {
    /// The epoch.
    pub epoch: i64,
    /// The version of the feed.
    pub version: i64,
    /// The effective one.
    pub complete_through: Day,
    /// Settings, catalogue and locations.
    pub header: PartnerHeader,
    /// Everything stored before goes.
    pub rebuild: bool,
}

/// One application of changes: a transaction that owns the partner's position.
pub struct Application {
    transaction: Transaction,
    partner_no: i32,
    revision: i64,
}

impl Application {
    /// Takes the position, or `None` when somebody else moved it since `row` was read. Whoever holds it makes all others
    /// wait here, so that nobody works twice.
    pub async fn begin(store: &Store, row: &PartnerRow, to: &Position) -> Result<Option<Self>, StoreError> {
        let transaction = store.database().begin().await?;
        let revision = row.revision + 1;
        let rebuilt = if to.rebuild { revision } else { row.rebuilt_revision };
        let taken = partner::Entity::update_many()
            .col_expr(partner::Column::Epoch, Expr::value(to.epoch))
            .col_expr(partner::Column::Version, Expr::value(to.version))
            .col_expr(partner::Column::Revision, Expr::value(revision))
            .col_expr(partner::Column::RebuiltRevision, Expr::value(rebuilt))
            .col_expr(partner::Column::CompleteThrough, Expr::value(to.complete_through.epoch_days()))
            .col_expr(partner::Column::Body, Expr::value(write_partner(&to.header)))
            .filter(partner::Column::PartnerNo.eq(row.number))
            .filter(partner::Column::Revision.eq(row.revision))
            .exec(&transaction)
            .await?;
        if taken.rows_affected == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        let application = Self { transaction, partner_no: row.number, revision };
        if to.rebuild {
            application.clear().await?;
        }
        Ok(Some(application))
    }

    /// The revision this application makes.
    pub const fn revision(&self) -> i64 {
        self.revision
    }

    /// The partner's number.
    pub const fn partner_no(&self) -> i32 {
        self.partner_no
    }

    /// Its transaction, to read in.
    pub const fn connection(&self) -> &Transaction {
        &self.transaction
    }

    /// Writes headers; a customer whose months change is named here too, so that replicas hear of it.
    pub async fn put_headers(&self, headers: Vec<(CustomerKey, Vec<u8>)>) -> Result<(), StoreError> {
        let mut rows = headers.into_iter().map(|(key, body)| customer::ActiveModel {
            partner_no: ActiveValue::Set(self.partner_no),
            cell: ActiveValue::Set(key.cell),
            customer_no: ActiveValue::Set(key.customer),
            revision: ActiveValue::Set(self.revision),
            body: ActiveValue::Set(body),
        });
        let key = [customer::Column::PartnerNo, customer::Column::Cell, customer::Column::CustomerNo];
        loop {
            let chunk: Vec<_> = rows.by_ref().take(ROWS).collect();
            if chunk.is_empty() {
                return Ok(());
            }
            let replace = OnConflict::columns(key).update_columns([customer::Column::Revision, customer::Column::Body]).to_owned();
            customer::Entity::insert_many(chunk).on_conflict(replace).exec_without_returning(&self.transaction).await?;
        }
    }

    /// Writes months.
    pub async fn put_months(&self, months: Vec<(CustomerKey, i32, Vec<u8>)>) -> Result<(), StoreError> {
        let mut rows = months.into_iter().map(|(key, month, body)| month::ActiveModel {
            partner_no: ActiveValue::Set(self.partner_no),
            cell: ActiveValue::Set(key.cell),
            customer_no: ActiveValue::Set(key.customer),
            month: ActiveValue::Set(month),
            revision: ActiveValue::Set(self.revision),
            body: ActiveValue::Set(body),
        });
        let key = [month::Column::PartnerNo, month::Column::Cell, month::Column::CustomerNo, month::Column::Month];
        loop {
            let chunk: Vec<_> = rows.by_ref().take(ROWS).collect();
            if chunk.is_empty() {
                return Ok(());
            }
            let replace = OnConflict::columns(key).update_columns([month::Column::Revision, month::Column::Body]).to_owned();
            month::Entity::insert_many(chunk).on_conflict(replace).exec_without_returning(&self.transaction).await?;
        }
    }

    /// Removes months of which nothing is known any more.
    pub async fn remove_months(&self, months: &[(CustomerKey, i32)]) -> Result<(), StoreError> {
        for (key, month) in months {
            month::Entity::delete_many()
                .filter(month::Column::PartnerNo.eq(self.partner_no))
                .filter(month::Column::Cell.eq(key.cell))
                .filter(month::Column::CustomerNo.eq(key.customer))
                .filter(month::Column::Month.eq(*month))
                .exec(&self.transaction)
                .await?;
        }
        Ok(())
    }

    async fn clear(&self) -> Result<(), StoreError> {
        month::Entity::delete_many().filter(month::Column::PartnerNo.eq(self.partner_no)).exec(&self.transaction).await?;
        customer::Entity::delete_many().filter(customer::Column::PartnerNo.eq(self.partner_no)).exec(&self.transaction).await?;
        Ok(())
    }

    /// Makes it all visible at once.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}
