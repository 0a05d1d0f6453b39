//! `insights serve`.

use clap::Args;
use insights_product::{Product, Settings};
use insights_service::{AdminPort, Clock, Readiness, Telemetry};
use tokio::net::TcpListener;

use super::service_names::{ServiceName, wanted};
use crate::failure::Failure;

/// `insights serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Only this service; may be repeated [default: all].
    #[arg(long)]
    pub service: Vec<ServiceName>,
    /// The address to listen on [default: 127.0.0.1].
    #[arg(long)]
    pub host: Option<String>,
    /// The port to listen on; 0: any that is free [default: 8080].
    #[arg(long)]
    pub port: Option<u16>,
}

/// Runs the services until somebody asks the process to stop.
pub async fn run(settings: &Settings, clock: &Clock, command: &ServeArgs) -> Result<(), Failure> {
    let services = wanted(&command.service);
    let names: Vec<_> = services.iter().map(|service| service.name()).collect();
    let telemetry = Telemetry::start(&settings.telemetry, &names, !settings.admin_address.is_empty())?;
    raise_descriptors(settings);
    // Bound first: a port that is taken should be said before databases are opened.
    let listener = bind(settings).await?;
    let address = listener.local_addr().map_err(|error| Failure::because("the listener", &error))?;
    let readiness = Readiness::starting();
    serve_platform(settings, &readiness, &telemetry).await?;
    let product = Product::start(settings, clock, &services, None).await?;
    let mut product = product.with_readiness(readiness);
    product.listen(listener);
    let scheme = if settings.tls.is_on() { "https" } else { "http" };
    eprintln!("serving on {scheme}://{address}");
    if settings.is_local() {
        let folder = settings.data_dir.display();
        eprintln!("tokens: insights token --data-dir {folder} --role global_admin --partner NAME");
    }
    Ok(product.run().await?)
}

/// Answers probes and scrapes until the process ends, from before databases are opened.
async fn serve_platform(settings: &Settings, readiness: &Readiness, telemetry: &Telemetry) -> Result<(), Failure> {
    let address = settings.admin_address.as_str();
    if address.is_empty() {
        return Ok(());
    }
    let failed = |error| Failure::Failed(format!("admin_address: {address} cannot be listened on: {error}"));
    let port = AdminPort::bind(address).await.map_err(failed)?;
    port.serve(readiness.clone(), telemetry.scrape());
    Ok(())
}

/// Descriptors beside those of connections: of databases, files of exports, other services.
const OTHER_DESCRIPTORS: u64 = 512;

/// Takes as many file descriptors as the system gives: the usual soft limit is for programs that know no better.
fn raise_descriptors(settings: &Settings) {
    let wanted = settings.limits.connections.total as u64 + OTHER_DESCRIPTORS;
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit < wanted => {
            eprintln!("files open at once: {limit}; for limits.connections.total it should be {wanted} (ulimit -n)");
        }
        Ok(_) => {}
        Err(error) => eprintln!("files open at once: the limit cannot be raised: {error}"),
    }
}

/// Binds the configured address.
pub async fn bind(settings: &Settings) -> Result<TcpListener, Failure> {
    let address = (settings.host.as_str(), settings.port);
    TcpListener::bind(address).await.map_err(|error| {
        let (host, port) = address;
        Failure::Failed(format!("{host}:{port} cannot be listened on: {error}; choose another with --port"))
    })
}
