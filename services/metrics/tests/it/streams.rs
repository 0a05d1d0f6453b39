//! `StreamQuery` takes the viewer from its request: what that viewer gets, and who may ask.

use insights_access::{Role, TokenRequest};
use insights_proto::ingestion::v1::Revenue;
use insights_proto::metrics::v1::{
    Dimension, Measure, ReportGrain, ReportRow, StreamQueryRequest, StreamQueryResponse, Viewer, ViewerLocations,
};
use insights_service::Clock;
use insights_testkit::TempDatabase;
use tonic::{Code, Request, Status};

use crate::world::{PARTNER, Replica, World, admin, catalogue, customer, month, noon, query, use_seat};

async fn world() -> (World, Replica) {
    let world = World::new(TempDatabase::sqlite());
    let replica = world.replica(Clock::fixed(noon("2026-06-20"))).await;
    world.feed.change(PARTNER, &[(1, month("2026-03")), (2, month("2026-03"))], |book| {
        catalogue(book, "2026-06-30");
        for number in 1..=2 {
            let mut facts = customer(number, "BR", "2026-04-03");
            use_seat(&mut facts, "2026-05-25");
            facts.attributes.get_or_insert_default().domain = Some(format!("domain-{number}.example"));
            // In March there is nothing but revenue.
            facts.revenue = ["2026-03", "2026-05"].map(|month| revenue(number, month)).to_vec();
            book.customers.insert(number, facts);
        }
    });
    replica.rows(query(&[Measure::Customers], &[], "2026-05", "2026-05"), 1).await;
    (world, replica)
}

fn revenue(number: i64, month: &str) -> Revenue {
    Revenue {
        subscription_id: Some(format!("S-{number}")),
        month: month.into(),
        amount: format!("{number}.5"),
        currency: "EUR".into(),
        ..Revenue::default()
    }
}

fn viewer(roles: &[Role], locations: Option<&[&str]>) -> Viewer {
    let bound_to = locations.map(|ids| ViewerLocations { location_ids: ids.iter().map(|&id| id.to_owned()).collect() });
    Viewer { partner: PARTNER.into(), roles: roles.iter().map(|&role| role.into()).collect(), bound_to }
}

fn request(viewer: Viewer, measures: &[Measure], grain: ReportGrain) -> StreamQueryRequest {
    let by: &[Dimension] = match grain {
        ReportGrain::CustomerServices => &[Dimension::Customer, Dimension::Service],
        _ => &[],
    };
    StreamQueryRequest {
        viewer: Some(viewer),
        query: Some(query(measures, by, "2026-05", "2026-05")),
        grain: grain.into(),
        ..StreamQueryRequest::default()
    }
}

async fn answer(replica: &Replica, request: Request<StreamQueryRequest>) -> Result<Vec<StreamQueryResponse>, Status> {
    let mut stream = replica.client.clone().stream_query(request).await?.into_inner();
    let mut parts = Vec::new();
    while let Some(part) = stream.message().await? {
        parts.push(part);
    }
    assert!(parts.last().is_some_and(|part| part.done), "an answer ends with its end");
    Ok(parts)
}

async fn rows(replica: &Replica, request: StreamQueryRequest) -> (Vec<ReportRow>, bool) {
    let parts = answer(replica, replica.as_service(request)).await.unwrap();
    let redacted = parts[0].redacted;
    (parts.into_iter().flat_map(|part| part.report_rows).collect(), redacted)
}

const MEASURES: [Measure; 3] = [Measure::Available, Measure::Active, Measure::BilledRevenue];

#[tokio::test(flavor = "multi_thread")]
async fn no_person_asks_and_no_viewer_is_no_answer() {
    let (_world, replica) = world().await;
    let all = request(viewer(&[Role::GlobalAdmin], None), &MEASURES, ReportGrain::Subscriptions);
    let mut person = Request::new(all.clone());
    person.metadata_mut().insert("authorization", replica.bearer(&admin()));
    assert_eq!(answer(&replica, person).await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(answer(&replica, Request::new(all.clone())).await.unwrap_err().code(), Code::Unauthenticated);
    for nobody in [None, Some(Viewer { partner: String::new(), ..viewer(&[Role::GlobalAdmin], None) })] {
        let refused = answer(&replica, replica.as_service(StreamQueryRequest { viewer: nobody, ..all.clone() })).await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    }
    // A service that acts for somebody gets what the viewer may see, whoever it acts for.
    let little = TokenRequest { roles: vec![Role::ReportViewer], partner: "other".into(), ..TokenRequest::default() };
    let parts = answer(&replica, replica.as_caller(&little, all)).await.unwrap();
    assert_eq!(parts.iter().map(|part| part.report_rows.len()).sum::<usize>(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_gets_what_their_roles_and_locations_let_through() {
    let (_world, replica) = world().await;
    let of = |roles: &[Role], locations, grain| request(viewer(roles, locations), &MEASURES, grain);
    for grain in [ReportGrain::Subscriptions, ReportGrain::CustomerSkus] {
        let (seen, redacted) = rows(&replica, of(&[Role::ExecutiveReportViewer], None, grain)).await;
        assert_eq!((seen.len(), redacted), (2, false));
        assert_eq!(seen[1].revenue[0].amount, "2.50");
        assert_eq!(seen[0].customer.as_ref().unwrap().domain.as_deref(), Some("domain-1.example"));
        assert_eq!(seen[0].available, Some(10));

        let (seen, redacted) = rows(&replica, of(&[Role::ReportViewer], None, grain)).await;
        assert_eq!((seen.len(), redacted), (2, true));
        assert!(seen.iter().all(|row| row.revenue.is_empty()), "{seen:?}");
        assert!(seen.iter().all(|row| row.customer.as_ref().unwrap().domain.is_none()), "{seen:?}");

        let (seen, _) = rows(&replica, of(&[Role::ExecutiveReportViewer], Some(&["l2", "l9"]), grain)).await;
        let ids: Vec<&str> = seen.iter().map(|row| row.customer.as_ref().unwrap().id.as_str()).collect();
        assert_eq!(ids, ["C-2"]);
        assert_eq!(seen[0].attributions.len(), 1);
        assert_eq!(rows(&replica, of(&[Role::ExecutiveReportViewer], Some(&[]), grain)).await.0, []);
    }
    // Of another partner there is nothing here.
    let elsewhere = Viewer { partner: "other".into(), ..viewer(&[Role::GlobalAdmin], None) };
    assert_eq!(rows(&replica, request(elsewhere, &MEASURES, ReportGrain::Subscriptions)).await.0, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_tells_of_revenue_that_is_not_seen() {
    let (_world, replica) = world().await;
    for grain in [ReportGrain::Subscriptions, ReportGrain::CustomerSkus] {
        let of = |role| {
            let mut request = request(viewer(&[role], None), &MEASURES, grain);
            request.query.get_or_insert_default().from_month = "2026-03".into();
            request
        };
        let months = |rows: Vec<ReportRow>| rows.into_iter().map(|row| row.month).collect::<Vec<_>>();
        let (seen, _) = rows(&replica, of(Role::ExecutiveReportViewer)).await;
        assert_eq!(months(seen), ["2026-03", "2026-04", "2026-05"].repeat(2));
        let (seen, _) = rows(&replica, of(Role::ReportViewer)).await;
        assert_eq!(months(seen), ["2026-04", "2026-05"].repeat(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_outside_the_roles_are_refused() {
    let (_world, replica) = world().await;
    let users = [Measure::ActiveUsers, Measure::TotalUsers];
    let of = |role| request(viewer(&[role], None), &users, ReportGrain::CustomerServices);
    for role in [Role::ReportViewer, Role::ExecutiveReportViewer, Role::DataSource, Role::Unspecified] {
        let refused = answer(&replica, replica.as_service(of(role))).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{role:?}");
    }
    let (seen, _) = rows(&replica, of(Role::SalesAgent)).await;
    let told: Vec<_> = seen.iter().map(|row| (row.service.as_deref(), row.active_users, row.total_users)).collect();
    assert_eq!(told, [(Some("Exchange"), Some(1), Some(1)); 2]);
    assert!(seen.iter().all(|row| row.customer.as_ref().unwrap().domain.is_none()));

    // What does not go together is refused.
    let mut split = request(viewer(&[Role::GlobalAdmin], None), &MEASURES, ReportGrain::Subscriptions);
    split.query.get_or_insert_default().group_by = vec![Dimension::Country.into()];
    assert_eq!(answer(&replica, replica.as_service(split.clone())).await.unwrap_err().code(), Code::InvalidArgument);
    split.grain = 99;
    assert_eq!(answer(&replica, replica.as_service(split)).await.unwrap_err().code(), Code::InvalidArgument);
}
