//! ErasureService: through ingestion, and what was rolled up.

use std::time::Duration;

use insights_access::{Viewer, forbidden, service};
use insights_proto::ingestion::v1::{self as facts, ErasureCount};
use insights_proto::metrics::v1::erasure_service_server::ErasureService;
use insights_proto::metrics::v1::{
    self, AllowErasedRequest, AllowErasedResponse, EraseRequest, EraseResponse, PreviewErasureRequest,
    PreviewErasureResponse,
};
use insights_service::{Error, fail_point, forward};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::Api;
use crate::rollups::{CellCustomer, RollupError, Store};

/// The people's method; its policy is applied again here.
const ERASE: &str = "/insights.reporting.v1.ReportingService/Erase";
/// How long to wait for the follower, and how often to look.
const PATIENCE: Duration = Duration::from_secs(50);
const LOOK: Duration = Duration::from_millis(50);

/// The service.
#[derive(Clone)]
pub struct FigureErasure(pub Api);

#[tonic::async_trait]
impl ErasureService for FigureErasure {
    async fn preview_erasure(
        &self,
        request: Request<PreviewErasureRequest>,
    ) -> Result<Response<PreviewErasureResponse>, Status> {
        service(&request)?;
        let PreviewErasureRequest { viewer, subject } = request.into_inner();
        let partner = who_may_erase(&self.0, viewer)?;
        let asked = facts::PreviewErasureRequest { partner: partner.clone(), subject };
        let mut found = self.0.feed.preview_erasure(asked).await.map_err(forward)?;
        let key = CellCustomer { cell: found.cell, customer: found.customer };
        let months = self.0.store.count_months(&partner, key).await.map_err(Error::from)?;
        if months > 0 {
            let count = i64::try_from(months).unwrap_or(i64::MAX);
            found.counts.push(ErasureCount { place: "metrics".into(), kind: "rolled_up_months".into(), count });
        }
        Ok(Response::new(PreviewErasureResponse { found: Some(found) }))
    }

    async fn erase(&self, request: Request<EraseRequest>) -> Result<Response<EraseResponse>, Status> {
        service(&request)?;
        let EraseRequest { viewer, subject } = request.into_inner();
        let partner = who_may_erase(&self.0, viewer)?;
        let asked = facts::EraseRequest { partner: partner.clone(), subject };
        let version = self.0.feed.erase(asked).await.map_err(forward)?.version;
        fail_point::hit("metrics.erasure_asked");
        rolled_up(&self.0, &partner, version).await?;
        if fail_point::guard_holds("metrics.purge") {
            self.0.store.database().purge().await.map_err(|error| Error::from(RollupError::from(error)))?;
        }
        fail_point::hit("metrics.erasure_purged");
        Ok(Response::new(EraseResponse { version }))
    }

    async fn allow_erased(
        &self,
        request: Request<AllowErasedRequest>,
    ) -> Result<Response<AllowErasedResponse>, Status> {
        service(&request)?;
        let AllowErasedRequest { viewer, subject } = request.into_inner();
        let partner = who_may_erase(&self.0, viewer)?;
        let allowed =
            self.0.feed.allow_erased(facts::AllowErasedRequest { partner, subject }).await.map_err(forward)?;
        Ok(Response::new(AllowErasedResponse { allowed: allowed.allowed }))
    }
}

/// The partner of a viewer who may erase.
#[allow(clippy::result_large_err, reason = "Status is what handlers return")]
fn who_may_erase(api: &Api, viewer: Option<v1::Viewer>) -> Result<String, Status> {
    let viewer = Viewer::from_message(viewer);
    let viewer = viewer.ok_or_else(|| Error::invalid("viewer.partner", "is required"))?;
    if api.policy.may_call(&viewer, ERASE) { Ok(viewer.partner().to_owned()) } else { Err(forbidden()) }
}

/// Waits until the rollups are those of a version.
async fn rolled_up(api: &Api, partner: &str, version: i64) -> Result<(), Error> {
    let until = Instant::now() + PATIENCE;
    loop {
        let row = Store::find_partner_in(api.store.database().reader(), partner).await?;
        if version == 0 || row.is_some_and(|row| row.version >= version) {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(Error::deadline_exceeded(format!("The figures are not at version {version} yet.")));
        }
        tokio::time::sleep(LOOK).await;
    }
}
