//! People and services do not pass for each other, and a named caller is verified again.

use insights_access::{CALLER_HEADER, Clock, Issuer, Outgoing, Role, ServiceTokens, TokenRequest, Verifier};
use insights_testkit::{
    keys::Key,
    wire::{Answer, EMPTY},
};
use serde_json::{Value, json};
use tonic::Code;

use crate::server::{BATCH_QUERY, Server, good, with};

fn service(key: &Key, changes: Value) -> String {
    let mut claims = with(json!({"aud": "insights-services", "sub": "reporting", "partner": null, "roles": null}));
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let header = json!({"alg": key.algorithm(), "typ": "svc+jwt", "kid": key.id}).to_string();
    key.sign_text(&header, &claims.to_string())
}

async fn call(server: &Server, token: &str, caller: &[&str]) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(caller.iter().map(|token| (CALLER_HEADER, *token)));
    server.wire.call(BATCH_QUERY, &headers, EMPTY).await.unwrap()
}

#[tokio::test]
async fn people_and_services_are_kept_apart() {
    let key = Key::ec("k");
    let server = Server::start(&[&key]).await;
    let ours = service(&key, json!({}));
    Server::assert_let_through(&call(&server, &ours, &[]).await, "a service");
    let admin = key.sign(&with(json!({"roles": ["global_admin"]})));
    assert_eq!(call(&server, &admin, &[]).await.code(), Code::PermissionDenied, "the greatest person is no service");
    assert_eq!(server.call(&ours).await.code(), Code::PermissionDenied, "a service is no person");
    let as_person = json!({"partner": "contoso", "roles": ["global_admin"]});
    assert_eq!(server.call(&service(&key, as_person)).await.code(), Code::PermissionDenied, "whatever it claims");
    // Each kind's type with the other's audience.
    let claims = with(json!({"aud": "insights-services", "sub": "reporting"}));
    Server::assert_refused(&call(&server, &key.sign(&claims), &[]).await, "a person's type");
    let header = json!({"alg": "ES256", "typ": "svc+jwt", "kid": "k"}).to_string();
    Server::assert_refused(&server.call(&key.sign_text(&header, &good().to_string())).await, "a service's type");
    let stranger = service(&key, json!({"sub": "somebody"}));
    Server::assert_refused(&call(&server, &stranger, &[]).await, "a service nobody named");
    let both = service(&key, json!({"aud": ["insights", "insights-services"]}));
    assert_eq!(server.call(&both).await.code(), Code::PermissionDenied, "for both means for services");
}

#[tokio::test]
async fn a_named_caller_is_verified_again() {
    let key = Key::ec("k");
    let server = Server::start(&[&key]).await;
    let ours = service(&key, json!({}));
    let person = key.sign(&good());
    Server::assert_let_through(&call(&server, &ours, &[&person]).await, "a good caller");
    for (what, caller) in [
        ("worn out", key.sign(&with(json!({"exp": 1, "nbf": 0})))),
        ("another's signature", Key::ec("k").sign(&good())),
        ("a service as caller", ours.clone()),
        ("no token", "ada".to_owned()),
        ("with a scheme", format!("Bearer {person}")),
    ] {
        Server::assert_refused(&call(&server, &ours, &[&caller]).await, what);
    }
    Server::assert_refused(&call(&server, &ours, &[&person, &person]).await, "two callers");
    assert_eq!(call(&server, &person, &[&person]).await.code(), Code::PermissionDenied, "a caller without a service");
}

#[tokio::test]
async fn the_local_issuer_and_outgoing_requests() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = std::sync::Arc::new(Issuer::open(folder.path()).unwrap());
    let verifier = Verifier::new(issuer.access_config(), Clock::system()).unwrap();
    let request = TokenRequest {
        roles: vec![Role::SalesAgent, Role::ReportViewer],
        partner: "contoso".into(),
        locations: vec!["L2".into(), "L1".into()],
        ..TokenRequest::default()
    };
    let token = issuer.mint(&request).unwrap();
    let person = verifier.person(&token).await.unwrap();
    assert_eq!((person.partner(), person.subject()), ("contoso", "sales_agent+report_viewer"));
    assert_eq!(person.locations().unwrap().len(), 2);
    assert!(!format!("{person:?}").contains(&token), "a token is not printed");
    let outgoing = Outgoing::new(ServiceTokens::local(issuer.clone(), "reporting", Clock::system()));
    let sent = outgoing.for_caller(&person, ()).unwrap();
    assert_eq!(sent.metadata().get(CALLER_HEADER).unwrap().to_str().unwrap(), token);
    let ours = sent.metadata().get("authorization").unwrap();
    assert!(ours.is_sensitive());
    let ours = ours.to_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert_eq!(verifier.service(ours).await.unwrap().name(), "reporting");
    assert!(verifier.person(ours).await.is_err());
    assert!(verifier.service(&token).await.is_err());
    assert!(outgoing.as_service(()).unwrap().metadata().get(CALLER_HEADER).is_none());
    // A second process with the same directory uses the same keys; another directory's are not believed.
    assert!(verifier.person(&Issuer::open(folder.path()).unwrap().mint(&request).unwrap()).await.is_ok());
    let other = tempfile::tempdir().unwrap();
    assert!(verifier.person(&Issuer::open(other.path()).unwrap().mint(&request).unwrap()).await.is_err());
    assert!(issuer.mint(&TokenRequest::default()).is_err(), "a token needs a partner");
}

#[tokio::test]
async fn the_local_issuer_rotates() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Issuer::open(folder.path()).unwrap();
    let seconds = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
    let reads = seconds.clone();
    let started = Clock::system().now();
    let clock =
        Clock::new(move || started + chrono::TimeDelta::seconds(reads.load(std::sync::atomic::Ordering::SeqCst)));
    let verifier = Verifier::new(issuer.access_config(), clock).unwrap();
    let request = TokenRequest { partner: "contoso".into(), ..TokenRequest::default() };
    let before = issuer.mint(&request).unwrap();
    verifier.person(&before).await.unwrap();
    issuer.rotate().unwrap();
    let after = issuer.mint(&request).unwrap();
    seconds.store(2, std::sync::atomic::Ordering::SeqCst);
    verifier.person(&after).await.unwrap();
    verifier.person(&before).await.unwrap();
    #[cfg(unix)]
    for entry in std::fs::read_dir(folder.path().join("issuer")).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
    }
}
