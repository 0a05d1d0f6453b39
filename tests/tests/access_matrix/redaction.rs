//! Revenue is for those who may see it, by no side door for others; and every method and measure through the real product.

use insights_access::{Clock, Role};
use insights_proto::{
    metrics::v1::{Dimension, Measure, Top, value},
    reporting::v1::{QueryRequest, QueryResponse},
};
use insights_tests::{
    product::{How, Product},
    wire::{Answer, EMPTY},
};
use tonic::Code;

use crate::{
    marked_partners::{QUERY, Sold, ask, everything, marked, query, send, shows},
    table::{Group, MEASURES, METHODS, ROLES, SEES_ALL},
};

const WORLD: [Sold; 3] = [
    Sold { customer: "C-1", seats: 10, location: None, amount: "918273.45" },
    Sold { customer: "C-2", seats: 200, location: None, amount: "5000" },
    Sold { customer: "C-3", seats: 4000, location: None, amount: "0.25" },
];

/// By revenue C-1, by seats C-3.
async fn product() -> (Product, i64) {
    let product = Product::sqlite().await;
    let version = product.ingest("alpha", marked("Alphamark", &WORLD)).await;
    (product, version)
}

#[tokio::test]
async fn amounts_are_absent_for_others() {
    let (product, version) = product().await;
    for (column, role) in ROLES.into_iter().enumerate() {
        for (what, answer) in everything(&product, "alpha", &[role], &[], version).await {
            assert!(SEES_ALL[column] || !shows(&answer, "918273.45"), "{role:?} sees revenue in {what}: {answer:?}");
            assert!(SEES_ALL[column] || !shows(&answer, "alphamark.example"), "{role:?} sees a domain in {what}");
        }
        if !Group::Query.allows(role) {
            continue;
        }
        let token = product.token("alpha", &[role], &[]);
        let asked = QueryRequest {
            query: Some(query(&[Measure::Available, Measure::BilledRevenue], &[Dimension::Customer])),
            min_version: version,
            max_bytes: 0,
        };
        let (answer, response) = product.ask::<QueryResponse>(QUERY, &token, &asked).await;
        assert_eq!(answer.code(), Code::Ok, "{role:?}: {answer:?}");
        let result = response.result.unwrap();
        assert_eq!(result.redacted, !SEES_ALL[column], "{role:?}");
        assert_eq!(result.rows.len(), 3, "{role:?}");
        for row in &result.rows {
            let amount = matches!(row.values[1].kind, Some(value::Kind::Amount(_)));
            assert_eq!(amount, SEES_ALL[column], "{role:?}: absent, never zero: {row:?}");
            assert_eq!(!row.currency.is_empty(), SEES_ALL[column], "{role:?}: nor the currency: {row:?}");
        }
    }
}

#[tokio::test]
async fn data_that_differs_in_revenue_alone_looks_the_same_to_who_may_not_see_it() {
    // Born at the same moment: answers name the epoch, which is that of the birth.
    let born = chrono::DateTime::from_timestamp(1_750_000_000, 0).unwrap();
    let how = || How { clock: Clock::new(move || born), ..How::default() };
    let (first, second) = (Product::sqlite_with(how()).await, Product::sqlite_with(how()).await);
    let version = first.ingest("alpha", marked("Alphamark", &WORLD)).await;
    let sold = |customer, seats, amount| Sold { customer, seats, location: None, amount };
    // The order by revenue is another one.
    let sales = [sold("C-1", 10, "1"), sold("C-2", 200, "918273.45"), sold("C-3", 4000, "918274")];
    assert_eq!(second.ingest("alpha", marked("Alphamark", &sales)).await, version);
    let (mut compared, mut told_apart) = (0, 0);
    for (column, role) in ROLES.into_iter().enumerate() {
        let left = everything(&first, "alpha", &[role], &[], version).await;
        let right = everything(&second, "alpha", &[role], &[], version).await;
        for ((what, one), (_, other)) in left.into_iter().zip(right) {
            let same = one.body == other.body && one.code() == other.code();
            let message = |answer: &Answer| answer.status.as_ref().map(|status| status.message().to_owned());
            if !SEES_ALL[column] {
                assert!(same && message(&one) == message(&other), "{role:?} sees a difference in {what}");
                compared += 1;
            }
            told_apart += usize::from(!same);
        }
    }
    assert!(compared > 150 && told_apart > 10, "{compared} {told_apart}");
}

#[tokio::test]
async fn nobody_ranks_by_what_they_may_not_see() {
    let (product, version) = product().await;
    for (column, role) in ROLES.into_iter().enumerate().filter(|(_, role)| Group::Query.allows(*role)) {
        let token = product.token("alpha", &[role], &[]);
        let mut asked = query(&[Measure::Available], &[Dimension::Customer]);
        asked.top = Some(Top { measure: Measure::BilledRevenue.into(), count: 1 });
        let rows = ask(&product, &token, asked, version).await;
        let first = rows[0].dimensions[0].value.clone().unwrap();
        assert_eq!(first, if SEES_ALL[column] { "C-1" } else { "C-3" }, "{role:?}");
    }
}

#[tokio::test]
async fn a_ranking_needs_the_right_to_its_measure() {
    let (product, version) = product().await;
    let token = product.token("alpha", &[Role::AccountAdmin], &[]);
    let mut asked = query(&[Measure::Available], &[Dimension::Customer]);
    asked.top = Some(Top { measure: Measure::ActiveUsers.into(), count: 1 });
    let asked = QueryRequest { query: Some(asked), min_version: version, max_bytes: 0 };
    assert_eq!(send(&product, QUERY, &token, &asked).await.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn every_measure_through_the_product() {
    let (product, version) = product().await;
    for (column, role) in ROLES.into_iter().enumerate() {
        let token = product.token("alpha", &[role], &[]);
        for (name, row) in MEASURES {
            let measure = Measure::from_str_name(name).unwrap();
            for beside in [None, Some(Measure::Available), Some(Measure::Customers)] {
                let measures: Vec<_> = [Some(measure), beside].into_iter().flatten().collect();
                let asked = QueryRequest { query: Some(query(&measures, &[])), min_version: version, max_bytes: 0 };
                let code = send(&product, QUERY, &token, &asked).await.code();
                let beside_allowed = beside.is_none_or(|beside| {
                    MEASURES.iter().any(|(name, row)| *name == beside.as_str_name() && row[column])
                });
                let expected = if row[column] && beside_allowed { Code::Ok } else { Code::PermissionDenied };
                // The same measure twice is refused for every role.
                let expected = if beside == Some(measure) && expected == Code::Ok { code } else { expected };
                assert_eq!(code, expected, "{role:?} asks for {name} and {beside:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_method_through_the_product() {
    let (product, _) = product().await;
    for role in ROLES {
        let bearer = format!("Bearer {}", product.token("alpha", &[role], &[]));
        for (path, group) in METHODS {
            let headers = [("authorization", bearer.as_str()), ("grpc-timeout", "5S")];
            let answer = product.wire.call(path, &headers, EMPTY).await.unwrap();
            let refused = answer.code() == Code::PermissionDenied;
            assert_eq!(refused, !group.allows(role), "{role:?} on {path}: {answer:?}");
            assert!(
                !matches!(answer.code(), Code::Unimplemented | Code::Internal | Code::Unknown),
                "{path}: {answer:?}"
            );
        }
    }
    let service = product.issuer.mint_service("metrics").unwrap();
    let caller = product.token("alpha", &[Role::ReportViewer], &[]);
    for (path, group) in METHODS.iter().filter(|(_, group)| *group == Group::Services) {
        let bearer = format!("Bearer {service}");
        let headers = [
            ("authorization", bearer.as_str()),
            (insights_access::CALLER_HEADER, caller.as_str()),
            ("grpc-timeout", "500m"),
        ];
        let answer = product.wire.call(path, &headers, EMPTY).await.unwrap();
        assert_ne!(answer.code(), Code::Unauthenticated, "{group:?} {path}: {answer:?}");
        if path.ends_with("MetricsService/BatchQuery") || path.ends_with("LookUpNames") {
            continue;
        }
        let alone = [("authorization", bearer.as_str()), ("grpc-timeout", "500m")];
        let answer = product.wire.call(path, &alone, EMPTY).await.unwrap();
        // An export outlives the token of its owner, so a stream names whose rights apply in the message.
        let needs_caller =
            path.contains("MetricsService") && !path.ends_with("/StreamQuery") || path.ends_with("/PreviewFacts");
        assert_eq!(answer.code() == Code::Unauthenticated, needs_caller, "{path}: {answer:?}");
    }
}
