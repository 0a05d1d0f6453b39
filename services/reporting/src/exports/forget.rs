//! Exports that may hold rows of somebody who is erased.

use insights_domain::personal_text::PersonalTexts;
use insights_proto::reporting::v1::{ExportOrder, ExportState};
use prost::Message;
use prost_reflect::DynamicMessage;

use super::Exports;
use super::spec::ExportSpec;
use super::store::ExportJob;

impl Exports {
    /// How many exports have orders that name somebody, or with `rows`, may hold rows of a customer.
    pub(crate) async fn holding(
        &self,
        partner: &str,
        texts: &PersonalTexts,
        rows: bool,
    ) -> Result<usize, insights_database::Error> {
        let jobs = self.table.of_partner(partner).await?;
        Ok(jobs.iter().filter(|job| names(job, texts) || rows && lists_customers(job)).count())
    }

    /// Removes them, with their files; those that are being written begin again with figures of a version. Returns how many there were.
    pub(crate) async fn forget(
        &self,
        partner: &str,
        texts: &PersonalTexts,
        rows: bool,
        version: i64,
    ) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        let mut found = 0;
        for job in self.table.of_partner(partner).await? {
            let (named, listed) = (names(&job, texts), rows && lists_customers(&job));
            if !named && !listed {
                continue;
            }
            found += 1;
            let open = [ExportState::Waiting.into(), ExportState::Running.into()].contains(&job.state);
            if open && !named {
                self.table.begin_again(&job, version).await?;
                continue;
            }
            // A worker that is writing it removes its own file.
            self.table.cancel(&job, &self.config).await?;
            self.files.remove_all(&job.export_id).await?;
            self.table.remove(&job).await?;
        }
        self.wake.notify_one();
        Ok(found)
    }
}

/// Whether rows of the file are about one customer each.
fn lists_customers(job: &ExportJob) -> bool {
    // What cannot be read is no reason to keep it.
    ExportOrder::decode(job.order_body.as_slice()).map_or(true, |order| ExportSpec::of(&order).lists_customers())
}

/// Whether the order, or what is told of the file, has one of the texts.
fn names(job: &ExportJob, texts: &PersonalTexts) -> bool {
    let kind = insights_proto::descriptors().get_message_by_name("insights.reporting.v1.ExportOrder");
    let order = kind.and_then(|kind| DynamicMessage::decode(kind, job.order_body.as_slice()).ok());
    let order = order.and_then(|order| serde_json::to_string(&order).ok()).unwrap_or_default();
    let in_json = |json: &str| texts.conceal(json, "").is_some();
    let told = [job.request_id.as_deref().unwrap_or_default(), &job.file_name, &job.failure];
    in_json(&order) || in_json(&job.manifest) || told.into_iter().any(|text| texts.stand_in(text))
}
