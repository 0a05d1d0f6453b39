//! One PostgreSQL role per service: each has its own tables, none reads another's, and the product works with them.

use insights_testkit::{Cluster, Plan, Shape, TempDatabase, insights, sql};
use sqlx::{Connection, PgConnection, Row};

use crate::caller::Caller;

const SERVICES: [&str; 3] = ["ingestion", "metrics", "reporting"];
const SHAPE: Shape = Shape { ingestion: 1, metrics: 1, reporting: 1 };

/// What `insights migrate --roles` prints.
fn roles() -> String {
    let output = insights().args(["migrate", "--roles"]).output().expect("the program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

async fn start(with_roles: bool) -> Cluster {
    let database = TempDatabase::postgres();
    if with_roles {
        sql(&database, &roles());
        // Again changes nothing.
        sql(&database, &roles());
    }
    let url = database.url().replace("postgres@", if with_roles { "{service}@" } else { "postgres@" });
    let cluster = Plan::new(database).start(SHAPE, |_, _, spec| spec.set("database_url", &url)).await;
    let caller = Caller::of(&cluster);
    let version = caller.ingest_customers(0..6).await;
    caller.visible(version).await;
    assert_eq!(caller.figures(version).await.len(), 3);
    assert!(caller.verify().await > 0);
    cluster
}

async fn connect(cluster: &Cluster, role: &str) -> PgConnection {
    let url = cluster.database.url().replace("postgres@", &format!("{role}@"));
    PgConnection::connect(&url).await.expect("a connection")
}

/// Every table of the product, with the service whose migrations made it.
async fn tables(cluster: &Cluster) -> Vec<(String, String)> {
    let mut owner = connect(cluster, "postgres").await;
    let query = "SELECT schemaname::text, tablename::text FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    let rows = sqlx::query(query).fetch_all(&mut owner).await.expect("tables");
    rows.iter().map(|row| (row.get::<String, _>(0), row.get::<String, _>(1))).collect()
}

/// What happens when a role does something to a table: the error's code, or none.
async fn tried(connection: &mut PgConnection, statement: String) -> Option<String> {
    let outcome = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(connection).await;
    outcome.err().map(|error| error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_service_reads_and_changes_its_own_tables_only() {
    let cluster = start(true).await;
    let tables = tables(&cluster).await;
    for service in SERVICES {
        assert!(tables.iter().any(|(schema, _)| schema == service), "{service} has tables: {tables:?}");
        let mut connection = connect(&cluster, service).await;
        for (schema, table) in &tables {
            let expected = (schema != service).then(|| "42501".to_owned());
            let place = format!("{schema}.{table}");
            for statement in [format!("SELECT 1 FROM {place} LIMIT 1"), format!("DELETE FROM {place} WHERE false")] {
                assert_eq!(tried(&mut connection, statement.clone()).await, expected, "{service}: {statement}");
            }
        }
        for statement in [
            "CREATE TABLE public.mine (id int)",
            "CREATE TEMP TABLE mine (id int)",
            "CREATE SCHEMA mine",
            "CREATE ROLE mine",
        ] {
            assert_eq!(
                tried(&mut connection, statement.to_owned()).await,
                Some("42501".into()),
                "{service}: {statement}"
            );
        }
    }
    assert!(tables.iter().all(|(schema, _)| SERVICES.contains(&schema.as_str())), "{tables:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_one_role_for_all_every_service_could_read_everything() {
    let cluster = start(false).await;
    let mut metrics = connect(&cluster, "postgres").await;
    assert_eq!(tried(&mut metrics, "SELECT 1 FROM ingestion_partner".into()).await, None);
}

/// Hosted databases give no superuser: the owner of the database, who may make roles, is enough.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_the_database_makes_the_roles() {
    let server = insights_testkit::Server::start(&[]);
    server.sql("postgres", "CREATE ROLE owner_of_insights LOGIN CREATEROLE");
    server.sql("postgres", "CREATE DATABASE insights OWNER owner_of_insights");
    let owner = server.url("insights").replace("postgres@", "owner_of_insights@");
    for _ in 0..2 {
        let mut connection = PgConnection::connect(&owner).await.expect("a connection");
        sqlx::raw_sql(sqlx::AssertSqlSafe(roles())).execute(&mut connection).await.expect("the roles");
    }
    for service in SERVICES {
        let own = server.url("insights").replace("postgres@", &format!("{service}@"));
        let mut connection = PgConnection::connect(&own).await.expect("a connection");
        assert_eq!(tried(&mut connection, "CREATE TABLE of_its_own (number integer)".to_owned()).await, None);
        let elsewhere = if service == "metrics" { "reporting" } else { "metrics" };
        let denied = tried(&mut connection, format!("CREATE TABLE {elsewhere}.not_its_own (number integer)")).await;
        assert_eq!(denied.as_deref(), Some("42501"), "{service}");
    }
}
