//! `insights migrate`.
use crate::{cli, failure::Failure, settings::Settings};
/// Later.
pub async fn run(_: &Settings, _: &cli::Migrate, _: bool) -> Result<(), Failure> {
    Err(Failure::Failed("UNIMPLEMENTED: the services are not composed yet".into()))
}
