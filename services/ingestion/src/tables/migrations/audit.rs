//! Who sent what is kept beside the facts.

use insights_database::{
    sea_orm::{DbErr, sea_query},
    sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait},
};
use sea_query::{ColumnDef, Index};

use super::{big, table, text};

pub(super) struct AuditTable;

impl MigrationName for AuditTable {
    fn name(&self) -> &'static str {
        "m0008_audit"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AuditTable {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut locations = ColumnDef::new("locations");
        locations.text().null();
        let columns = vec![
            text("partner"),
            big("at_micros"),
            big("record_id"),
            text("subject"),
            text("roles"),
            locations,
            text("rpc"),
            text("asked"),
            big("records"),
            text("outcome"),
            big("calls"),
        ];
        manager.create_table(table("ingestion_audit", columns, &["partner", "at_micros", "record_id"])).await?;
        // Finding the few entries of one caller, or of one outcome, would read all of a partner's.
        for (name, column) in [("ingestion_audit_by_subject", "subject"), ("ingestion_audit_by_outcome", "outcome")] {
            let mut index = Index::create();
            index.name(name).table("ingestion_audit").col("partner").col(column).col("at_micros");
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("who sent what is not forgotten by a migration".to_owned()))
    }
}
