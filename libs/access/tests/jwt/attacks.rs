//! Attacks on header and signature. Each runs against keys of every kind.

use insights_testkit::keys::{Key, encode, sign_hmac};
use serde_json::json;
use tonic::Code;

use crate::server::{Server, WHO_AM_I, good};

fn keys() -> [Key; 3] {
    [Key::ec("ec"), Key::rsa("rsa"), Key::ed("ed")]
}

#[tokio::test]
async fn good_tokens_of_every_kind_pass() {
    let keys = keys();
    let server = Server::start(&keys.each_ref()).await;
    for key in &keys {
        server.passes(key.algorithm(), &key.sign(&good())).await;
        let plain = json!({"alg": key.algorithm(), "typ": "JWT", "kid": key.id, "x5t": "abc"}).to_string();
        server.passes("typ JWT", &key.sign_text(&plain, &good().to_string())).await;
        let full = plain.replace("JWT", "application/AT+jwt");
        server.passes("typ in full", &key.sign_text(&full, &good().to_string())).await;
    }
}

#[tokio::test]
async fn alg_none_in_any_case() {
    let keys = keys();
    let server = Server::start(&keys.each_ref()).await;
    for key in &keys {
        let signed = key.sign(&good());
        let signature = signed.rsplit('.').next().unwrap();
        for none in ["none", "None", "NONE", "nOnE", "", " none", "null"] {
            let header = encode(json!({"alg": none, "typ": "at+jwt", "kid": key.id}).to_string());
            for end in ["", signature, "AA"] {
                server.refuses(none, &format!("{header}.{}.{end}", encode(good().to_string()))).await;
            }
        }
        for alg in [r#""alg":null"#, r#""alg":["none"]"#, r#""alg":0"#, r#""x":1"#] {
            let header = format!(r#"{{{alg},"typ":"at+jwt","kid":"{}"}}"#, key.id);
            server.refuses(alg, &key.sign_text(&header, &good().to_string())).await;
        }
    }
}

#[tokio::test]
async fn public_key_as_shared_secret() {
    let keys = keys();
    let server = Server::start(&keys.each_ref()).await;
    for key in &keys {
        for secret in key.public_texts() {
            for alg in ["HS256", "HS384", "HS512"] {
                let header = json!({"alg": alg, "typ": "at+jwt", "kid": key.id}).to_string();
                server.refuses(alg, &sign_hmac(&secret, &header, &good().to_string())).await;
            }
        }
    }
}

#[tokio::test]
async fn a_published_shared_secret_is_no_key() {
    let key = Key::ec("ec");
    let server = Server::start(&[&key]).await;
    let oct = json!({"kty": "oct", "kid": "oct", "alg": "HS256", "k": encode("secret")});
    *server.issuer.jwks.lock().unwrap() = json!({"keys": [oct, key.jwk()]}).to_string();
    let header = r#"{"alg":"HS256","typ":"at+jwt","kid":"oct"}"#;
    server.refuses("oct key", &sign_hmac(b"secret", header, &good().to_string())).await;
    server.passes("the other key", &key.sign(&good())).await;
}

#[tokio::test]
async fn the_algorithm_is_the_keys_not_the_tokens() {
    let keys = keys();
    let server = Server::start(&keys.each_ref()).await;
    let rsa = &keys[1];
    // A correct signature by the same key with the other padding, or another digest.
    for alg in ["PS256", "RS384"] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": "rsa"}).to_string();
        server.refuses(alg, &rsa.sign_with(alg, &header, &good().to_string())).await;
        // The header says what is pinned, the signature is the other.
        server.refuses(alg, &rsa.sign_with(alg, &rsa.header(), &good().to_string())).await;
    }
    // Each key under each other's name.
    for signer in &keys {
        for named in &keys {
            let header = json!({"alg": signer.algorithm(), "typ": "at+jwt", "kid": named.id}).to_string();
            let answer = server.call(&signer.sign_text(&header, &good().to_string())).await;
            if signer.id == named.id {
                Server::assert_let_through(&answer, "its own key");
            } else {
                Server::assert_refused(&answer, "another key's name");
            }
        }
    }
}

#[tokio::test]
async fn signatures_that_are_none() {
    let keys = keys();
    let server = Server::start(&keys.each_ref()).await;
    for key in &keys {
        let token = key.sign(&good());
        let (message, signature) = token.rsplit_once('.').unwrap();
        let zeros = |count: usize| format!("{message}.{}", encode(vec![0; count]));
        let mut flipped = signature.as_bytes().to_vec();
        flipped[5] = if flipped[5] == b'A' { b'B' } else { b'A' };
        let order = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
        let order: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&order[at * 2..at * 2 + 2], 16).unwrap()).collect();
        let cases = [
            ("no signature", format!("{message}.")),
            ("two parts", message.to_owned()),
            ("four parts", format!("{token}.{signature}")),
            ("64 zeros (r = s = 0)", zeros(64)),
            ("r = s = the order", format!("{message}.{}", encode([order.clone(), order].concat()))),
            ("256 zeros", zeros(256)),
            ("70 zeros", zeros(70)),
            ("one character changed", format!("{message}.{}", String::from_utf8(flipped).unwrap())),
            ("cut short", token[..token.len() - 4].to_owned()),
            ("padded", format!("{token}==")),
            ("of another token", {
                let other = key.sign(&crate::server::with(json!({"roles": ["global_admin"]})));
                format!("{message}.{}", other.rsplit('.').next().unwrap())
            }),
            ("claims changed", {
                let admin = crate::server::with(json!({"roles": ["global_admin"]}));
                format!("{}.{}.{signature}", encode(key.header()), encode(admin.to_string()))
            }),
        ];
        for (what, token) in cases {
            server.refuses(what, &token).await;
        }
    }
}

#[tokio::test]
async fn keys_brought_along() {
    let (key, evil) = (Key::ec("ec"), Key::ec("ec"));
    let server = Server::start(&[&key]).await;
    let url = format!("http://{}/evil", "127.0.0.1:9");
    for (name, value) in [
        ("jwk", evil.jwk()),
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
    ] {
        let mut header: serde_json::Value = serde_json::from_str(&key.header()).unwrap();
        header[name] = value;
        let header = header.to_string();
        server.refuses(name, &evil.sign_text(&header, &good().to_string())).await;
        server.refuses(name, &key.sign_text(&header, &good().to_string())).await;
    }
    server.refuses("another's key under the same id", &evil.sign(&good())).await;
}

#[tokio::test]
async fn odd_headers() {
    let key = Key::ec("ec");
    let server = Server::start(&[&key]).await;
    let claims = good().to_string();
    for header in [
        r#"{"alg":"ES256","typ":"at+jwt"}"#,
        r#"{"alg":"ES256","typ":"at+jwt","kid":""}"#,
        r#"{"alg":"ES256","typ":"at+jwt","kid":7}"#,
        r#"{"alg":"ES256","typ":"at+jwt","kid":"../../ec"}"#,
        r#"{"alg":"ES256","typ":"at+jwt","kid":"ec","kid":"ec"}"#,
        r#"{"alg":"ES256","alg":"none","typ":"at+jwt","kid":"ec"}"#,
        r#"{"alg":"ES256","kid":"ec"}"#,
        r#"{"alg":"ES256","typ":"svc+jwt","kid":"ec"}"#,
        r#"{"alg":"ES256","typ":"logout+jwt","kid":"ec"}"#,
        r#"{"alg":"ES256","typ":1,"kid":"ec"}"#,
        r#"{"alg":"es256","typ":"at+jwt","kid":"ec"}"#,
        r#"["ES256"]"#,
        "",
        "ES256",
    ] {
        server.refuses(header, &key.sign_text(header, &claims)).await;
    }
    for token in ["", ".", "..", "...", "a.b.c", "e30.e30.e30", "\u{7f}"] {
        let answer = server.wire.call(WHO_AM_I, &[("authorization", &format!("Bearer {token}"))], b"\0\0\0\0\0").await;
        if let Ok(answer) = answer {
            Server::assert_refused(&answer, token);
        }
    }
}

#[tokio::test]
async fn the_authorization_header_stands_once() {
    let key = Key::ec("ec");
    let server = Server::start(&[&key]).await;
    let token = key.sign(&good());
    let bearer = format!("Bearer {token}");
    let call = async |headers: &[(&str, &str)]| server.wire.call(WHO_AM_I, headers, b"\0\0\0\0\0").await.unwrap();
    Server::assert_let_through(&call(&[("authorization", &format!("bearer {token}"))]).await, "any case of the scheme");
    for headers in [
        &[][..],
        &[("authorization", token.as_str())],
        &[("authorization", &format!("Basic {token}"))],
        &[("authorization", &bearer), ("authorization", &bearer)],
        &[("x-insights-caller", &token)],
        &[("cookie", &format!("authorization={bearer}"))],
    ] {
        Server::assert_refused(&call(headers).await, &format!("{headers:?}"));
    }
}

#[tokio::test]
async fn long_tokens() {
    let key = Key::ec("ec");
    let server = Server::start(&[&key]).await;
    let sized = |bytes: usize| {
        let mut claims = good();
        claims["pad"] = json!("");
        let spare = bytes - key.sign(&claims).len();
        claims["pad"] = json!("x".repeat(spare / 4 * 3));
        let mut token = key.sign(&claims);
        while token.len() < bytes {
            let pad = claims["pad"].as_str().unwrap().len() + 1;
            claims["pad"] = json!("x".repeat(pad));
            token = key.sign(&claims);
        }
        token
    };
    let limit = 16 * 1024;
    // base64 of the claims skips one length in four; the ones at and just beyond the limit exist for one of these.
    let (at, over) = (sized(limit - 2), sized(limit + 1));
    assert!(at.len() <= limit && over.len() > limit && over.len() <= limit + 3, "{} {}", at.len(), over.len());
    server.passes("at the limit", &at).await;
    server.refuses("over the limit", &over).await;
    // A megabyte does not get as far as the token: the connection's header limit ends the request.
    let answer = server.wire.with_token(WHO_AM_I, &"x".repeat(1024 * 1024)).await;
    assert!(answer.is_err_and(|_| true) || server.fetches() <= 1);
    let huge_header = format!("{}.e30.AA", encode(vec![b' '; 1024 * 1024]));
    if let Ok(answer) = server.wire.with_token(WHO_AM_I, &huge_header).await {
        assert_ne!(answer.code(), Code::Unimplemented);
    }
    server.passes("the server lives on", &key.sign(&good())).await;
}
