//! Attacks on claims, signed correctly.

use insights_access::{ClaimPointers, Identity, Refusal};
use insights_testkit::keys::Key;
use serde_json::{Value, json};

use crate::server::{NOW, Server, good, with};

#[tokio::test]
async fn each_registered_claim_must_be_there_and_of_its_type() {
    let key = Key::ec("ec");
    let server = Server::start(&[&key]).await;
    for name in ["iss", "aud", "sub", "exp", "nbf", "partner"] {
        server.refuses(&format!("no {name}"), &key.sign(&with(json!({name: null})))).await;
        let null = good().to_string().replacen(&format!(r#""{name}":"#), &format!(r#""{name}":null,"not_{name}":"#), 1);
        server.refuses(&format!("{name} is null"), &key.sign_text(&key.header(), &null)).await;
    }
    let cases: &[(&str, Value)] = &[
        ("iss", json!("https://issuer.test/")),
        ("iss", json!("HTTPS://issuer.test")),
        ("iss", json!(["https://issuer.test"])),
        ("iss", json!("https://evil.test")),
        ("aud", json!("insights-other")),
        ("aud", json!("")),
        ("aud", json!([])),
        ("aud", json!(["other"])),
        ("aud", json!(["insights", 7])),
        ("aud", json!({"insights": true})),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!("x".repeat(257))),
        ("partner", json!("")),
        ("partner", json!(7)),
        ("partner", json!(["contoso"])),
        ("partner", json!("con\ntoso")),
        ("roles", json!(7)),
        ("roles", json!({"report_viewer": true})),
        ("roles", json!([["report_viewer"]])),
        ("locations", json!(7)),
        ("locations", json!([7])),
        ("locations", json!({})),
        ("locations", Value::String(String::new())),
    ];
    for (name, value) in cases {
        server.refuses(&format!("{name} {value}"), &key.sign(&with(json!({*name: value})))).await;
    }
    server.passes("aud among others", &key.sign(&with(json!({"aud": ["other", "insights"]})))).await;
}

#[tokio::test]
async fn times_are_numbers_that_are_dates() {
    let key = Key::ec("ec");
    let server = Server::start(&[&key]).await;
    for name in ["exp", "nbf"] {
        let good = if name == "exp" { NOW + 600 } else { NOW - 10 };
        for wrong in [
            format!("\"{good}\""),
            "1e300".into(),
            "-1".into(),
            "-0.5".into(),
            "253402300800.5".into(),
            "99999999999999".into(),
            "18446744073709551615".into(),
            "18446744073709551616".into(),
            "9223372036854775808".into(),
            "true".into(),
            "[1]".into(),
            "{}".into(),
        ] {
            let claims = with(json!({name: "HERE"})).to_string().replace("\"HERE\"", &wrong);
            server.refuses(&format!("{name} {wrong}"), &key.sign_text(&key.header(), &claims)).await;
        }
    }
}

#[tokio::test]
async fn times_may_have_fractions() {
    let key = Key::ec("ec");
    let server = Server::start_with(&[&key], |config| config.people.require_nbf = false).await;
    for name in ["exp", "nbf", "iat"] {
        let good = if name == "exp" { NOW + 600 } else { NOW - 10 };
        for number in [format!("{good}.0"), format!("{good}.5"), format!("{good}e0"), format!("{good}.999999999")] {
            let claims = with(json!({name: "HERE"})).to_string().replace("\"HERE\"", &number);
            server.passes(&format!("{name} {number}"), &key.sign_text(&key.header(), &claims)).await;
        }
    }
    // They are cut off: a token begins and ends with its second.
    let at = |exp: f64, nbf: f64| key.sign(&with(json!({"exp": exp, "nbf": nbf})));
    let now = 1_800_000_000.0;
    server.passes("ended 28.1 s ago", &at(now - 28.1, now - 600.0)).await;
    server.refuses("ended 29.5 s ago, within the second that is 30 ago", &at(now - 29.5, now - 600.0)).await;
    server.passes("begins in 30.9 s", &at(now + 600.0, now + 30.9)).await;
    server.refuses("begins in 31 s", &at(now + 600.0, now + 31.0)).await;
}

#[tokio::test]
async fn times_count_to_the_second() {
    let key = Key::ec("ec");
    let server = Server::start(&[&key]).await;
    // The leeway is 30 seconds.
    server.passes("ended 29 s ago", &key.sign(&with(json!({"exp": NOW - 29, "nbf": NOW - 600})))).await;
    server.refuses("ended 30 s ago", &key.sign(&with(json!({"exp": NOW - 30, "nbf": NOW - 600})))).await;
    server.passes("begins in 30 s", &key.sign(&with(json!({"nbf": NOW + 30})))).await;
    server.refuses("begins in 31 s", &key.sign(&with(json!({"nbf": NOW + 31})))).await;
    server.refuses("ends before it begins", &key.sign(&with(json!({"nbf": NOW, "exp": NOW})))).await;
    // A remembered token ends when it ends.
    let token = key.sign(&good());
    server.passes("now", &token).await;
    server.advance(629);
    server.passes("within the leeway", &token).await;
    server.advance(1);
    server.refuses("past the leeway", &token).await;
}

#[tokio::test]
async fn a_key_stands_once() {
    let key = Key::ec("ec");
    let server = Server::start(&[&key]).await;
    let good = good().to_string();
    for (once, twice) in [
        (r#""partner":"contoso""#, r#""partner":"contoso","partner":"contoso""#),
        (r#""partner":"contoso""#, r#""partner":"fabrikam","p\u0061rtner":"contoso""#),
        (r#""sub":"ada""#, r#""sub":"ada","x":{"y":1,"y":2}"#),
        (r#""roles":["report_viewer"]"#, r#""roles":["report_viewer"],"roles":["global_admin"]"#),
    ] {
        assert!(good.contains(once));
        server.refuses(twice, &key.sign_text(&key.header(), &good.replace(once, twice))).await;
    }
    for claims in [format!("{good} x"), format!("[{good}]"), "null".into(), format!("{good}{good}"), "{".repeat(5000)] {
        server.refuses("no JSON object", &key.sign_text(&key.header(), &claims)).await;
    }
    let invalid = good.replace("ada", "ad\u{fffd}").into_bytes();
    let invalid: Vec<u8> = invalid.split(|byte| *byte == 0xef).flatten().copied().collect();
    assert!(std::str::from_utf8(&invalid).is_err());
    let broken = unsafe_free_sign(&key, &invalid);
    server.refuses("invalid UTF-8", &broken).await;
}

/// Signs bytes that are no text.
fn unsafe_free_sign(key: &Key, claims: &[u8]) -> String {
    let pair = aws_lc_rs::signature::EcdsaKeyPair::from_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &key.private(),
    );
    let message =
        format!("{}.{}", insights_testkit::keys::encode(key.header()), insights_testkit::keys::encode(claims));
    let signature = pair.unwrap().sign(&aws_lc_rs::rand::SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", insights_testkit::keys::encode(signature))
}

#[tokio::test]
async fn unknown_roles_carry_no_rights() {
    let key = Key::ec("ec");
    let server = Server::start(&[&key]).await;
    for roles in [
        json!([]),
        json!(["root"]),
        json!(["GLOBAL_ADMIN"]),
        json!(["ROLE_GLOBAL_ADMIN"]),
        json!(["unspecified", "1", "global_admin "]),
        Value::Null,
    ] {
        let answer = server.call(&key.sign(&with(json!({"roles": roles})))).await;
        assert_eq!(answer.code(), tonic::Code::PermissionDenied, "{roles}");
    }
    server.passes("one known among unknown", &key.sign(&with(json!({"roles": ["root", "report_viewer"]})))).await;
}

#[tokio::test]
async fn claims_are_found_where_the_configuration_says() {
    let key = Key::ec("ec");
    // As Keycloak nests them and Auth0 names them.
    let server = Server::start_with(&[&key], |config| {
        config.claims = ClaimPointers {
            partner: "/https:~1~1insights.test~1partner".into(),
            roles: "/realm_access/roles".into(),
            locations: "/where/sites".into(),
        };
        config.role_map = [("insights-viewer", "report_viewer"), ("boss", "global_admin")]
            .map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned()))
            .into();
    })
    .await;
    let claims = with(json!({
        "partner": null,
        "https://insights.test/partner": "contoso",
        "roles": ["boss"],
        "realm_access": {"roles": ["insights-viewer", "global_admin", "offline_access"]},
        "where": {"sites": ["L1", "L2"]},
    }));
    let Identity::Person(person) = server.verifier.identify(&key.sign(&claims)).await.unwrap() else {
        panic!("a service?")
    };
    assert_eq!(person.partner(), "contoso");
    assert_eq!(format!("{:?}", person.roles()), r#"{"report_viewer"}"#, "only mapped names count once there is a map");
    assert_eq!(person.locations().unwrap().iter().collect::<Vec<_>>(), ["L1", "L2"]);
    let refused = server.verifier.identify(&key.sign(&good())).await.unwrap_err();
    assert_eq!(refused, Refusal::Claims, "the partner where it used to be is nobody's");
}

#[tokio::test]
async fn nobody_is_bound_to_less_by_an_empty_list() {
    let key = Key::ec("ec");
    let server = Server::start(&[&key]).await;
    let person = async |locations: Value| {
        let token = key.sign(&with(json!({"locations": locations})));
        server.verifier.person(&token).await.unwrap()
    };
    assert!(person(Value::Null).await.locations().is_none());
    assert!(person(json!([])).await.locations().unwrap().is_empty());
    assert_eq!(person(json!("L1")).await.locations().unwrap().len(), 1);
}

#[tokio::test]
async fn issuers_without_nbf_are_a_setting() {
    let key = Key::ec("ec");
    let server = Server::start_with(&[&key], |config| config.people.require_nbf = false).await;
    server.passes("iat instead", &key.sign(&with(json!({"nbf": null})))).await;
    server.refuses("neither", &key.sign(&with(json!({"nbf": null, "iat": null})))).await;
    server.refuses("iat to come", &key.sign(&with(json!({"nbf": null, "iat": NOW + 100})))).await;
    server.refuses("nbf still counts", &key.sign(&with(json!({"nbf": NOW + 100})))).await;
}
