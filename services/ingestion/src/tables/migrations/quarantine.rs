//! The quarantine has a cap: how large its records are, and how many were dropped, is kept.

use insights_database::{
    sea_orm::{ConnectionTrait as _, DbErr, sea_query},
    sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait},
};
use sea_query::Table;

use super::big;

pub(super) struct QuarantineCapped;

impl MigrationName for QuarantineCapped {
    fn name(&self) -> &'static str {
        "m0009_quarantine_capped"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for QuarantineCapped {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("ingestion_quarantine", "size"),
            ("ingestion_partner", "quarantine_records"),
            ("ingestion_partner", "quarantine_bytes"),
            ("ingestion_partner", "quarantine_dropped"),
        ];
        for (table, column) in columns {
            if !manager.has_column(table, column).await? {
                let mut column = big(column);
                column.default(0);
                manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
            }
        }
        let connection = manager.get_connection();
        let sizes = "UPDATE ingestion_quarantine SET size = length(record_json) + length(reason) + 300 WHERE size = 0";
        connection.execute_unprepared(sizes).await?;
        // What is there counts, so that a quarantine that is too large is cut with the next record that is rejected.
        let counters = "UPDATE ingestion_partner SET \
                        quarantine_records = (SELECT count(*) FROM ingestion_quarantine kept \
                        WHERE kept.partner_no = ingestion_partner.partner_no), \
                        quarantine_bytes = (SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM ingestion_quarantine kept \
                        WHERE kept.partner_no = ingestion_partner.partner_no)";
        connection.execute_unprepared(counters).await.map(drop)
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("facts are never dropped by a migration".to_owned()))
    }
}
