//! `insights verify`.

use std::time::Duration;

use indicatif::ProgressBar;
use insights_messages::Language;
use insights_proto::reporting::v1::{VerifyRequest, VerifyResponse};
use serde_json::json;

use crate::{client::Caller, failure::Failure, output};

/// A verification ends within this time.
const DEADLINE: Duration = Duration::from_secs(6 * 60 * 60);

/// Recomputes all figures from the facts and compares.
pub async fn run(caller: &Caller, json: bool) -> Result<(), Failure> {
    let mut answers = caller.reporting().verify(caller.request(VerifyRequest {}, DEADLINE)).await?.into_inner();
    let bar = ProgressBar::new(0);
    let mut last = VerifyResponse::default();
    while let Some(answer) = answers.message().await? {
        bar.set_length(u64::try_from(answer.total_customers).unwrap_or_default());
        bar.set_position(u64::try_from(answer.customers).unwrap_or_default());
        last = answer;
    }
    bar.finish_and_clear();
    if !last.done {
        return Err(Failure::Failed("UNAVAILABLE: the verification broke off before its end".into()));
    }
    if json {
        output::print_json(&json!({
            "customers": last.customers, "compared": last.compared, "differences": last.differences, "samples": last.samples,
        }))?;
    } else {
        for sample in &last.samples {
            eprintln!("{sample}");
        }
        output::print(&format!(
            "{} customers, {} figures compared, {} differences\n",
            Language::English.number(last.customers),
            Language::English.number(last.compared),
            Language::English.number(last.differences)
        ))?;
    }
    match last.differences {
        0 => Ok(()),
        differences => Err(Failure::Failed(format!("DATA_LOSS: {differences} figures differ from their facts"))),
    }
}
