//! The schema of the metrics service. Identifiers are frozen: a migration that was released never changes.

use sea_orm_migration::prelude::*;

/// Brings the tables of rollups to this version.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Rollups),
            Box::new(Stamp),
            Box::new(SupportCases),
            Box::new(OneIndexFits),
            Box::new(Reports),
            Box::new(UsersReport),
        ]
    }

    /// Its own: services may share a database and know nothing of each other.
    fn migration_table_name() -> DynIden {
        Alias::new("metrics_migration").into_iden()
    }
}

/// The three tables of rollups.
struct Rollups;

impl MigrationName for Rollups {
    fn name(&self) -> &str {
        "m0001_rollups"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Rollups {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(partner_table()).await?;
        manager.create_table(customer_table()).await?;
        manager.create_table(month_table()).await?;
        let by_revision = Index::create()
            .name("rollup_customer_by_revision")
            .table("rollup_customer")
            .col("partner_no")
            .col("revision")
            .to_owned();
        manager.create_index(by_revision).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["rollup_month", "rollup_customer", "rollup_partner"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// What the feed said of the version a partner's rollups are at.
struct Stamp;

impl MigrationName for Stamp {
    fn name(&self) -> &str {
        "m0002_stamp"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Stamp {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new("stamp").big_integer().not_null().default(0).to_owned();
        manager.alter_table(Table::alter().table("rollup_partner").add_column(column).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("rollup_partner").drop_column("stamp").to_owned()).await
    }
}

/// Headers of customers hold their support cases: no epoch is −1, so the feed has everything rolled up anew, and answers go
/// on meanwhile.
struct SupportCases;

impl MigrationName for SupportCases {
    fn name(&self) -> &str {
        "m0003_support_cases"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SupportCases {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let other_epoch = Query::update().table("rollup_partner").value("epoch", -1).to_owned();
        manager.execute(other_epoch).await
    }

    /// An older version reads past what it does not know.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

/// The index by revision fits what is read by revision and nothing else: look-ups of customers name `partner_no`, which it does not have,
/// and what is read by revision names `partner_no + 0`, which the primary key does not have. So PostgreSQL has no choice that it
/// would make by statistics older than the partner.
struct OneIndexFits;

impl MigrationName for OneIndexFits {
    fn name(&self) -> &str {
        "m0004_one_index_fits"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OneIndexFits {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [
            "CREATE INDEX IF NOT EXISTS rollup_customer_revision ON rollup_customer ((partner_no + 0), revision)",
            "DROP INDEX IF EXISTS rollup_customer_by_revision",
        ] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    /// An older version reads the same rows without its index.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "DROP INDEX IF EXISTS rollup_customer_revision";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}

/// Months between two that reports cover take the one before over, and headers of customers hold the months of their rows:
/// everything is rolled up anew, as for support cases.
struct Reports;

impl MigrationName for Reports {
    fn name(&self) -> &str {
        "m0005_reports"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Reports {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let other_epoch = Query::update().table("rollup_partner").value("epoch", -1).to_owned();
        manager.execute(other_epoch).await
    }

    /// An older version reads past what it does not know.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Reported users of a month that no report covers are those of the one before: everything is rolled up anew, as for reported seats.
struct UsersReport;

impl MigrationName for UsersReport {
    fn name(&self) -> &str {
        "m0006_users_report"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for UsersReport {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Reports.up(manager).await
    }

    /// An older version reads past what it does not know.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

fn partner_table() -> TableCreateStatement {
    Table::create()
        .table("rollup_partner")
        .col(ColumnDef::new("partner_no").integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new("partner").string().not_null().unique_key())
        .col(ColumnDef::new("epoch").big_integer().not_null())
        .col(ColumnDef::new("version").big_integer().not_null())
        .col(ColumnDef::new("revision").big_integer().not_null())
        .col(ColumnDef::new("rebuilt_revision").big_integer().not_null())
        .col(ColumnDef::new("complete_through").integer().not_null())
        .col(ColumnDef::new("body").blob().not_null())
        .to_owned()
}

fn customer_table() -> TableCreateStatement {
    Table::create()
        .table("rollup_customer")
        .col(ColumnDef::new("partner_no").integer().not_null())
        .col(ColumnDef::new("cell").integer().not_null())
        .col(ColumnDef::new("customer_no").big_integer().not_null())
        .col(ColumnDef::new("revision").big_integer().not_null())
        .col(ColumnDef::new("body").blob().not_null())
        .primary_key(Index::create().col("partner_no").col("cell").col("customer_no"))
        .to_owned()
}

fn month_table() -> TableCreateStatement {
    Table::create()
        .table("rollup_month")
        .col(ColumnDef::new("partner_no").integer().not_null())
        .col(ColumnDef::new("cell").integer().not_null())
        .col(ColumnDef::new("customer_no").big_integer().not_null())
        .col(ColumnDef::new("month").integer().not_null())
        .col(ColumnDef::new("revision").big_integer().not_null())
        .col(ColumnDef::new("body").blob().not_null())
        .primary_key(Index::create().col("partner_no").col("cell").col("customer_no").col("month"))
        .to_owned()
}
