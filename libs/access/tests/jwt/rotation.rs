//! Keys that change, disappear and are asked for too often.

use std::time::Duration;

use base64::{
    Engine,
    engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD},
};
use insights_testkit::keys::Key;
use insights_testkit::until;
use serde_json::{Value, json};
use tonic::Code;

use crate::server::{Server, good, with};

#[tokio::test]
async fn keys_rotate_without_a_restart() {
    let (old, new) = (Key::ec("old"), Key::rsa("new"));
    let server = Server::start(&[&old]).await;
    server.passes("the old key", &old.sign(&good())).await;
    server.issuer.publish(&[&old, &new]);
    server.refuses("the new key, within the interval", &new.sign(&good())).await;
    server.advance(30);
    server.passes("the new key", &new.sign(&good())).await;
    server.passes("the old key still", &old.sign(&good())).await;
    assert_eq!(server.fetches(), 2);
}

#[tokio::test]
async fn a_withdrawn_key_ends_its_tokens_even_remembered_ones() {
    let (stolen, new) = (Key::ec("stolen"), Key::ec("new"));
    let server = Server::start(&[&stolen, &new]).await;
    let remembered = stolen.sign(&good());
    server.passes("before", &remembered).await;
    server.issuer.publish(&[&new]);
    // Older than refresh_seconds: fetched behind the next call's back.
    server.advance(300);
    let _ = server.call(&new.sign(&good())).await;
    let ended = async || server.call(&remembered).await.code() == Code::Unauthenticated;
    until("tokens of the withdrawn key end", ended).await;
    server.passes("the other key", &new.sign(&good())).await;
}

#[tokio::test]
async fn a_changed_key_under_the_same_id_ends_remembered_tokens() {
    let (before, after) = (Key::ec("k"), Key::ec("k"));
    let server = Server::start(&[&before]).await;
    let remembered = before.sign(&good());
    server.passes("before", &remembered).await;
    server.issuer.publish(&[&after]);
    server.advance(30);
    server.refuses("an unknown id makes us look", &Key::ec("other").sign(&good())).await;
    server.refuses("the old key's token", &remembered).await;
    server.passes("the new key's", &after.sign(&good())).await;
}

#[tokio::test]
async fn a_flood_of_unknown_ids_asks_once_per_interval() {
    let key = Key::ec("k");
    let server = Server::start(&[&key]).await;
    server.passes("a good one", &key.sign(&good())).await;
    assert_eq!(server.fetches(), 1);
    let flood = async |round: usize| {
        // As many at once as one address may make.
        let calls = (0..100).map(|number| {
            let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": format!("{round}-{number}")}).to_string();
            let token = key.sign_text(&header, &good().to_string());
            let server = &server;
            async move { server.refuses("unknown id", &token).await }
        });
        futures::future::join_all(calls).await;
    };
    flood(0).await;
    assert_eq!(server.fetches(), 1, "within the interval of the first fetch");
    for round in 1..4 {
        server.advance(30);
        flood(round).await;
        assert_eq!(server.fetches(), 1 + round as u64);
        server.passes("good ones pass meanwhile", &key.sign(&good())).await;
    }
}

#[tokio::test]
async fn worn_out_tokens_cost_no_fetch() {
    let key = Key::ec("k");
    let server = Server::start(&[&key]).await;
    for claims in
        [with(json!({"exp": 1, "nbf": 0})), with(json!({"aud": "other"})), with(json!({"iss": "https://evil.test"}))]
    {
        server.refuses("before any key is known", &key.sign(&claims)).await;
    }
    assert_eq!(server.fetches(), 0);
}

#[tokio::test]
async fn without_the_issuer_the_last_good_keys_serve_for_a_bounded_time() {
    let key = Key::ec("k");
    let server = Server::start(&[&key]).await;
    let token = key.sign(&with(json!({"exp": 4_000_000_000_i64})));
    server.passes("while it is there", &token).await;
    *server.issuer.down.lock().unwrap() = true;
    server.advance(3600);
    server.passes("an hour later", &token).await;
    server.passes("a token not seen before", &key.sign(&with(json!({"exp": 4_000_000_000_i64, "sub": "bob"})))).await;
    server.refuses("a foreign key", &Key::ec("x").sign(&with(json!({"exp": 4_000_000_000_i64})))).await;
    server.advance(24 * 3600 - 3600);
    server.passes("a day later, to the second", &token).await;
    server.advance(1);
    let answer = server.call(&token).await;
    assert_eq!(answer.code(), Code::Unavailable, "nobody can say any more: {answer:?}");
    let details = tonic_types::StatusExt::get_error_details(answer.status.as_ref().unwrap());
    assert!(details.retry_info().is_some());
    *server.issuer.down.lock().unwrap() = false;
    server.advance(30);
    server.passes("it is back", &token).await;
}

#[tokio::test]
async fn an_answer_that_is_no_jwks_changes_nothing() {
    let key = Key::ec("k");
    let server = Server::start(&[&key]).await;
    server.passes("before", &key.sign(&good())).await;
    let many = vec![key.jwk(); 101];
    for text in [
        "",
        "{}",
        "<html>",
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"EC"}]}"#,
        &json!({"keys": many}).to_string(),
        &" ".repeat(2 << 20),
    ] {
        *server.issuer.jwks.lock().unwrap() = text.to_owned();
        server.advance(30);
        server.refuses("a new id makes us look", &Key::ec("x").sign(&good())).await;
        server.passes("the key known", &key.sign(&good())).await;
    }
}

#[tokio::test]
async fn weak_and_foreign_keys_are_skipped() {
    let key = Key::ec("good");
    let server = Server::start(&[&key]).await;
    let mut encryption = Key::ec("enc").jwk();
    encryption["use"] = json!("enc");
    let signer = Key::ec("sign-only");
    let mut sign_only = signer.jwk();
    sign_only["key_ops"] = json!(["sign"]);
    let misnamed = Key::ec("misnamed");
    let mut as_rsa = misnamed.jwk();
    as_rsa["alg"] = json!("RS256");
    let short = json!({"kty": "RSA", "kid": "short", "n": "w".repeat(171), "e": "AQAB"});
    *server.issuer.jwks.lock().unwrap() =
        json!({"keys": [encryption, sign_only, as_rsa, short, 7, key.jwk()]}).to_string();
    server.passes("the good one", &key.sign(&good())).await;
    for skipped in [&signer, &misnamed] {
        server.refuses(&skipped.id, &skipped.sign(&good())).await;
    }
}

#[tokio::test]
async fn a_key_without_algorithm_is_pinned_all_the_same() {
    let key = Key::rsa("entra");
    let server = Server::start(&[&key]).await;
    let mut jwk = key.jwk();
    jwk.as_object_mut().unwrap().remove("alg");
    *server.issuer.jwks.lock().unwrap() = json!({"keys": [jwk]}).to_string();
    server.passes("RS256", &key.sign(&good())).await;
    let header = r#"{"alg":"PS256","typ":"at+jwt","kid":"entra"}"#;
    server.refuses("PS256", &key.sign_with("PS256", header, &good().to_string())).await;
}

#[tokio::test]
async fn who_hangs_up_does_not_keep_new_keys_away() {
    let (old, new) = (Key::ec("old"), Key::ec("new"));
    let server = Server::start(&[&old]).await;
    server.passes("the old key", &old.sign(&good())).await;
    server.issuer.publish(&[&new]);
    let held = server.issuer.held.lock().await;
    server.advance(30);
    let token = Key::ec("unknown").sign(&good());
    tokio::select! {
        _ = server.verifier.identify(&token) => panic!("the issuer has not answered"),
        () = until("the fetch", async || server.fetches() == 2) => {}
    }
    drop(held);
    server.passes("the new key, by that very fetch", &new.sign(&good())).await;
    assert_eq!(server.fetches(), 2);
}

#[tokio::test]
async fn a_slow_issuer_is_asked_once_by_many() {
    let key = Key::ec("k");
    let server = Server::start(&[&key]).await;
    let held = server.issuer.held.lock().await;
    let token = key.sign(&good());
    let calls = (0..50).map(|_| server.passes("while the keys are on their way", &token));
    let answering = async {
        until("the first of them", async || server.fetches() == 1).await;
        // Time for the others to come.
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(held);
    };
    tokio::join!(futures::future::join_all(calls), answering);
    assert_eq!(server.fetches(), 1);
}

#[tokio::test]
async fn a_clock_set_back_does_not_keep_keys_away() {
    let (old, new) = (Key::ec("old"), Key::ec("new"));
    let server = Server::start(&[&old]).await;
    let forever = with(json!({"exp": 4_000_000_000_i64, "nbf": 1}));
    server.passes("the old key", &old.sign(&forever)).await;
    server.issuer.publish(&[&new]);
    server.advance(-3600);
    server.passes("the new key", &new.sign(&forever)).await;
}

#[tokio::test]
async fn several_keys_of_one_id_are_tried_each() {
    let (first, second, foreign) = (Key::ec("k"), Key::ec("k"), Key::ec("k"));
    let rsa = Key::rsa("k");
    let server = Server::start(&[&first, &second, &rsa]).await;
    for (what, key) in [("the first", &first), ("the second", &second), ("the one of another algorithm", &rsa)] {
        server.passes(what, &key.sign(&good())).await;
    }
    server.refuses("a foreign key of that id", &foreign.sign(&good())).await;
    let remembered = second.sign(&good());
    server.passes("before", &remembered).await;
    server.issuer.publish(&[&first]);
    server.advance(30);
    server.refuses("an unknown id makes us look", &Key::ec("other").sign(&good())).await;
    server.refuses("the second, once it is withdrawn", &remembered).await;
    server.passes("the first still", &first.sign(&good())).await;
}

#[tokio::test]
async fn padded_values_and_leading_zeros_are_read() {
    let decode = |text: &Value| URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    for key in [Key::rsa("k"), Key::ec("k"), Key::ed("k")] {
        let server = Server::start(&[&key]).await;
        let mut padded = key.jwk();
        for name in ["n", "e", "x", "y"] {
            if let Some(value) = padded.get(name).map(decode) {
                padded[name] = json!(URL_SAFE.encode(value));
            }
        }
        assert!(padded.to_string().contains('='), "{padded}");
        *server.issuer.jwks.lock().unwrap() = json!({"keys": [padded]}).to_string();
        server.passes("padded", &key.sign(&good())).await;
    }
    let key = Key::rsa("k");
    let server = Server::start(&[&key]).await;
    let mut signed = key.jwk();
    signed["n"] = json!(URL_SAFE_NO_PAD.encode([&[0], decode(&signed["n"]).as_slice()].concat()));
    *server.issuer.jwks.lock().unwrap() = json!({"keys": [signed]}).to_string();
    server.passes("with the zero of a sign", &key.sign(&good())).await;
}
