//! `insights correct-times`.

use std::time::Duration;

use insights_ingestion::Ingestion;
use insights_messages::Language;
use insights_product::{Service, Settings, database_url};
use insights_service::Clock;
use serde_json::json;

use crate::{failure::Failure, output};

/// Brings what is dated in the future back to now, so that what comes from now on counts again.
pub async fn run(settings: &Settings, clock: &Clock, json: bool) -> Result<(), Failure> {
    let url = database_url(settings, Service::Ingestion)?;
    let leeway = Duration::from_secs(settings.ingestion.limits.clock_leeway_seconds.into());
    let corrected = Ingestion::correct_times(&url, clock, leeway).await;
    let corrected = corrected.map_err(|error| Failure::because("the facts", &error))?;
    if json {
        return output::print_json(&json!({ "corrected": corrected }));
    }
    let count = Language::English.number(corrected);
    output::print(&format!("{count} times lay in the future and are now; figures are made again from the facts\n"))
}
