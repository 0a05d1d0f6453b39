//! The months that reports cover are kept, so that nobody has to look through all rows for them.

use insights_database::{
    bulk::statement,
    sea_orm::{ConnectionTrait as _, DbErr, Value},
    sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait},
};

use super::{big, flag, int, table, text};

pub(super) struct CoverageTable;

impl MigrationName for CoverageTable {
    fn name(&self) -> &'static str {
        "m0005_coverage"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CoverageTable {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            int("partner_no"),
            text("report"),
            flag("by_sku"),
            int("day"),
            big("since"),
            big("until"),
            big("row_count"),
        ];
        let key = ["partner_no", "report", "by_sku", "day", "since"];
        manager.create_table(table("ingestion_coverage", columns, &key)).await?;
        // Rows of reported seats that are there name no report yet. The keys of those by customer and SKU begin with 0.
        let sql = "INSERT INTO ingestion_coverage (partner_no, report, by_sku, day, since, until, row_count) \
                   SELECT partner_no, '', by_sku, day, 0, 9223372036854775807, count(*) FROM \
                   (SELECT partner_no, substr(key, 1, 4) = $1 AS by_sku, day FROM ingestion_fact WHERE kind = 11) found \
                   GROUP BY partner_no, by_sku, day";
        let connection = manager.get_connection();
        connection.execute_raw(statement(connection, sql, vec![Value::Bytes(Some(vec![0; 4]))])).await.map(drop)
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("facts are never dropped by a migration".to_owned()))
    }
}

/// The months that rows of users by service cover are kept as well.
pub(super) struct UsersReport;

impl MigrationName for UsersReport {
    fn name(&self) -> &'static str {
        "m0007_users_report"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for UsersReport {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A second try finds what the first one wrote.
        let sql = "INSERT INTO ingestion_coverage (partner_no, report, by_sku, day, since, until, row_count) \
                   SELECT partner_no, 'reported_usage', $1, day, 0, 9223372036854775807, count(*) \
                   FROM ingestion_fact WHERE kind = 12 GROUP BY partner_no, day ON CONFLICT DO NOTHING";
        let connection = manager.get_connection();
        connection.execute_raw(statement(connection, sql, vec![false.into()])).await.map(drop)
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("facts are never dropped by a migration".to_owned()))
    }
}
