//! Every field of every request, by its type.

use futures::StreamExt;
use insights_access::{CALLER_HEADER, Demand, Policy, Role};
use insights_service::fail_point;
use insights_tests::{
    product::Product,
    wire::{Answer, frame},
};
use prost_reflect::MessageDescriptor;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::attack::{odd, overfull};

const ROLES: [Role; 8] = [
    Role::GlobalAdmin,
    Role::AccountAdmin,
    Role::UserManagementAdmin,
    Role::AdminAgent,
    Role::SalesAgent,
    Role::ReportViewer,
    Role::ExecutiveReportViewer,
    Role::DataSource,
];

/// A product, and callers who may call everything.
struct Target {
    product: Product,
    person: String,
    service: String,
    policy: Policy,
}

impl Target {
    async fn start() -> Self {
        let product = Product::sqlite().await;
        let person = product.token("acme", &ROLES, &[]);
        let service = product.issuer.mint_service("metrics").unwrap();
        Self { product, person, service, policy: Policy::product().unwrap() }
    }

    /// Every method that can be called, with its request.
    fn methods(&self) -> Vec<(String, MessageDescriptor)> {
        let services = insights_proto::descriptors().services();
        let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
        methods
            .map(|method| (format!("/{}/{}", method.parent_service().full_name(), method.name()), method.input()))
            .filter(|(path, _)| self.policy.method(path).is_some_and(|method| method.demand != Demand::Nobody))
            .collect()
    }

    async fn call(&self, path: &str, request: &[u8]) -> Answer {
        let of_services = self.policy.method(path).is_some_and(|method| method.demand == Demand::Services);
        let bearer = format!("Bearer {}", if of_services { &self.service } else { &self.person });
        // Streams that never end of themselves end here.
        let timeout = if path.ends_with("/StreamChanges") { "1S" } else { "30S" };
        let mut headers = vec![("authorization", bearer.as_str()), ("grpc-timeout", timeout)];
        if of_services {
            headers.push((CALLER_HEADER, self.person.as_str()));
        }
        self.product.wire.call(path, &headers, &frame(request)).await.unwrap()
    }
}

/// What a status takes of the headers of an answer, as HTTP/2 counts them.
fn on_the_way(status: &Status) -> usize {
    let mut headers = http::HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_of_every_method_is_bounded_before_it_is_decoded() {
    let target = Target::start().await;
    let mut attacked = 0;
    for (path, request) in target.methods() {
        for attack in overfull(&request, 0) {
            let answer = target.call(&path, &attack.request).await;
            let status = answer.status.unwrap();
            let details = status.get_error_details();
            let named = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
            let what = format!("{path} {}: {status:?}", attack.path);
            assert_eq!(status.code(), Code::InvalidArgument, "{what}");
            assert_eq!(named.len(), 1, "{what}");
            assert_eq!(named[0].field, attack.path, "{what}");
            assert_eq!(named[0].description, format!("must have at most {} entries", attack.most), "{what}");
            attacked += 1;
        }
    }
    assert!(attacked > 100, "{attacked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_guard_a_list_is_decoded_whole() {
    let target = Target::start().await;
    let path = "/insights.ingestion.v1.IngestionService/IngestBatch";
    let records = b"\x12\x00".repeat(20_001);
    let refused = |answer: &Answer| answer.status.as_ref().unwrap().message().contains("at most 20000 entries");
    assert!(refused(&target.call(path, &records).await));
    let _armed = fail_point::arm("", "without:service.elements");
    let answer = target.call(path, &records).await;
    assert!(!refused(&answer), "the service itself counted, after decoding: {answer:?}");
    assert_eq!(answer.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_every_method_takes_any_value_of_its_type() {
    let target = Target::start().await;
    let mut attacked = 0;
    for (path, request) in target.methods() {
        let attacks = futures::stream::iter(odd(&request, 0));
        let answers = attacks.map(async |attack| (target.call(&path, &attack.request).await, attack));
        for (answer, attack) in answers.buffer_unordered(8).collect::<Vec<_>>().await {
            let what = format!("{path} {} {}", attack.path, attack.what);
            let status = answer.status.as_ref().unwrap();
            let ours = matches!(status.code(), Code::Internal | Code::Unknown | Code::DataLoss);
            assert!(!ours, "{what}: {status:?}");
            assert!(on_the_way(status) < 8 * 1024, "{what}: {status:?}");
            attacked += 1;
        }
    }
    assert!(attacked > 400, "{attacked}");
    let path = "/insights.access.v1.AccessService/WhoAmI";
    assert_eq!(target.call(path, b"").await.code(), Code::Ok, "and goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_fits_into_the_headers_that_clients_take() {
    let target = Target::start().await;
    let path = "/insights.reporting.v1.ReportingService/GetCustomersDashboard";
    // 100 filters of a dimension that does not exist.
    let filter = b"\x22\x02\x08\x63".repeat(100);
    let mut request = vec![0x0a];
    prost::encoding::encode_varint(filter.len() as u64, &mut request);
    request.extend(filter);
    let answer = target.call(path, &request).await;
    let status = answer.status.unwrap();
    let details = status.get_error_details();
    let named = details.bad_request().unwrap().field_violations.len();
    let more: usize = details.error_info().unwrap().metadata["more_violations"].parse().unwrap();
    assert!(on_the_way(&status) < 8 * 1024 && named <= 20 && named + more >= 100, "{named} and {more}: {status:?}");
    let _armed = fail_point::arm("", "without:service.details");
    let answer = target.call(path, &request).await;
    assert!(on_the_way(&answer.status.unwrap()) > 8 * 1024, "what the guard is for");
}
