//! Every measure with every role.

use std::sync::Arc;

use insights_access::{Clock, Policy, Principal, REPORTING_SERVICE, Role, Verifier};
use insights_proto::metrics::v1::Measure;
use insights_tests::small::SmallServer;
use tonic::Code;

use crate::{
    methods::{server, token},
    table::{MEASURES, ROLES, SEES_ALL},
};

async fn caller(server: &SmallServer, roles: &[Role]) -> Arc<Principal> {
    let verifier = Verifier::new(server.issuer.access_config(), Clock::system()).unwrap();
    verifier.person(&token(&server.issuer, roles)).await.unwrap()
}

fn measure(name: &str) -> Measure {
    Measure::from_str_name(name).unwrap()
}

#[tokio::test]
async fn each_measure_alone() {
    let (server, policy) = (server().await, Policy::product().unwrap());
    for (column, role) in ROLES.into_iter().enumerate() {
        let caller = caller(&server, &[role]).await;
        for (name, row) in MEASURES {
            let answer = policy.authorise_measures(&caller, REPORTING_SERVICE, &[measure(name)]);
            match answer {
                Ok(redaction) => {
                    assert!(row[column], "{role:?} must not ask for {name}");
                    let hidden = *name == "MEASURE_BILLED_REVENUE" && !SEES_ALL[column];
                    assert_eq!(redaction.redacted(), hidden, "{role:?} {name}");
                    assert_eq!(redaction.hides(measure(name)), hidden);
                }
                Err(status) => {
                    assert!(!row[column], "{role:?} may ask for {name}");
                    assert_eq!(status.code(), Code::PermissionDenied);
                }
            }
        }
    }
}

#[tokio::test]
async fn one_refused_measure_refuses_the_call() {
    let (server, policy) = (server().await, Policy::product().unwrap());
    for (column, role) in ROLES.into_iter().enumerate() {
        let caller = caller(&server, &[role]).await;
        for (one, first) in MEASURES {
            for (other, second) in MEASURES {
                let both = [measure(one), measure(other)];
                let answer = policy.authorise_measures(&caller, REPORTING_SERVICE, &both);
                assert_eq!(answer.is_ok(), first[column] && second[column], "{role:?}: {one} and {other}");
            }
        }
    }
}

#[tokio::test]
async fn roles_add_up() {
    let (server, policy) = (server().await, Policy::product().unwrap());
    for (first, one) in ROLES.into_iter().enumerate() {
        for (second, other) in ROLES.into_iter().enumerate() {
            let caller = caller(&server, &[one, other]).await;
            for (name, row) in MEASURES {
                let answer = policy.authorise_measures(&caller, REPORTING_SERVICE, &[measure(name)]);
                assert_eq!(answer.is_ok(), row[first] || row[second], "{one:?} and {other:?}: {name}");
                let hidden = answer.is_ok_and(|redaction| redaction.redacted());
                assert!(!hidden || !(SEES_ALL[first] || SEES_ALL[second]));
            }
        }
    }
}

#[tokio::test]
async fn nothing_asked_is_no_right() {
    let (server, policy) = (server().await, Policy::product().unwrap());
    let asks = async |roles: &[Role], service: &str, measures: &[Measure]| {
        let caller = caller(&server, roles).await;
        policy.authorise_measures(&caller, service, measures).is_ok()
    };
    for measures in [&[][..], &[Measure::Unspecified]] {
        assert!(asks(&[Role::SalesAgent], REPORTING_SERVICE, measures).await, "left to validation");
        assert!(!asks(&[Role::DataSource], REPORTING_SERVICE, measures).await);
        assert!(!asks(&[], REPORTING_SERVICE, measures).await);
    }
    for service in ["", "insights.metrics.v1.MetricsService", "insights.no.v1.Service"] {
        assert!(!asks(&[Role::GlobalAdmin], service, &[Measure::Customers]).await, "{service} has no groups");
    }
}
