//! AccessService: who the caller is.

use insights_access::{field_classes, principal};
use insights_proto::access::v1::{WhoAmIRequest, WhoAmIResponse, access_service_server::AccessService};
use tonic::{Request, Response, Status};

/// The AccessService.
#[derive(Clone, Copy, Debug)]
pub struct AccessApi;

#[tonic::async_trait]
impl AccessService for AccessApi {
    async fn who_am_i(&self, request: Request<WhoAmIRequest>) -> Result<Response<WhoAmIResponse>, Status> {
        let caller = principal(&request)?;
        let visible = field_classes().filter(|class| caller.can_see(*class));
        let expires = caller.expires();
        Ok(Response::new(WhoAmIResponse {
            subject: caller.subject().to_owned(),
            partner: caller.partner().to_owned(),
            roles: caller.roles().iter().map(|role| role as i32).collect(),
            locations: caller.locations().into_iter().flatten().cloned().collect(),
            visible_classes: visible.map(|class| class as i32).collect(),
            expire_time: Some(prost_types::Timestamp {
                seconds: expires.timestamp(),
                nanos: expires.timestamp_subsec_nanos().cast_signed(),
            }),
        }))
    }
}
