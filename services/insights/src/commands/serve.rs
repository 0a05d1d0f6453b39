//! `insights serve`.
use insights_service::Clock;
use crate::{cli, failure::Failure, settings::Settings};
/// Later.
pub async fn run(_: &Settings, _: &Clock, _: &cli::Serve) -> Result<(), Failure> {
    Err(Failure::Failed("UNIMPLEMENTED: the services are not composed yet".into()))
}
