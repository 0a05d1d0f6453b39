//! Erasures by processes that are killed at every step: another start takes them up and ends them.

use std::collections::BTreeSet;

use insights_access::Role;
use insights_proto::ingestion::v1::ingestion_service_client::IngestionServiceClient;
use insights_proto::reporting::v1::{EraseRequest, PreviewErasureRequest, VerifyRequest};
use insights_testkit::{PATIENCE, free_address, traces, until};
use insights_tests::product::Person;
use insights_tests::records::{batch, complete_through, customer, sku, state, subscription, text};
use insights_tests::running::place::{Setting, channel};
use insights_tests::running::{Kind, Place};
use tonic::Request;

/// The steps, in their order; a process ends as soon as it comes to one.
const STEPS: [&str; 10] = [
    "reporting.erasure_ordered",
    "ingestion.erasure_marked",
    "ingestion.erasure_unkept",
    "ingestion.erasure_deleted",
    "metrics.erasure_asked",
    "metrics.erasure_purged",
    "reporting.erasure_of_facts",
    "reporting.erasure_of_exports",
    "reporting.erasure_of_audit",
    "reporting.erasure_cleared",
];

fn id(step: usize) -> String {
    format!("Erased-Customer-{step:03}-of-many")
}

fn started(place: &Place, fail_points: &str) -> insights_testkit::Process {
    let setting = Setting { fail_points: fail_points.to_owned(), ..Setting::default() };
    place.start(Kind::Everything, free_address(), &setting)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_taken_up_wherever_it_broke_off() {
    let place = Place::sqlite();
    let mut process = started(&place, "");
    let mut records =
        vec![sku("K-1", "E3", "Office 365", &["Teams"]), customer("C-1", |_| {}), complete_through("2025-03-31")];
    for step in 0..STEPS.len() {
        let (id, subscription_id) = (id(step), format!("Subscription-of-{}", id(step)));
        records.push(customer(&id, |it| it.name = text(&format!("Name of {id}"))));
        records.push(subscription(&subscription_id, &id, "K-1", |it| it.seller = text("own")));
        records.push(state(&subscription_id, "2025-01-01", "Active", 3));
    }
    let mut request = Request::new(batch("all", records));
    let source = place.token("feed", Role::DataSource, &[]);
    request.metadata_mut().insert("authorization", format!("Bearer {source}").parse().unwrap());
    let answer = IngestionServiceClient::new(channel(process.address())).ingest_batch(request).await.unwrap();
    assert_eq!(answer.into_inner().rejections, []);
    process.kill();

    let token = place.token("ada", Role::GlobalAdmin, &[]);
    for (step, point) in STEPS.into_iter().enumerate() {
        let customer_id = id(step);
        let mut process = started(&place, &format!("abort:{point}:1"));
        let mut person = Person::new(channel(process.address()), &token);
        let asked = PreviewErasureRequest { customer_id: customer_id.clone(), user_id: String::new() };
        let request = person.request(asked);
        let found = person.client.preview_erasure(request).await.unwrap().into_inner();
        let order = EraseRequest { customer_id, confirmation: found.confirmation, ..EraseRequest::default() };
        let request = person.request(order);
        let broken = person.client.erase(request).await;
        assert!(broken.is_err(), "{point}: the process is gone: {broken:?}");
        assert!(process.ends_within(PATIENCE).is_some(), "{point}: the process is gone");
        // The lease of the process that is gone ends.
        place.execute("reporting", "UPDATE erasure_job SET lease_until_micros = 1 WHERE state <> 2").await;

        let mut process = started(&place, "");
        until("the erasure is done", async || {
            place.number("reporting", "SELECT count(*) FROM erasure_job WHERE state <> 2").await == 0
        })
        .await;
        let name = id(step);
        let values = [name.as_bytes()];
        let mut person = Person::new(channel(process.address()), &token);
        let mut verified = {
            let request = person.request(VerifyRequest {});
            person.client.verify(request).await.unwrap().into_inner()
        };
        let mut last = None;
        while let Some(answer) = verified.message().await.unwrap() {
            last = Some(answer);
        }
        assert_eq!(last.unwrap().differences, 0, "{point}");
        process.kill();
        assert_eq!(traces::in_files(&place.beside("data"), &values), BTreeSet::new(), "{point}");
    }
    assert_eq!(place.number("reporting", "SELECT count(*) FROM erasure_job").await, STEPS.len() as i64);
    assert_eq!(place.number("ingestion", "SELECT count(*) FROM ingestion_customer WHERE customer_no > 0").await, 1);
}
