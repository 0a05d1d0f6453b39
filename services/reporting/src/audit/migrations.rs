//! The schema of the reporting service. Identifiers are frozen: a migration that was released never changes.

use sea_orm_migration::prelude::*;

/// Brings the tables of reporting to this version.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(AuditRecords),
            Box::new(crate::exports::ExportsMigration),
            Box::new(AuditListed),
            Box::new(AuditLocations),
        ]
    }

    /// Its own: services may share a database and know nothing of each other.
    fn migration_table_name() -> DynIden {
        insights_database::migration_table("reporting")
    }
}

/// The audit.
struct AuditRecords;

impl MigrationName for AuditRecords {
    fn name(&self) -> &str {
        "m0001_audit_records"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AuditRecords {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = |name: &'static str| ColumnDef::new(name).text().not_null().to_owned();
        let number = |name: &'static str| ColumnDef::new(name).big_integer().not_null().to_owned();
        let table = Table::create()
            .table("audit_record")
            .col(text("partner"))
            .col(number("at_micros"))
            .col(number("record_id"))
            .col(text("subject"))
            .col(text("roles"))
            .col(text("rpc"))
            .col(text("asked"))
            .col(number("row_count"))
            .col(ColumnDef::new("redacted").boolean().not_null())
            .col(text("outcome"))
            .primary_key(Index::create().col("partner").col("at_micros").col("record_id"))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_record").to_owned()).await
    }
}

/// The audit is listed by who and by outcome: without these, finding a few entries reads all of a partner's.
struct AuditListed;

impl MigrationName for AuditListed {
    fn name(&self) -> &str {
        "m0003_audit_listed"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AuditListed {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, column) in [("audit_record_by_subject", "subject"), ("audit_record_by_outcome", "outcome")] {
            let mut index = Index::create();
            index.name(name).table("audit_record").col("partner").col(column).col("at_micros");
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["audit_record_by_subject", "audit_record_by_outcome"] {
            manager.drop_index(Index::drop().name(name).table("audit_record").to_owned()).await?;
        }
        Ok(())
    }
}

/// Locations a caller is bound to change every figure given, so they are part of what was asked.
struct AuditLocations;

impl MigrationName for AuditLocations {
    fn name(&self) -> &str {
        "m0004_audit_locations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AuditLocations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new("locations").text().null().to_owned();
        manager.alter_table(Table::alter().table("audit_record").add_column(column).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("audit_record").drop_column("locations").to_owned()).await
    }
}
