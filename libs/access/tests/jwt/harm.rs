//! The harm without our guard: the same tokens, taken by a verifier with its library's defaults.

use insights_testkit::keys::{Key, encode, sign_hmac};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode};
use serde_json::{Value, json};

use crate::server::{Server, with};

fn far() -> i64 {
    i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap() + 100_000
}

fn takes(key: &Key, token: &str) -> bool {
    let jwk = serde_json::from_value(key.jwk()).unwrap();
    decode::<Value>(token, &DecodingKey::from_jwk(&jwk).unwrap(), &Validation::new(Algorithm::ES256)).is_ok()
}

#[tokio::test]
async fn the_defaults_take_what_we_refuse() {
    let key = Key::ec("k1");
    let server = Server::start(&[&key]).await;
    let header = |extra: &str| format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"k1"{extra}}}"#);
    let text = |claims: Value| claims.to_string();
    let none = json!(null);
    let cases = [
        ("no aud", header(""), text(with(json!({"aud": none, "exp": far()})))),
        ("no aud and no iss", header(""), text(with(json!({"aud": none, "iss": none, "exp": far()})))),
        ("nbf to come", header(""), text(with(json!({"aud": none, "nbf": far(), "exp": far() + 10})))),
        ("no nbf", header(""), text(with(json!({"aud": none, "nbf": none, "exp": far()})))),
        ("exp with a fraction", header(""), text(with(json!({"aud": none, "exp": far() as f64 + 0.5})))),
        ("exp beyond any date", header(""), text(with(json!({"aud": none, "exp": 18_446_744_073_709_551_615_u64})))),
        ("unknown crit", header(r#","crit":["future"],"future":1"#), text(with(json!({"aud": none, "exp": far()})))),
        ("another typ", header("").replace("at+jwt", "logout+jwt"), text(with(json!({"aud": none, "exp": far()})))),
        ("jku", header(r#","jku":"https://evil.test/jwks""#), text(with(json!({"aud": none, "exp": far()})))),
    ];
    for (what, header, claims) in cases {
        let token = key.sign_text(&header, &claims);
        assert!(takes(&key, &token), "the harm: {what} is taken by default");
        server.refuses(what, &token).await;
    }
}

#[tokio::test]
async fn a_verifier_that_believes_the_header_is_fooled() {
    let key = Key::ec("k1");
    let server = Server::start(&[&key]).await;
    let claims = with(json!({"exp": far(), "roles": ["global_admin"]})).to_string();
    let header = r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#;
    for public in key.public_texts() {
        let token = sign_hmac(&public, header, &claims);
        let mut believing = Validation::new(jsonwebtoken::decode_header(&token).unwrap().alg);
        believing.set_audience(&["insights"]);
        assert!(decode::<Value>(&token, &DecodingKey::from_secret(&public), &believing).is_ok(), "the harm");
        server.refuses("HS256 with the public key as secret", &token).await;
    }
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"ES256"}"#), encode(&claims));
    assert!(dangerous::insecure_decode::<Value>(&unsigned).is_ok(), "the harm: unsigned claims are read");
    server.refuses("no signature", &unsigned).await;
}

#[tokio::test]
async fn of_two_equal_keys_the_usual_reader_takes_one() {
    let key = Key::ec("k1");
    let server = Server::start(&[&key]).await;
    let good = with(json!({"aud": null, "exp": far()})).to_string();
    let twice = good.replace(r#""partner":"contoso""#, r#""partner":"contoso","partner":"fabrikam""#);
    let token = key.sign_text(&key.header(), &twice);
    let jwk = serde_json::from_value(key.jwk()).unwrap();
    let read =
        decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &Validation::new(Algorithm::ES256)).unwrap();
    assert_eq!(read.claims["partner"], "fabrikam", "the harm: the last one silently wins");
    server.refuses("the partner twice", &token).await;
}
