//! Every method with every role, with several, with none, and with a service's token.

use std::sync::Arc;

use insights_access::{Demand, Issuer, Policy, Role, TokenRequest};
use insights_service::ServerConfig;
use insights_tests::{
    small::{Small, SmallServer},
    wire::{Answer, EMPTY, Wire},
};
use prost::Message;
use tonic::Code;
use tonic_types::StatusExt;

use crate::table::{Group, METHODS, ROLES, WHOLE_PARTNER};

/// A server whose methods are those of no service but one: what is let through is answered by whoever is there, with
/// anything but a refusal.
pub async fn server() -> SmallServer {
    SmallServer::start(&Small::default(), ServerConfig::default()).await
}

pub fn token(issuer: &Arc<Issuer>, roles: &[Role]) -> String {
    let request = TokenRequest {
        subject: "ada".into(),
        roles: roles.to_vec(),
        partner: "contoso".into(),
        ..TokenRequest::default()
    };
    issuer.mint(&request).unwrap()
}

async fn call(wire: &Wire, path: &str, token: &str) -> Answer {
    // Streams that never end of themselves end here.
    let bearer = format!("Bearer {token}");
    wire.call(path, &[("authorization", &bearer), ("grpc-timeout", "1S")], EMPTY).await.unwrap()
}

fn assert_forbidden(answer: &Answer, what: &str) {
    let status = answer.status.as_ref().unwrap();
    assert_eq!(status.code(), Code::PermissionDenied, "{what} must be refused: {answer:?}");
    assert_eq!(status.message(), "The caller's roles do not allow this call.", "{what}: one constant text");
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "ROLE_MISSING");
    assert!(answer.body.is_empty());
}

fn assert_allowed(answer: &Answer, what: &str) {
    assert!(!matches!(answer.code(), Code::PermissionDenied | Code::Unauthenticated), "{what} must pass: {answer:?}");
}

#[tokio::test]
async fn each_role_alone() {
    let server = server().await;
    for role in ROLES {
        let token = token(&server.issuer, &[role]);
        for (path, group) in METHODS {
            let answer = call(&server.wire, path, &token).await;
            let what = format!("{role:?} on {path}");
            if group.allows(role) { assert_allowed(&answer, &what) } else { assert_forbidden(&answer, &what) }
        }
    }
}

#[tokio::test]
async fn of_several_roles_the_union() {
    let server = server().await;
    for (first, one) in ROLES.iter().enumerate() {
        for other in &ROLES[first + 1..] {
            let token = token(&server.issuer, &[*one, *other]);
            for (path, group) in METHODS {
                let answer = call(&server.wire, path, &token).await;
                let what = format!("{one:?} and {other:?} on {path}");
                let allowed = group.allows(*one) || group.allows(*other);
                if allowed { assert_allowed(&answer, &what) } else { assert_forbidden(&answer, &what) }
            }
        }
    }
}

#[tokio::test]
async fn bound_to_locations_nothing_of_the_whole_partner() {
    let server = server().await;
    for role in ROLES {
        let request = TokenRequest {
            subject: "ada".into(),
            roles: vec![role],
            partner: "contoso".into(),
            locations: vec!["L1".into()],
            ..TokenRequest::default()
        };
        let token = server.issuer.mint(&request).unwrap();
        for (path, group) in METHODS {
            let answer = call(&server.wire, path, &token).await;
            let what = format!("{role:?} bound to a location on {path}");
            let allowed = group.allows(role) && !WHOLE_PARTNER.contains(path);
            if allowed { assert_allowed(&answer, &what) } else { assert_forbidden(&answer, &what) }
        }
    }
}

#[tokio::test]
async fn without_a_role_nothing() {
    let server = server().await;
    let token = token(&server.issuer, &[]);
    for (path, _) in METHODS {
        assert_forbidden(&call(&server.wire, path, &token).await, path);
    }
}

#[tokio::test]
async fn without_a_token_nothing() {
    let server = server().await;
    for (path, _) in METHODS {
        for headers in [&[][..], &[("authorization", "Bearer nonsense")], &[("authorization", "")]] {
            let answer = server.wire.call(path, headers, EMPTY).await.unwrap();
            assert_eq!(answer.code(), Code::Unauthenticated, "{path}");
            assert_eq!(answer.status.unwrap().message(), insights_access::UNAUTHENTICATED_TEXT);
        }
    }
}

#[tokio::test]
async fn services_have_their_own_methods_and_no_others() {
    let server = server().await;
    for service in ["ingestion", "metrics", "reporting"] {
        let token = server.issuer.mint_service(service).unwrap();
        for (path, group) in METHODS {
            let answer = call(&server.wire, path, &token).await;
            let what = format!("{service} on {path}");
            if *group != Group::Services {
                assert_forbidden(&answer, &what);
            } else if answer.code() == Code::Unauthenticated {
                // It passed the layer and named no caller; a handler that needs one says so.
                assert!(!path.contains("ChangeFeed"), "{what}: {answer:?}");
            } else {
                assert_allowed(&answer, &what);
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_comes_before_the_message_is_read() {
    let server = server().await;
    let bearer = format!("Bearer {}", token(&server.issuer, &[Role::DataSource]));
    let mut first = None;
    for body in
        [EMPTY.to_vec(), vec![], b"\0\0\0\0\x03\xff\xff\xff".to_vec(), vec![1, 0, 0, 0, 1], vec![0xff; 2_000_000]]
    {
        let path = "/insights.reporting.v1.ReportingService/GetCustomersDashboard";
        let answer = server.wire.call(path, &[("authorization", &bearer)], &body).await.unwrap();
        assert_forbidden(&answer, "whatever is sent");
        let mut headers = answer.headers.clone();
        headers.remove("x-request-id");
        headers.remove("date");
        let same = first.get_or_insert_with(|| headers.clone());
        assert_eq!(*same, headers, "a refusal says nothing about what was asked");
    }
}

#[tokio::test]
async fn without_an_option_nobody_may_call() {
    // Reads the descriptors through types without our options, so that every method looks as if its option were forgotten.
    let forgotten = prost_types::FileDescriptorSet::decode(insights_proto::DESCRIPTOR_SET).unwrap().encode_to_vec();
    let policy = Policy::read(&forgotten).unwrap();
    assert!(policy.methods().all(|(_, method)| method.demand == Demand::Nobody));
    let server = SmallServer::start_under(&Small::default(), ServerConfig::default(), policy).await;
    let everybody = token(&server.issuer, &ROLES);
    let service = server.issuer.mint_service("metrics").unwrap();
    for (path, _) in METHODS {
        assert_forbidden(&call(&server.wire, path, &everybody).await, path);
        assert_forbidden(&call(&server.wire, path, &service).await, path);
        let nobody = server.wire.call(path, &[], EMPTY).await.unwrap();
        assert_eq!(nobody.code(), Code::Unauthenticated);
    }
}
