//! Tokens as the identity providers in use send them, believed with the settings the documentation gives.

use std::{fs, path::Path};

use chrono::DateTime;
use insights_access::{AccessConfig, Clock, Principal, Verifier};
use insights_testkit::keys::Key;
use serde_json::{Value, json};

use crate::server::{NOW, Server, good};

/// The documented settings with the provider's keys in a file; everything else as documented.
async fn believed(provider: &str, header: Value, claims: Value) -> Principal {
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers");
    let text = fs::read_to_string(documents.join(provider).with_extension("toml")).unwrap();
    let mut config =
        insights_service::load::<AccessConfig>(&text).unwrap_or_else(|faults| panic!("{provider}: {faults}"));
    let folder = tempfile::tempdir().unwrap();
    let key = Key::rsa("key-1");
    let mut jwk = key.jwk();
    // Entra ID publishes keys without `alg`.
    jwk.as_object_mut().unwrap().remove("alg");
    let file = folder.path().join("jwks.json");
    fs::write(&file, json!({ "keys": [jwk] }).to_string()).unwrap();
    config.people.keys = file.display().to_string();
    insights_service::install_crypto();
    let verifier = Verifier::new(config, Clock::fixed(DateTime::from_timestamp(NOW, 0).unwrap())).unwrap();
    let token = key.sign_text(&header.to_string(), &claims.to_string());
    let person = verifier.person(&token).await.unwrap_or_else(|refusal| panic!("{provider}: {refusal}"));
    Principal::clone(&person)
}

#[tokio::test]
async fn entra_id() {
    let tenant = "72f988bf-0000-0000-0000-2d7cd011db47";
    let person = believed(
        "entra-id",
        json!({"typ": "JWT", "alg": "RS256", "x5t": "nOo3ZDrODXEK1jKWhXslHR_KXEg", "kid": "key-1"}),
        json!({
            "aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
            "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            "iat": NOW - 100, "nbf": NOW - 100, "exp": NOW + 3600,
            "aio": "AXQAi/8IAAAA", "azp": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "azpacr": "0",
            "name": "Ada Lovelace", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "preferred_username": "ada@example.com", "rh": "I", "scp": "access_as_user",
            "roles": ["Insights.ReportViewer", "Other.App"], "sub": "HKZpfaHyWadeOouYlitjrI",
            "tid": tenant, "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "2.0",
            "extn.insights_locations": ["L1"],
        }),
    )
    .await;
    assert_eq!((person.partner(), format!("{:?}", person.roles())), (tenant, r#"{"report_viewer"}"#.into()));
    assert!(person.locations().unwrap().contains("L1"));
}

#[tokio::test]
async fn keycloak() {
    let person = believed(
        "keycloak",
        json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"}),
        json!({
            "exp": NOW + 300, "iat": NOW, "auth_time": NOW - 5, "jti": "onrtac:7c1b",
            "iss": "https://keycloak.example.com/realms/partners", "aud": ["insights", "account"],
            "sub": "f7f6c9d1-8c3e-4f0e-9b55-0d3c1f0c7b11", "typ": "Bearer", "azp": "page", "sid": "b2b1", "acr": "1",
            "realm_access": {"roles": ["offline_access", "insights-admin", "uma_authorization"]},
            "resource_access": {"account": {"roles": ["manage-account"]}}, "scope": "openid profile",
            "partner": "contoso", "email_verified": true, "preferred_username": "ada",
        }),
    )
    .await;
    assert_eq!((person.partner(), format!("{:?}", person.roles())), ("contoso", r#"{"global_admin"}"#.into()));
    assert!(person.locations().is_none());
}

#[tokio::test]
async fn auth0() {
    let person = believed(
        "auth0",
        json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"}),
        json!({
            "https://insights.example.com/partner": "contoso",
            "https://insights.example.com/roles": ["sales_agent"],
            "iss": "https://partners.eu.auth0.com/", "sub": "auth0|65b1",
            "aud": ["https://insights.example.com", "https://partners.eu.auth0.com/userinfo"],
            "iat": NOW, "exp": NOW + 86_400, "scope": "openid", "azp": "client",
        }),
    )
    .await;
    assert_eq!((person.partner(), format!("{:?}", person.roles())), ("contoso", r#"{"sales_agent"}"#.into()));
}

#[tokio::test]
async fn dex() {
    let person = believed(
        "dex",
        json!({"alg": "RS256", "kid": "key-1"}),
        json!({
            "iss": "https://dex.example.com", "sub": "CgcyMzQyNzQ5EgZnaXRodWI", "aud": "insights",
            "exp": NOW + 3600, "iat": NOW, "at_hash": "LgYrSxQbU", "email": "ada@example.com", "email_verified": true,
            "groups": ["insights:executives", "engineering"], "name": "Ada",
            "federated_claims": {"connector_id": "contoso", "user_id": "2342749"},
        }),
    )
    .await;
    assert_eq!(
        (person.partner(), format!("{:?}", person.roles())),
        ("contoso", r#"{"executive_report_viewer"}"#.into())
    );
}

/// The blocks of settings in the operator's guide that say whom to believe.
fn samples() -> Vec<AccessConfig> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/README.md");
    let guide = fs::read_to_string(guide).unwrap();
    let blocks = guide.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let tables = blocks.map(|block| block.parse::<toml::Table>().unwrap_or_else(|error| panic!("{block}: {error}")));
    let access = tables.filter_map(|mut table| table.remove("access"));
    let load = |access: toml::Value| insights_service::load(&toml::to_string(&access).unwrap());
    access.map(|access| load(access).unwrap_or_else(|faults| panic!("{faults}"))).collect()
}

/// A projected service account token: the API server writes no `typ`.
fn service_account(key: &Key, subject: &str, issuer: &str) -> String {
    let claims = json!({
        "aud": ["insights-services"], "exp": NOW + 600, "iat": NOW, "nbf": NOW, "iss": issuer, "jti": "5c3b",
        "kubernetes.io": {"namespace": "insights", "node": {"name": "n1"}, "pod": {"name": "metrics-0", "uid": "u"},
            "serviceaccount": {"name": "metrics", "uid": "u"}},
        "sub": subject,
    });
    key.sign_text(&json!({"alg": "RS256", "kid": "key-1"}).to_string(), &claims.to_string())
}

#[tokio::test]
async fn every_sample_of_the_guide_takes_service_account_tokens() {
    insights_service::install_crypto();
    let folder = tempfile::tempdir().unwrap();
    let key = Key::rsa("key-1");
    let file = folder.path().join("jwks.json");
    fs::write(&file, json!({ "keys": [key.jwk()] }).to_string()).unwrap();
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers");
    let providers = fs::read_dir(documents).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let providers = providers.map(|text| insights_service::load::<AccessConfig>(&text).unwrap());
    let samples: Vec<AccessConfig> = samples().into_iter().chain(providers).collect();
    assert!(samples.len() >= 6, "two of the guide, four of providers: {}", samples.len());
    for mut config in samples {
        let services = &mut config.services;
        if services.keys.starts_with("https://kubernetes") {
            assert!(!services.keys_token_file.is_empty(), "the API server answers nobody without a token");
        }
        services.keys = file.display().to_string();
        (services.ca_file, services.keys_token_file) = (String::new(), String::new());
        let tokens: Vec<String> =
            services.subjects.iter().map(|subject| service_account(&key, subject, &services.issuer)).collect();
        let verifier = Verifier::new(config, Clock::fixed(DateTime::from_timestamp(NOW, 0).unwrap())).unwrap();
        for token in tokens {
            verifier.service(&token).await.unwrap();
        }
    }
}

#[tokio::test]
async fn keys_are_asked_for_with_a_token_where_one_is_wanted() {
    let key = Key::ec("k");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let server = Server::start_with(&[&key], |config| config.people.keys_token_file = file.display().to_string()).await;
    *server.issuer.wanted.lock().unwrap() = Some("of-the-pod".into());
    let token = key.sign(&good());
    // There is no file yet, then a wrong one, then the right one: it is read for every fetch.
    for (text, fetches) in [(None, 0), (Some("another\n"), 1)] {
        if let Some(text) = text {
            fs::write(&file, text).unwrap();
        }
        server.advance(31);
        assert_eq!(server.call(&token).await.code(), tonic::Code::Unavailable);
        assert_eq!(server.fetches(), fetches);
    }
    assert!(server.verifier.ready().await.is_err());
    fs::write(&file, "of-the-pod\n").unwrap();
    server.advance(31);
    server.passes("keys fetched with the token", &token).await;
    *server.issuer.wanted.lock().unwrap() = None;
    server.advance(31);
    assert_eq!(server.verifier.ready().await, Ok(()), "the services' keys need no token");
}

#[test]
fn faulty_settings_are_all_reported() {
    let text = r#"
        leeway_seconds = 1000
        [people]
        issuer = "https://issuer.test"
        keys = "http://issuer.test/jwks"
        audience = "insights-services"
        unknown = 1
        [claims]
        roles = "roles"
        [role_map]
        boss = "king"
    "#;
    let faults = insights_service::load::<AccessConfig>(text).unwrap_err();
    let mut settings: Vec<_> = faults.0.iter().map(|fault| fault.setting.as_str()).collect();
    settings.sort_unstable();
    let expected = [
        "claims.roles",
        "leeway_seconds",
        "people.keys",
        "people.unknown",
        "role_map.boss",
        "services.audience",
        "services.issuer",
        "services.keys",
        "services.subjects",
    ];
    assert_eq!(settings, expected, "{faults}");
}
