//! `insights migrate`.

use insights_database::Database;
use insights_ingestion::Ingestion;
use insights_service::Clock;
use serde_json::json;

use crate::{
    cli,
    compose::{Product, database_url, make_private, wanted},
    failure::Failure,
    output,
    settings::Settings,
};

/// Makes one role per service, each with its own tables only.
const ROLES: &str = include_str!("../../../../deploy/postgres/roles.sql");

/// Brings the databases to this version, or says what is pending.
pub async fn run(settings: &Settings, clock: &Clock, command: &cli::Migrate, json: bool) -> Result<(), Failure> {
    if command.roles {
        return output::print(ROLES);
    }
    make_private(&settings.data_dir)?;
    let pending = pending(settings).await?;
    if !command.check && !pending.is_empty() {
        // Services migrate when they open.
        Product::start(settings, clock, &wanted(&[]), None).await?.stop().await;
    }
    if json {
        output::print_json(&json!({ if command.check { "pending" } else { "applied" }: pending }))?;
    } else if pending.is_empty() {
        output::print("up to date\n")?;
    } else {
        let done = if command.check { "pending" } else { "applied" };
        output::print(&pending.iter().map(|name| format!("{done} {name}\n")).collect::<String>())?;
    }
    if command.check && !pending.is_empty() {
        return Err(Failure::Failed(format!("{} pending: run `insights migrate`", pending.len())));
    }
    Ok(())
}

async fn pending(settings: &Settings) -> Result<Vec<String>, Failure> {
    let failed = |error: insights_database::Error| Failure::because("the database", &error);
    let mut pending = Vec::new();
    let url = |service: &str| database_url(settings, service);
    let mut add =
        |service: &str, names: Vec<String>| pending.extend(names.into_iter().map(|name| format!("{service}/{name}")));
    add("ingestion", Ingestion::pending_migrations(&url("ingestion")?).await?);
    let metrics = Database::connect(&url("metrics")?).await.map_err(failed)?;
    add("metrics", metrics.pending::<insights_metrics::Migrator>().await.map_err(failed)?);
    let reporting = Database::connect(&url("reporting")?).await.map_err(failed)?;
    add("reporting", reporting.pending::<insights_reporting::Migrator>().await.map_err(failed)?);
    Ok(pending)
}
