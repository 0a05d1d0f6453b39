//! Download tickets. A browser that follows a link cannot send a token, so a ticket in the path authorises the download of one
//! file for some minutes.

use insights_access::{Principal, Viewer};
use insights_database::Error as DatabaseError;
use insights_proto::reporting::v1::CreateDownloadTicketResponse;
use prost_types::Timestamp;
use sha2::{Digest, Sha256};
use tonic::{Code, Status};

use super::Exports;
use super::orders::unavailable;
use super::store::{DownloadTicket, ExportJob};
use crate::audit::{CallOutcome, DOWNLOAD_BY_TICKET};

impl Exports {
    /// A path that downloads the file of an export.
    pub async fn ticket(&self, caller: &Principal, job: &ExportJob) -> Result<CreateDownloadTicketResponse, Status> {
        let secret = hex::encode(rand::random::<[u8; 32]>());
        let until = self.table.now() + self.config.ticket();
        let ticket = DownloadTicket {
            ticket_hash: hash(&secret),
            partner: job.partner.clone(),
            export_id: job.export_id.clone(),
            subject: caller.subject().to_owned(),
            roles: caller.roles_text(),
            expires_micros: until.timestamp_micros(),
        };
        self.table.insert_ticket(ticket).await.map_err(unavailable)?;
        let expire_time = Some(Timestamp { seconds: until.timestamp(), nanos: 0 });
        Ok(CreateDownloadTicketResponse { path: format!("/exports/{}?ticket={secret}", job.export_id), expire_time })
    }

    /// A ticket that is still valid for an export, and that export if its owner still has it.
    pub(crate) async fn redeem(
        &self,
        secret: &str,
        id: &str,
    ) -> Result<Option<(DownloadTicket, Option<ExportJob>)>, DatabaseError> {
        self.table.redeem(&hash(secret), id).await
    }

    /// Audits a download by ticket.
    pub(crate) async fn record_download(
        &self,
        ticket: &DownloadTicket,
        id: &str,
        outcome: Code,
        job: Option<&ExportJob>,
    ) -> Result<(), insights_service::Error> {
        let rows = job.and_then(|job| usize::try_from(job.row_count).ok()).unwrap_or_default();
        let ending = CallOutcome { outcome, rows, redacted: job.is_some_and(|job| job.redacted) };
        let asked = serde_json::json!({ "id": id }).to_string();
        let locations = job.and_then(|job| job.locations.as_deref());
        let viewer = Viewer::stored(&ticket.partner, &ticket.roles, locations);
        self.audit.record_as(&ticket.subject, &viewer, DOWNLOAD_BY_TICKET, &asked, ending).await
    }
}

/// The stored form of a ticket, which cannot be used as one.
fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
