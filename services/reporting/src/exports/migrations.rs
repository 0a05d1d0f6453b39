//! The schema of exports. Identifiers are frozen: a migration that was released never changes.

use sea_orm_migration::prelude::*;

/// Exports and tickets for their files.
pub struct Exports;

impl MigrationName for Exports {
    fn name(&self) -> &str {
        "m0002_exports"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Exports {
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

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().to_owned()
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().to_owned()
}
