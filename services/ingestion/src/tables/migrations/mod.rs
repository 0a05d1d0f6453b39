//! The tables of this service. Names are written out: a migration never changes once it was released.

mod audit;
mod chunks;
mod coverage;
mod erasure;
mod feed;
mod indexes;
mod quarantine;

use insights_database::{
    hot_table, migration_table,
    sea_orm::{DbErr, DynIden, sea_query},
    sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait},
};
use insights_service::fail_point;
use sea_query::{ColumnDef, Index, Table, TableCreateStatement};

/// The migrations of this service in their order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(First),
            Box::new(chunks::Chunks),
            Box::new(LowerBound),
            Box::new(RecordPrecedence),
            Box::new(coverage::CoverageTable),
            Box::new(indexes::OneFits),
            Box::new(coverage::UsersReport),
            Box::new(feed::ManyCustomersARow),
            Box::new(audit::AuditTable),
            Box::new(quarantine::QuarantineCapped),
            Box::new(erasure::Erasure),
        ]
    }

    fn migration_table_name() -> DynIden {
        migration_table("ingestion")
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "m0001_first"
    }
}

fn int(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.integer().not_null();
    column
}

fn big(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().not_null();
    column
}

fn text(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.text().not_null();
    column
}

fn bytes(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.blob().not_null();
    column
}

fn flag(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.boolean().not_null();
    column
}

fn table(name: &'static str, columns: Vec<ColumnDef>, key: &[&'static str]) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for column in columns {
        table.col(column);
    }
    let mut index = Index::create();
    for column in key {
        index.col(*column);
    }
    if !key.is_empty() {
        table.primary_key(&mut index);
    }
    table
}

/// What concerns partners as a whole, and the directories of numbers.
fn directories() -> Vec<TableCreateStatement> {
    let mut partner_no = ColumnDef::new("partner_no");
    partner_no.integer().not_null().auto_increment().primary_key();
    let mut partner_id = text("partner_id");
    partner_id.unique_key();
    let subscriptions = ["partner_no", "subscription_id"];
    vec![
        table("ingestion_installation", vec![int("id"), text("user_key")], &["id"]),
        table(
            "ingestion_partner",
            vec![
                partner_no,
                partner_id,
                big("epoch"),
                big("version"),
                big("floor"),
                text("time_zone"),
                int("complete_through"),
                int("last_activity"),
                big("last_ingest"),
                big("customers"),
                int("subscriptions"),
                int("skus"),
                int("services"),
                big("quarantined"),
            ],
            &[],
        ),
        table(
            "ingestion_customer",
            vec![
                int("partner_no"),
                int("cell"),
                big("customer_no"),
                text("customer_id"),
                flag("known"),
                int("users"),
                bytes("first_activity"),
            ],
            &["partner_no", "cell", "customer_no"],
        ),
        table(
            "ingestion_subscription",
            vec![
                int("partner_no"),
                text("subscription_id"),
                int("subscription_no"),
                int("cell"),
                big("customer_no"),
                flag("known"),
            ],
            &subscriptions,
        ),
        table(
            "ingestion_sku",
            vec![int("partner_no"), int("sku_no"), text("sku_id"), flag("known")],
            &["partner_no", "sku_no"],
        ),
        table(
            "ingestion_service",
            vec![int("partner_no"), int("service_no"), text("name")],
            &["partner_no", "service_no"],
        ),
    ]
}

fn facts() -> Vec<TableCreateStatement> {
    let place = || vec![int("partner_no"), int("cell"), big("customer_no")];
    let with = |more: Vec<ColumnDef>| place().into_iter().chain(more).collect::<Vec<_>>();
    vec![
        table(
            "ingestion_fact",
            with(vec![
                int("kind"),
                bytes("key"),
                big("recorded_at"),
                big("received_at"),
                int("day"),
                int("user_no"),
                bytes("body"),
                text("waits_for"),
            ]),
            &["partner_no", "cell", "customer_no", "kind", "key"],
        ),
        table(
            "ingestion_history",
            with(vec![
                int("kind"),
                bytes("key"),
                big("received_at"),
                big("superseded_at"),
                big("recorded_at"),
                int("day"),
                bytes("body"),
            ]),
            &["partner_no", "cell", "customer_no", "kind", "key", "received_at"],
        ),
        table(
            "ingestion_user",
            with(vec![bytes("hash"), int("user_no")]),
            &["partner_no", "cell", "customer_no", "hash"],
        ),
        table(
            "ingestion_activity",
            with(vec![int("service_no"), int("month"), int("bucket"), bytes("body")]),
            &["partner_no", "cell", "customer_no", "service_no", "month", "bucket"],
        ),
    ]
}

fn intake() -> Vec<TableCreateStatement> {
    vec![
        table(
            "ingestion_feed",
            vec![int("partner_no"), big("version"), big("customer_no"), int("first_month"), big("committed_at")],
            &["partner_no", "version", "customer_no"],
        ),
        table(
            "ingestion_batch",
            vec![
                int("partner_no"),
                text("batch_id"),
                bytes("digest"),
                bytes("response"),
                flag("done"),
                big("received_at"),
            ],
            &["partner_no", "batch_id"],
        ),
        table(
            "ingestion_quarantine",
            vec![
                int("partner_no"),
                big("id"),
                bytes("digest"),
                text("batch_id"),
                big("position"),
                text("kind"),
                text("field"),
                text("reason"),
                big("received_at"),
                text("record_json"),
            ],
            &["partner_no", "id"],
        ),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in directories().into_iter().chain(facts()).chain(intake()) {
            manager.create_table(table).await?;
            fail_point::hit("ingestion.migrating");
        }
        let unique = [
            ("ingestion_customer_id", "ingestion_customer", ["partner_no", "customer_id"]),
            ("ingestion_subscription_no", "ingestion_subscription", ["partner_no", "subscription_no"]),
            ("ingestion_sku_id", "ingestion_sku", ["partner_no", "sku_id"]),
            ("ingestion_service_name", "ingestion_service", ["partner_no", "name"]),
            ("ingestion_quarantine_digest", "ingestion_quarantine", ["partner_no", "digest"]),
        ];
        for (name, table, columns) in unique {
            let mut index = Index::create();
            index.name(name).table(table).unique();
            for column in columns {
                index.col(column);
            }
            manager.create_index(index).await?;
        }
        let mut by_number = Index::create();
        by_number.name("ingestion_customer_no").table("ingestion_customer").col("partner_no").col("customer_no");
        manager.create_index(by_number).await?;
        // Partial, so that the millions that wait for nothing cost nothing; both engines write it alike.
        let waiting =
            "CREATE INDEX ingestion_fact_waiting ON ingestion_fact (partner_no, waits_for) WHERE waits_for <> ''";
        let unknown =
            "CREATE INDEX ingestion_customer_unknown ON ingestion_customer (partner_no, customer_id) WHERE NOT known";
        for sql in [waiting, unknown] {
            use insights_database::sea_orm::ConnectionTrait as _;
            manager.get_connection().execute_unprepared(sql).await?;
        }
        hot_table(manager, "ingestion_activity").await?;
        hot_table(manager, "ingestion_customer").await?;
        hot_table(manager, "ingestion_partner").await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("facts are never dropped by a migration".to_owned()))
    }
}

/// Customers know on which days their activity comes from dates of last activity alone.
struct LowerBound;

impl MigrationName for LowerBound {
    fn name(&self) -> &'static str {
        "m0003_lower_bound"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for LowerBound {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = bytes("lower_bound");
        column.default(Vec::<u8>::new());
        manager.alter_table(Table::alter().table("ingestion_customer").add_column(column).to_owned()).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("facts are never dropped by a migration".to_owned()))
    }
}

/// Facts know the precedence of their record. Importers used to date provisional records back instead: to 1950 what a file only
/// names, to 1955 what a list has, to 1960 first sights, to 1970 what a report describes, to 1980 what a file knows.
struct RecordPrecedence;

impl MigrationName for RecordPrecedence {
    fn name(&self) -> &'static str {
        "m0004_record_precedence"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for RecordPrecedence {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use insights_database::sea_orm::ConnectionTrait as _;
        if !manager.has_column("ingestion_fact", "precedence").await? {
            let mut column = int("precedence");
            column.default(0);
            manager.alter_table(Table::alter().table("ingestion_fact").add_column(column).to_owned()).await?;
        }
        // Nanoseconds since 1970 of the first of January 1955, 1959, 1965, 1975 and 1990.
        let sql = "UPDATE ingestion_fact SET precedence = CASE WHEN recorded_at < -473385600000000000 THEN 1 \
                   WHEN recorded_at < -347155200000000000 THEN 2 WHEN recorded_at < -157766400000000000 THEN 3 \
                   WHEN recorded_at < 157766400000000000 THEN 4 ELSE 5 END \
                   WHERE recorded_at < 631152000000000000 AND precedence = 0";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("facts are never dropped by a migration".to_owned()))
    }
}
