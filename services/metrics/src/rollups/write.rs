//! Writes rollups: the position first, compared and set, then what differs, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use insights_database::Transaction;
use insights_database::bulk::{self, Column, Conflict};
use insights_domain::calendar::Day;
use insights_service::fail_point;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Value};

use super::entities::{customer, month, partner};
use super::model::PartnerModel;
use super::store::{RollupError, RollupPartner, Store, fixed};
use super::{CellCustomer, write_partner};

/// Customers looked for in one statement.
const AT_A_TIME: usize = 500;

/// What a partner's rollups are brought to.
#[derive(Clone, Debug)]
pub struct RollupPosition {
    /// The epoch.
    pub epoch: i64,
    /// The version of the feed.
    pub version: i64,
    /// What the feed said of the version.
    pub stamp: i64,
    /// The effective one.
    pub complete_through: Day,
    /// Settings, catalogue and locations.
    pub model: PartnerModel,
    /// Everything stored before goes.
    pub rebuild: bool,
}

/// What was committed.
#[derive(Debug)]
pub struct Applied {
    /// The revision it made.
    pub revision: i64,
    /// Who changed, each with the index of the first month that did.
    pub customers: BTreeMap<CellCustomer, i32>,
}

/// One application of changes: a transaction that owns the partner's position.
pub struct Application {
    transaction: Transaction,
    partner_no: i32,
    revision: i64,
}

impl Application {
    /// Takes the position; `None` when another replica moved it since `row` was read. Other replicas wait here while one holds
    /// it, so that no work is done twice.
    pub async fn begin(store: &Store, row: &RollupPartner, to: &RollupPosition) -> Result<Option<Self>, RollupError> {
        let transaction = store.database().begin().await?;
        let revision = row.revision + 1;
        let rebuilt = if to.rebuild { revision } else { row.rebuilt_revision };
        let mut update = partner::Entity::update_many();
        if to.model != row.model {
            // By far the largest column, and it seldom changes.
            update = update.col_expr(partner::Column::Body, Expr::value(write_partner(&to.model)));
        }
        if fail_point::guard_holds("metrics.position") {
            update = update.filter(partner::Column::Revision.eq(row.revision));
        }
        let taken = update
            .col_expr(partner::Column::Epoch, Expr::value(to.epoch))
            .col_expr(partner::Column::Version, Expr::value(to.version))
            .col_expr(partner::Column::Stamp, Expr::value(to.stamp))
            .col_expr(partner::Column::Revision, Expr::value(revision))
            .col_expr(partner::Column::RebuiltRevision, Expr::value(rebuilt))
            .col_expr(partner::Column::CompleteThrough, Expr::value(to.complete_through.epoch_days()))
            .filter(partner::Column::PartnerNo.eq(row.number))
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
    pub async fn put_headers(&self, headers: Vec<(CellCustomer, Vec<u8>)>) -> Result<(), RollupError> {
        let mut cells: BTreeMap<i32, (Vec<i64>, Vec<Vec<u8>>)> = BTreeMap::new();
        for (key, body) in headers {
            let (customers, bodies) = cells.entry(key.cell).or_default();
            customers.push(key.customer);
            bodies.push(body);
        }
        for (cell, (customers, bodies)) in cells {
            let rows = vec![("customer_no", Column::BigInt(customers)), ("body", Column::Bytes(bodies))];
            let replace = Conflict::Replace {
                key: &["partner_no", "cell", "customer_no"],
                set: &["revision", "body"],
                only_if: None,
            };
            bulk::upsert(&self.transaction, "rollup_customer", &self.fixed_with_revision(cell), rows, replace).await?;
        }
        Ok(())
    }

    /// Writes months.
    pub async fn put_months(&self, months: Vec<(CellCustomer, i32, Vec<u8>)>) -> Result<(), RollupError> {
        let mut cells: BTreeMap<i32, (Vec<i64>, Vec<i32>, Vec<Vec<u8>>)> = BTreeMap::new();
        for (key, month, body) in months {
            let (customers, months, bodies) = cells.entry(key.cell).or_default();
            customers.push(key.customer);
            months.push(month);
            bodies.push(body);
        }
        for (cell, (customers, months, bodies)) in cells {
            let rows = vec![
                ("customer_no", Column::BigInt(customers)),
                ("month", Column::Int(months)),
                ("body", Column::Bytes(bodies)),
            ];
            let replace = Conflict::Replace {
                key: &["partner_no", "cell", "customer_no", "month"],
                set: &["revision", "body"],
                only_if: None,
            };
            bulk::upsert(&self.transaction, "rollup_month", &self.fixed_with_revision(cell), rows, replace).await?;
        }
        Ok(())
    }

    /// Removes months of which nothing is known any more.
    pub async fn remove_months(&self, months: &[(CellCustomer, i32)]) -> Result<(), RollupError> {
        let mut cells: BTreeMap<i32, (Vec<i64>, Vec<i32>)> = BTreeMap::new();
        for (key, month) in months {
            let (customers, months) = cells.entry(key.cell).or_default();
            customers.push(key.customer);
            months.push(*month);
        }
        for (cell, (customers, months)) in cells {
            let keys = vec![("customer_no", Column::BigInt(customers)), ("month", Column::Int(months))];
            bulk::delete(&self.transaction, "rollup_month", &fixed(self.partner_no, cell), keys).await?;
        }
        Ok(())
    }

    /// Removes customers of whom there are no facts any more, by number. The cubes of all replicas are loaded anew: a cube keeps the
    /// customers that it has.
    pub async fn remove_customers(&self, numbers: &BTreeSet<i64>) -> Result<(), RollupError> {
        let numbers: Vec<i64> = numbers.iter().copied().collect();
        let mut removed = false;
        for numbers in numbers.chunks(AT_A_TIME) {
            let of_partner = customer::Column::PartnerNo.eq(self.partner_no);
            let found: Vec<(i32, i64)> = customer::Entity::find()
                .select_only()
                .columns([customer::Column::Cell, customer::Column::CustomerNo])
                .filter(of_partner)
                .filter(customer::Column::CustomerNo.is_in(numbers.to_vec()))
                .into_tuple()
                .all(&self.transaction)
                .await?;
            for (cell, number) in found {
                month::Entity::delete_many()
                    .filter(month::Column::PartnerNo.eq(self.partner_no))
                    .filter(month::Column::Cell.eq(cell))
                    .filter(month::Column::CustomerNo.eq(number))
                    .exec(&self.transaction)
                    .await?;
                customer::Entity::delete_by_id((self.partner_no, cell, number)).exec(&self.transaction).await?;
                removed = true;
            }
        }
        if removed {
            partner::Entity::update_many()
                .col_expr(partner::Column::RebuiltRevision, Expr::value(self.revision))
                .filter(partner::Column::PartnerNo.eq(self.partner_no))
                .exec(&self.transaction)
                .await?;
        }
        Ok(())
    }

    fn fixed_with_revision(&self, cell: i32) -> [(&'static str, Value); 3] {
        let [partner, cell] = fixed(self.partner_no, cell);
        [partner, cell, ("revision", Value::BigInt(Some(self.revision)))]
    }

    async fn clear(&self) -> Result<(), RollupError> {
        month::Entity::delete_many()
            .filter(month::Column::PartnerNo.eq(self.partner_no))
            .exec(&self.transaction)
            .await?;
        customer::Entity::delete_many()
            .filter(customer::Column::PartnerNo.eq(self.partner_no))
            .exec(&self.transaction)
            .await?;
        Ok(())
    }

    /// Makes it all visible at once.
    pub async fn commit(self) -> Result<(), RollupError> {
        Ok(self.transaction.commit().await?)
    }
}
