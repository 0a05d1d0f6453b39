//! `insights serve`.

use clap::Args;
use insights_product::{Product, Settings};
use insights_service::{Clock, Telemetry};
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
    let _telemetry = Telemetry::start(&settings.telemetry, "insights")?;
    // Bound first: a port that is taken should be said before databases are opened.
    let listener = bind(settings).await?;
    let address = listener.local_addr().map_err(|error| Failure::because("the listener", &error))?;
    let services = wanted(&command.service);
    let mut product = Product::start(settings, clock, &services, None).await?;
    product.listen(listener);
    let scheme = if settings.tls.is_on() { "https" } else { "http" };
    eprintln!("serving on {scheme}://{address}");
    if settings.is_local() {
        let folder = settings.data_dir.display();
        eprintln!("tokens: insights token --data-dir {folder} --role global_admin --partner NAME");
    }
    Ok(product.run().await?)
}

/// Binds the configured address.
pub async fn bind(settings: &Settings) -> Result<TcpListener, Failure> {
    let address = (settings.host.as_str(), settings.port);
    TcpListener::bind(address).await.map_err(|error| {
        let (host, port) = address;
        Failure::Failed(format!("{host}:{port} cannot be listened on: {error}; choose another with --port"))
    })
}
