//! Indexes beside the primary keys that fit the statements they are for and no other.
//!
//! Those of the first version began with `partner_no`, as the primary keys do, so PostgreSQL had a choice, and chose by what its
//! statistics knew: of a partner that came after them nothing. It then read all rows of the partner for each row looked up.

use insights_database::{
    hot_table,
    sea_orm::{ConnectionTrait, DbErr},
    sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait},
};
use insights_service::fail_point;

pub(super) struct OneFits;

/// The index that goes, and the one that comes. Both engines write them alike.
const INDEXES: [(&str, &str); 7] = [
    (
        "ingestion_customer_id",
        "UNIQUE INDEX IF NOT EXISTS ingestion_customer_by_id ON ingestion_customer (customer_id, (partner_no + 0))",
    ),
    (
        "ingestion_customer_no",
        "INDEX IF NOT EXISTS ingestion_customer_by_no ON ingestion_customer ((customer_no + 0), (partner_no - 0))",
    ),
    (
        "ingestion_subscription_no",
        "UNIQUE INDEX IF NOT EXISTS ingestion_subscription_by_no ON ingestion_subscription (subscription_no, (partner_no + 0))",
    ),
    // Partial, so that the millions that wait for nothing cost nothing.
    (
        "ingestion_fact_waiting",
        "INDEX IF NOT EXISTS ingestion_fact_waits ON ingestion_fact ((partner_no + 0), waits_for, cell) WHERE waits_for <> ''",
    ),
    (
        "ingestion_quarantine_digest",
        "UNIQUE INDEX IF NOT EXISTS ingestion_quarantine_by_digest ON ingestion_quarantine (digest, (partner_no + 0))",
    ),
    ("ingestion_sku_id", "UNIQUE INDEX IF NOT EXISTS ingestion_sku_by_id ON ingestion_sku (sku_id, (partner_no + 0))"),
    (
        "ingestion_service_name",
        "UNIQUE INDEX IF NOT EXISTS ingestion_service_by_name ON ingestion_service (name, (partner_no + 0))",
    ),
];

impl MigrationName for OneFits {
    fn name(&self) -> &'static str {
        "m0006_one_index_fits"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OneFits {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for (goes, comes) in INDEXES {
            connection.execute_unprepared(&format!("CREATE {comes}")).await?;
            connection.execute_unprepared(&format!("DROP INDEX IF EXISTS {goes}")).await?;
            fail_point::hit("ingestion.migrating_indexes");
        }
        // Its condition changes with the customer's own record, so each such change was written into every index of the table.
        connection.execute_unprepared("DROP INDEX IF EXISTS ingestion_customer_unknown").await?;
        // Each of its rows is written again when the subscription's own record comes.
        hot_table(manager, "ingestion_subscription").await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("facts are never dropped by a migration".to_owned()))
    }
}
