//! `insights demo`.
use insights_service::Clock;
use crate::{cli, failure::Failure, settings::Resolved};
/// Later.
pub async fn run(_: &Resolved, _: &Clock, _: &cli::Demo, _: bool) -> Result<(), Failure> {
    Err(Failure::Failed("UNIMPLEMENTED: the services are not composed yet".into()))
}
