//! Marks of what was erased, and how often a partner's marks changed.

use insights_database::{
    sea_orm::{DbErr, sea_query::Table},
    sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait},
};

use super::{big, bytes, int, table};

pub(super) struct Erasure;

impl MigrationName for Erasure {
    fn name(&self) -> &'static str {
        "m0010_erasure"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Erasure {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![int("partner_no"), bytes("owner"), bytes("mark"), big("erased_at")];
        let marks = table("ingestion_erased", columns, &["partner_no", "owner", "mark"]);
        manager.create_table(marks).await?;
        let mut column = big("erasures");
        column.default(0);
        manager.alter_table(Table::alter().table("ingestion_partner").add_column(column).to_owned()).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("facts are never dropped by a migration".to_owned()))
    }
}
