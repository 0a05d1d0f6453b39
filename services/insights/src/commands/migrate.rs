//! `insights migrate`.

use clap::Args;
use insights_database::{Database, sea_orm_migration::MigratorTrait};
use insights_product::{Service, Settings, database_url, make_private};
use serde_json::json;

use super::service_names::{ServiceName, wanted};
use crate::{failure::Failure, output};

/// `insights migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Only this service's database; may be repeated [default: all].
    #[arg(long, conflicts_with = "roles")]
    pub service: Vec<ServiceName>,
    /// Say what is pending and change nothing; exit code 1 when something is.
    #[arg(long)]
    pub check: bool,
    /// Print the SQL that makes one PostgreSQL role per service, each with its own tables only, and do nothing.
    #[arg(long, conflicts_with = "check")]
    pub roles: bool,
}

/// Makes one role per service, each with its own tables only.
const ROLES: &str = include_str!("../../../../deploy/postgres/roles.sql");

/// Brings the databases to this version, or says what is pending.
pub async fn run(settings: &Settings, command: &MigrateArgs, json: bool) -> Result<(), Failure> {
    if command.roles {
        return output::print(ROLES);
    }
    let mut pending = Vec::new();
    for service in wanted(&command.service) {
        pending.extend(match service {
            Service::Ingestion => bring::<insights_ingestion::Migrator>(settings, service, command.check).await?,
            Service::Metrics => bring::<insights_metrics::Migrator>(settings, service, command.check).await?,
            Service::Reporting => bring::<insights_reporting::Migrator>(settings, service, command.check).await?,
        });
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

/// Brings one service's database to this version, unless it is only looked at. Returns what was pending.
async fn bring<M: MigratorTrait>(settings: &Settings, service: Service, check: bool) -> Result<Vec<String>, Failure> {
    let name = service.name();
    let failed = |error: insights_database::Error| Failure::because(&format!("{name}: the database"), &error);
    let url = database_url(settings, service)?;
    if url.starts_with("sqlite:") {
        make_private(&settings.data_dir)?;
    }
    let database = Database::connect(&url).await.map_err(failed)?;
    let pending = database.pending::<M>().await.map_err(failed)?;
    if !check && !pending.is_empty() {
        database.migrate::<M>().await.map_err(failed)?;
    }
    database.close().await.map_err(failed)?;
    Ok(pending.into_iter().map(|migration| format!("{name}/{migration}")).collect())
}
