//! Who may read the audit, and how it is looked through.

use insights_access::Role;
use insights_proto::reporting::v1::{AuditEntry, ListAuditEntriesRequest, PageFilters};
use insights_proto::reporting::v1::{GetCustomersDashboardRequest, GetLicenceAdoptionDashboardRequest};
use insights_testkit::TempDatabase;
use insights_tests::product::{How, Product};
use tonic::Code;
use tonic_types::StatusExt;

use crate::reads::{PARTNER, list, path, token_of};

/// An entry: subject, method, outcome.
fn done(entry: &AuditEntry) -> (&str, &str, &str) {
    (entry.subject.as_str(), entry.rpc.rsplit('/').next().unwrap(), entry.outcome.as_str())
}

/// Bob reads a page five times and is denied another; eve is denied; a user of another partner reads.
async fn busy(product: &Product) {
    let bob = token_of(product, "bob", PARTNER, &[Role::ReportViewer, Role::AccountAdmin], &[]);
    for month in 1..=5 {
        let month = format!("2025-0{month}");
        let page = PageFilters { from_month: month.clone(), to_month: month, ..PageFilters::default() };
        let request = GetCustomersDashboardRequest { page: Some(page), ..Default::default() };
        product.ask::<()>(&path("GetCustomersDashboard"), &bob, &request).await;
    }
    let other = token_of(product, "bob", "fabrikam", &[Role::GlobalAdmin], &[]);
    product.ask::<()>(&path("GetCustomersDashboard"), &other, &GetCustomersDashboardRequest::default()).await;
    let eve = token_of(product, "eve", PARTNER, &[Role::DataSource], &[]);
    for token in [bob, eve] {
        let request = GetLicenceAdoptionDashboardRequest::default();
        product.ask::<()>(&path("GetLicenceAdoptionDashboard"), &token, &request).await;
    }
}

async fn the_global_admin_looks_it_through(postgres: bool) {
    let database = postgres.then(TempDatabase::postgres);
    let product = match &database {
        Some(database) => Product::postgres_with(database, How::default()).await,
        None => Product::sqlite().await,
    };
    busy(&product).await;
    let admin = token_of(&product, "ada", PARTNER, &[Role::GlobalAdmin], &[]);
    let (answer, all) = list(&product, &admin, &ListAuditEntriesRequest::default()).await;
    assert_eq!(answer.code(), Code::Ok, "{answer:?}");
    let told: Vec<_> = all.entries.iter().map(done).collect();
    assert_eq!(told[0], ("eve", "GetLicenceAdoptionDashboard", "PERMISSION_DENIED"), "newest first");
    assert_eq!(told[1], ("bob", "GetLicenceAdoptionDashboard", "PERMISSION_DENIED"));
    assert_eq!(told.len(), 7, "of this partner alone: {told:?}");
    assert!(all.entries.is_sorted_by(|one, next| {
        let at = |entry: &AuditEntry| entry.time.map(|time| (time.seconds, time.nanos));
        at(one) >= at(next)
    }));
    assert_eq!(all.entries[1].roles, ["account_admin", "report_viewer"]);
    assert!(all.entries[2].asked.contains("\"fromMonth\":\"2025-05\""), "filters are kept: {:?}", all.entries[2]);

    assert!(all.entries.iter().all(|entry| entry.partner == PARTNER && !entry.bound && entry.locations.is_empty()));

    let (_, again) = list(&product, &admin, &ListAuditEntriesRequest::default()).await;
    assert_eq!(done(&again.entries[0]), ("ada", "ListAuditEntries", "OK"), "reading it is audited too");
    assert_eq!(again.entries[0].rows, 7);

    let found = async |request: ListAuditEntriesRequest| {
        let (answer, found) = list(&product, &admin, &request).await;
        assert_eq!(answer.code(), Code::Ok, "{request:?}: {answer:?}");
        found.entries
    };
    let by = ListAuditEntriesRequest::default;
    assert_eq!(found(ListAuditEntriesRequest { subject: "bob".into(), ..by() }).await.len(), 6);
    assert_eq!(found(ListAuditEntriesRequest { subject: "bo".into(), ..by() }).await.len(), 0, "exactly");
    assert_eq!(found(ListAuditEntriesRequest { method: "GetCustomersDashboard".into(), ..by() }).await.len(), 5);
    assert_eq!(found(ListAuditEntriesRequest { outcome: "PERMISSION_DENIED".into(), ..by() }).await.len(), 2);
    let both = ListAuditEntriesRequest { outcome: "permission_denied".into(), subject: "eve".into(), ..by() };
    assert_eq!(found(both).await.len(), 1);
    let (first, last) = (all.entries[6].time, all.entries[0].time);
    let within = ListAuditEntriesRequest { from_time: first, to_time: last, ..by() };
    assert_eq!(found(within).await.len(), 6, "from the first on, and before the last");

    // Page by page, each entry once, whatever is written meanwhile.
    let mut request = ListAuditEntriesRequest { page_size: 2, subject: "bob".into(), ..by() };
    let mut entries = Vec::new();
    for _ in 0..3 {
        let (_, page) = list(&product, &admin, &request).await;
        assert_eq!(page.entries.len(), 2);
        entries.extend(page.entries);
        request.page_token = page.next_page_token;
    }
    assert_eq!(request.page_token, "", "that was the last");
    assert_eq!(entries, found(ListAuditEntriesRequest { subject: "bob".into(), ..by() }).await);

    let bound = token_of(&product, "bob", PARTNER, &[Role::ReportViewer], &["L1", "L2"]);
    product.ask::<()>(&path("GetCustomersDashboard"), &bound, &GetCustomersDashboardRequest::default()).await;
    let newest = ListAuditEntriesRequest { subject: "bob".into(), page_size: 1, ..Default::default() };
    let (_, newest) = list(&product, &admin, &newest).await;
    assert!(newest.entries[0].bound, "to see two locations is to be given other figures: {newest:?}");
    assert_eq!(newest.entries[0].locations, ["L1", "L2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_global_admin_looks_it_through_on_sqlite() {
    the_global_admin_looks_it_through(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_global_admin_looks_it_through_on_postgres() {
    the_global_admin_looks_it_through(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_reads_it() {
    let product = Product::sqlite().await;
    busy(&product).await;
    for role in [Role::AccountAdmin, Role::AdminAgent, Role::ExecutiveReportViewer, Role::DataSource] {
        let token = token_of(&product, "mallory", PARTNER, &[role], &[]);
        let (answer, _) = list(&product, &token, &ListAuditEntriesRequest::default()).await;
        assert_eq!((answer.code(), answer.body.len()), (Code::PermissionDenied, 0), "{role:?}");
    }
    // Entries name customers of every location.
    let bound = token_of(&product, "mallory", PARTNER, &[Role::GlobalAdmin], &["L1"]);
    let (answer, _) = list(&product, &bound, &ListAuditEntriesRequest::default()).await;
    assert_eq!((answer.code(), answer.body.len()), (Code::PermissionDenied, 0));
    let elsewhere = token_of(&product, "ada", "nobodys", &[Role::GlobalAdmin], &[]);
    let (_, none) = list(&product, &elsewhere, &ListAuditEntriesRequest::default()).await;
    assert!(none.entries.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_page_tokens_are_of_one_partner_and_listing() {
    let product = Product::sqlite().await;
    busy(&product).await;
    let admin = token_of(&product, "ada", PARTNER, &[Role::GlobalAdmin], &[]);
    let page = ListAuditEntriesRequest { page_size: 1, ..Default::default() };
    let (_, first) = list(&product, &admin, &page).await;
    let token = first.next_page_token;
    let of_another = ListAuditEntriesRequest { page_token: token.clone(), outcome: "OK".into(), ..page.clone() };
    let edited = ListAuditEntriesRequest { page_token: format!("9{token}"), ..page.clone() };
    let injected = ListAuditEntriesRequest { page_token: "1.2.' OR '1'='1".into(), ..page.clone() };
    let nonsense = ListAuditEntriesRequest { method: "'; DROP TABLE audit_record; --".into(), ..page.clone() };
    for (request, field) in [
        (of_another, "page_token"),
        (edited, "page_token"),
        (injected, "page_token"),
        (nonsense, "method"),
        (ListAuditEntriesRequest { page_size: -1, ..Default::default() }, "page_size"),
    ] {
        let (answer, _) = list(&product, &admin, &request).await;
        let status = answer.status.unwrap();
        assert_eq!(status.code(), Code::InvalidArgument, "{request:?}");
        let fields = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(fields.iter().map(|violation| violation.field.as_str()).collect::<Vec<_>>(), [field]);
    }
    // With another partner's page token there is nothing to see that is not one's own.
    let other = token_of(&product, "bob", "fabrikam", &[Role::GlobalAdmin], &[]);
    let (_, entries) = list(&product, &other, &ListAuditEntriesRequest { page_token: token, ..page }).await;
    assert!(
        entries.entries.iter().all(|entry| entry.subject == "bob" && entry.rpc.ends_with("/GetCustomersDashboard"))
    );
}
