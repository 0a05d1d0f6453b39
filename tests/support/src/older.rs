//! Statements that take the latest migrations back, so that a test finds tables as the version before wrote them.

/// Of ingestion: indexes, of which the first version had others, months that no usage report was known to cover, and rows of the feed, each
/// of one customer.
pub const INGESTION: [&str; 21] = [
    "DROP INDEX ingestion_customer_by_id",
    "DROP INDEX ingestion_customer_by_no",
    "DROP INDEX ingestion_subscription_by_no",
    "DROP INDEX ingestion_fact_waits",
    "DROP INDEX ingestion_quarantine_by_digest",
    "DROP INDEX ingestion_sku_by_id",
    "DROP INDEX ingestion_service_by_name",
    "CREATE UNIQUE INDEX ingestion_customer_id ON ingestion_customer (partner_no, customer_id)",
    "CREATE INDEX ingestion_customer_no ON ingestion_customer (partner_no, customer_no)",
    "CREATE INDEX ingestion_customer_unknown ON ingestion_customer (partner_no, customer_id) WHERE NOT known",
    "CREATE UNIQUE INDEX ingestion_subscription_no ON ingestion_subscription (partner_no, subscription_no)",
    "CREATE INDEX ingestion_fact_waiting ON ingestion_fact (partner_no, waits_for) WHERE waits_for <> ''",
    "CREATE UNIQUE INDEX ingestion_quarantine_digest ON ingestion_quarantine (partner_no, digest)",
    "CREATE UNIQUE INDEX ingestion_sku_id ON ingestion_sku (partner_no, sku_id)",
    "CREATE UNIQUE INDEX ingestion_service_name ON ingestion_service (partner_no, name)",
    "ALTER TABLE ingestion_feed DROP COLUMN others",
    "ALTER TABLE ingestion_feed RENAME COLUMN month TO first_month",
    // The last version changed everybody.
    "DELETE FROM ingestion_feed WHERE version = (SELECT version FROM ingestion_partner)",
    "INSERT INTO ingestion_feed SELECT c.partner_no, p.version, c.customer_no, 0, 0 FROM ingestion_customer c \
     JOIN ingestion_partner p ON p.partner_no = c.partner_no WHERE c.customer_no > 0 AND c.known",
    "DELETE FROM ingestion_coverage WHERE report = 'reported_usage'",
    "DELETE FROM ingestion_migration WHERE version IN ('m0006_one_index_fits', 'm0007_users_report', 'm0008_many_customers_a_row')",
];

/// Of metrics: the index by revision. What is rolled up is rolled up anew.
pub const METRICS: [&str; 3] = [
    "DROP INDEX rollup_customer_revision",
    "CREATE INDEX rollup_customer_by_revision ON rollup_customer (partner_no, revision)",
    "DELETE FROM metrics_migration WHERE version IN ('m0004_one_index_fits', 'm0005_reports', 'm0006_users_report')",
];
