//! `ErasureService`.

use std::sync::Arc;

use insights_proto::ingestion::v1::{self as proto, erasure_service_server::ErasureService};
use tonic::{Request, Response, Status};

use super::status;
use crate::{
    error::Error,
    write::{self, ErasedSubject, Ledger},
};

/// Serves `ErasureService`. The access layer admits services only; whoever they act for was authorised by them.
pub(crate) struct ErasureApi(pub(crate) Arc<Ledger>);

#[tonic::async_trait]
impl ErasureService for ErasureApi {
    async fn preview_erasure(
        &self,
        request: Request<proto::PreviewErasureRequest>,
    ) -> Result<Response<proto::PreviewErasureResponse>, Status> {
        let proto::PreviewErasureRequest { partner, subject } = request.into_inner();
        let subject = self.subject(&partner, subject)?;
        let found = write::preview_erasure(&self.0, &partner, &subject).await.map_err(status)?;
        Ok(Response::new(found))
    }

    async fn erase(&self, request: Request<proto::EraseRequest>) -> Result<Response<proto::EraseResponse>, Status> {
        let proto::EraseRequest { partner, subject } = request.into_inner();
        let subject = self.subject(&partner, subject)?;
        let ledger = Arc::clone(&self.0);
        // A large customer takes longer than a call may: what was begun is done, and the next call finds it so.
        let task = tokio::spawn(async move { write::erase(&ledger, &partner, &subject).await });
        let erased = task.await.map_err(|_| status(Error::Internal("an erasure panicked")))?;
        Ok(Response::new(proto::EraseResponse { version: erased.map_err(status)? }))
    }

    async fn allow_erased(
        &self,
        request: Request<proto::AllowErasedRequest>,
    ) -> Result<Response<proto::AllowErasedResponse>, Status> {
        let proto::AllowErasedRequest { partner, subject } = request.into_inner();
        let subject = self.subject(&partner, subject)?;
        let allowed = write::allow(&self.0, &partner, &subject).await.map_err(status)?;
        Ok(Response::new(proto::AllowErasedResponse { allowed }))
    }
}

impl ErasureApi {
    #[allow(clippy::result_large_err, reason = "Status is what handlers return")]
    fn subject(&self, partner: &str, subject: Option<proto::ErasureSubject>) -> Result<ErasedSubject, Status> {
        if partner.is_empty() {
            return Err(status(Error::invalid("partner", "is required")));
        }
        ErasedSubject::parse(&self.0, partner, subject).map_err(status)
    }
}
