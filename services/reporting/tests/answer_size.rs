//! No answer is larger than what a client takes that was told nothing of sizes.

mod support;

use insights_access::Role;
use insights_proto::metrics::v1::{Dimension, DimensionValue, Filter, Measure, Query};
use insights_proto::reporting::v1::{
    AuditEntry, ExplainRequest, ListAuditEntriesRequest, QueryRequest, reporting_service_client::ReportingServiceClient,
};
use prost::Message;
use support::{Figures, ReportingFixture};
use tokio::net::TcpListener;
use tonic::{Code, transport::Channel};

/// A client as it is made without a word of sizes, over TCP.
async fn client(fixture: &ReportingFixture) -> ReportingServiceClient<Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let services = vec![fixture.reporting.routes()];
    tokio::spawn(fixture.chassis.clone().serve(listener, services, fixture.reporting.pages()));
    ReportingServiceClient::connect(format!("http://{address}")).await.expect("a connection")
}

fn by_customer(measure: Measure) -> Query {
    Query {
        measures: vec![measure as i32],
        group_by: vec![Dimension::Customer as i32],
        from_month: "2024-04".into(),
        to_month: "2026-03".into(),
        ..Query::default()
    }
}

#[tokio::test]
async fn a_large_answer_is_refused_with_what_to_do() {
    let fixture = ReportingFixture::start(Figures { customers: 12_000, ..Figures::default() }).await;
    let mut client = client(&fixture).await;
    let ask = |max_bytes| {
        let query = Some(by_customer(Measure::Available));
        fixture.request(&[Role::ReportViewer], QueryRequest { query, min_version: 0, max_bytes })
    };
    let refused = client.query(ask(0)).await.map(drop).expect_err("too large");
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    assert!(refused.message().contains("more than the 4,194,304 that the client takes"), "{refused:?}");
    assert!(refused.message().contains("`query.slice`") && refused.message().contains("export"), "{refused:?}");
    assert_eq!(client.query(ask(-1)).await.map(drop).expect_err("negative").code(), Code::InvalidArgument);

    let mut larger = client.clone().max_decoding_message_size(64 << 20);
    let answer = larger.query(ask(64 << 20)).await.expect("an answer").into_inner();
    assert!(answer.encoded_len() > 4 << 20, "{}", answer.encoded_len());
    assert_eq!(answer.result.expect("a result").rows.len(), 24 * 12_000);
    assert_eq!(larger.query(ask(1_000)).await.map(drop).expect_err("less").code(), Code::ResourceExhausted);

    let query = Some(Query { to_month: "2024-04".into(), ..by_customer(Measure::Available) });
    let fewer = QueryRequest { query, min_version: 0, max_bytes: 0 };
    let answer = client.query(fixture.request(&[Role::ReportViewer], fewer)).await.expect("fewer months");
    assert_eq!(answer.into_inner().result.expect("a result").rows.len(), 12_000);

    let explain = ExplainRequest { query: Some(by_customer(Measure::UsagePercent)), min_version: 0, max_bytes: 0 };
    let refused = client.explain(fixture.request(&[Role::AdminAgent], explain)).await.map(drop).expect_err("too large");
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
}

#[tokio::test]
async fn a_page_ends_before_the_answer_is_too_large() {
    let fixture = ReportingFixture::start(Figures::default()).await;
    let mut client = client(&fixture).await;
    // Each leaves an entry of some KiB, as lists are cut.
    let values = (0..1_000).map(|number| DimensionValue { value: Some(format!("{number:0>100}")) }).collect();
    let filters = vec![Filter { dimension: Dimension::Customer as i32, values }];
    for _ in 0..900 {
        let query = Some(Query { filters: filters.clone(), ..by_customer(Measure::Available) });
        let request = QueryRequest { query, min_version: 0, max_bytes: 0 };
        client.query(fixture.request(&[Role::ReportViewer], request)).await.expect("an answer");
    }
    let (mut entries, mut pages) = (Vec::<AuditEntry>::new(), 0);
    let mut request = ListAuditEntriesRequest { page_size: 1_000, method: "Query".into(), ..Default::default() };
    loop {
        let asked = fixture.request(&[Role::GlobalAdmin], request.clone());
        let page = client.list_audit_entries(asked).await.expect("a page").into_inner();
        assert!(page.encoded_len() <= 4 << 20);
        entries.extend(page.entries);
        pages += 1;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!((entries.len(), pages), (900, 2));
}
