//! A row of the feed holds many customers, where it held one: a batch that changes ten thousand wrote as many rows.
//!
//! Rows that are there stay as they are, of one customer each. A column has another name, so that a process of the version before,
//! which would take a row's first customer for all, fails instead.

use insights_database::{
    sea_orm::{DbErr, sea_query::Table},
    sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait},
};
use insights_service::fail_point;

use super::bytes;

pub(super) struct ManyCustomersARow;

impl MigrationName for ManyCustomersARow {
    fn name(&self) -> &'static str {
        "m0008_many_customers_a_row"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ManyCustomersARow {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut feed = Table::alter();
        feed.table("ingestion_feed");
        if !manager.has_column("ingestion_feed", "month").await? {
            manager.alter_table(feed.clone().rename_column("first_month", "month").to_owned()).await?;
        }
        fail_point::hit("ingestion.migrating_feed");
        if !manager.has_column("ingestion_feed", "others").await? {
            let mut others = bytes("others");
            others.default(Vec::<u8>::new());
            manager.alter_table(feed.add_column(others).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("facts are never dropped by a migration".to_owned()))
    }
}
