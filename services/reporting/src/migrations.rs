//! The schema of the reporting service. Identifiers are frozen: a migration that was released never changes.

use sea_orm_migration::prelude::*;

/// The table of the shared secret.
pub(crate) const SECRET: &str = "reporting_secret";

/// Brings the tables of reporting to this version.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(AuditRecords),
            Box::new(ExportTables),
            Box::new(AuditListed),
            Box::new(AuditLocations),
            Box::new(SharedSecret),
            Box::new(ExportFolders),
            Box::new(AuditCalls),
            Box::new(ErasureJobs),
        ]
    }

    /// Its own: services may share a database and know nothing of each other.
    fn migration_table_name() -> DynIden {
        insights_database::migration_table("reporting")
    }
}

/// The secret that the replicas share, which page tokens are sealed with.
struct SharedSecret;

impl MigrationName for SharedSecret {
    fn name(&self) -> &str {
        "m0005_shared_secret"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SharedSecret {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create().table(SECRET).col(number("id").primary_key()).col(text("secret")).to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(SECRET).to_owned()).await
    }
}

/// Erasures that were ordered.
struct ErasureJobs;

impl MigrationName for ErasureJobs {
    fn name(&self) -> &str {
        "m0008_erasures"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ErasureJobs {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("erasure_job")
            .col(text("partner"))
            .col(text("erasure_id"))
            .col(ColumnDef::new("state").integer().not_null())
            .col(text("body"))
            .col(text("counts"))
            .col(number("version"))
            .col(text("worker"))
            .col(number("lease_until_micros"))
            .col(number("ended_micros"))
            .primary_key(Index::create().col("partner").col("erasure_id"))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("erasure_job").to_owned()).await
    }
}

/// The directories of exports that replicas use, and when they last said so.
struct ExportFolders;

impl MigrationName for ExportFolders {
    fn name(&self) -> &str {
        "m0006_export_folder"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ExportFolders {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mark = ColumnDef::new("mark").text().not_null().primary_key().to_owned();
        manager
            .create_table(Table::create().table("export_folder").col(mark).col(number("seen_micros")).to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("export_folder").to_owned()).await
    }
}

/// Refused calls of a minute are one entry.
struct AuditCalls;

impl MigrationName for AuditCalls {
    fn name(&self) -> &str {
        "m0007_audit_calls"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AuditCalls {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = number("calls").default(1).to_owned();
        manager.alter_table(Table::alter().table("audit_record").add_column(column).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("audit_record").drop_column("calls").to_owned()).await
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

/// Exports and tickets for their files.
struct ExportTables;

impl MigrationName for ExportTables {
    fn name(&self) -> &str {
        "m0002_exports"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ExportTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(jobs()).await?;
        // A caller's own name for an order is good for one; without a name there is nothing to compare.
        let by_request = Index::create()
            .unique()
            .name("export_job_by_request")
            .table("export_job")
            .col("partner")
            .col("owner")
            .col("request_id")
            .to_owned();
        manager.create_index(by_request).await?;
        let by_state = Index::create()
            .name("export_job_by_state")
            .table("export_job")
            .col("state")
            .col("lease_until_micros")
            .to_owned();
        manager.create_index(by_state).await?;
        let tickets = Table::create()
            .table("export_ticket")
            .col(ColumnDef::new("ticket_hash").text().not_null().primary_key())
            .col(text("partner"))
            .col(text("export_id"))
            .col(text("subject"))
            .col(text("roles"))
            .col(number("expires_micros"))
            .to_owned();
        manager.create_table(tickets).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("export_ticket").to_owned()).await?;
        manager.drop_table(Table::drop().table("export_job").to_owned()).await
    }
}

fn jobs() -> TableCreateStatement {
    Table::create()
        .table("export_job")
        .col(text("partner"))
        .col(text("export_id"))
        .col(text("owner"))
        .col(ColumnDef::new("request_id").text())
        .col(ColumnDef::new("order_body").blob().not_null())
        .col(number("min_version"))
        .col(text("roles"))
        .col(ColumnDef::new("locations").text())
        .col(ColumnDef::new("state").integer().not_null())
        .col(ColumnDef::new("attempt").integer().not_null())
        .col(text("worker"))
        .col(number("lease_until_micros"))
        .col(number("created_micros"))
        .col(number("ended_micros"))
        .col(number("expires_micros"))
        .col(number("row_count"))
        .col(number("customers"))
        .col(number("total_customers"))
        .col(number("byte_count"))
        .col(text("sha256"))
        .col(number("version"))
        .col(text("complete_through"))
        .col(ColumnDef::new("redacted").boolean().not_null())
        .col(text("file_name"))
        .col(text("file_path"))
        .col(text("failure"))
        .col(text("manifest"))
        .primary_key(Index::create().col("partner").col("export_id"))
        .to_owned()
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

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().to_owned()
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().to_owned()
}
