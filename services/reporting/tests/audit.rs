//! Who read what is known before they read it.

mod support;

use insights_access::Role;
use insights_proto::access::v1::Role as WireRole;
use insights_proto::metrics::v1::{Measure, Query};
use insights_proto::reporting::v1::{
    GetCustomersDashboardRequest, GetLicenceAdoptionDashboardRequest, PageFilters, QueryRequest,
};
use insights_reporting::Config;
use insights_testkit::TempDatabase;
use support::{Figures, ReportingFixture};
use tonic::Code;

async fn a_report_read_leaves_who_what_and_how_it_ended(database: TempDatabase) {
    let fixture = ReportingFixture::start_with(Figures::default(), database, |_| Config::default()).await;
    let page = PageFilters { from_month: "2026-01".into(), to_month: "2026-02".into(), ..PageFilters::default() };
    let request = GetCustomersDashboardRequest { page: Some(page), ..Default::default() };
    let request = fixture.request(&[Role::ReportViewer, Role::AdminAgent], request);
    fixture.client().get_customers_dashboard(request).await.expect("a page");

    let records = fixture.reporting.audit().newest("P-1", 10).await.expect("records");
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!(record.rpc, "/insights.reporting.v1.ReportingService/GetCustomersDashboard");
    assert_eq!((record.roles.as_str(), record.outcome.as_str()), ("admin_agent report_viewer", "Ok"));
    assert!(record.asked.contains("\"fromMonth\":\"2026-01\""), "{}", record.asked);
    assert!(record.row_count > 0 && !record.redacted);
    assert!(fixture.reporting.audit().newest("P-2", 10).await.expect("records").is_empty());
}

async fn denials_are_recorded_by_role_and_by_measure(database: TempDatabase) {
    let fixture = ReportingFixture::start_with(Figures::default(), database, |_| Config::default()).await;
    let request = fixture.request(&[WireRole::ReportViewer], GetLicenceAdoptionDashboardRequest::default());
    let denied = fixture.client().get_licence_adoption_dashboard(request).await.expect_err("denied");
    assert_eq!(denied.code(), Code::PermissionDenied);

    let query = Query { measures: vec![Measure::ActiveUsers as i32], ..Query::default() };
    let request =
        fixture.request(&[Role::ReportViewer], QueryRequest { query: Some(query), min_version: 0, max_bytes: 0 });
    assert_eq!(fixture.client().query(request).await.expect_err("denied").code(), Code::PermissionDenied);

    let records = fixture.reporting.audit().newest("P-1", 10).await.expect("records");
    let seen: Vec<_> = records.iter().map(|r| (r.rpc.rsplit('/').next().unwrap_or(""), r.outcome.as_str())).collect();
    assert_eq!(seen, [("Query", "PermissionDenied"), ("GetLicenceAdoptionDashboard", "PermissionDenied")]);
    assert!(records.iter().all(|record| record.row_count == 0));
}

async fn what_cannot_be_audited_is_not_given(database: TempDatabase) {
    let fixture = ReportingFixture::start_with(Figures::default(), database, |_| Config::default()).await;
    fixture.lose_audit().await;
    let request = fixture.request(&[Role::GlobalAdmin], GetCustomersDashboardRequest::default());
    let refused = fixture.client().get_customers_dashboard(request).await.expect_err("refused");
    assert_eq!(refused.code(), Code::Unavailable);
}

/// The same on both engines.
macro_rules! on_each_engine {
    ($($test:ident),*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::TempDatabase::sqlite()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::TempDatabase::postgres()).await;
            })*
        }
    };
}

on_each_engine!(
    a_report_read_leaves_who_what_and_how_it_ended,
    denials_are_recorded_by_role_and_by_measure,
    what_cannot_be_audited_is_not_given
);
