//! An identity provider as production has one: keys of its own, published over HTTP, tokens for people and for services.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use insights_access::{Clock, Role, role_name};
use serde_json::{Value, json};

use crate::Spec;

/// The `iss` of its tokens.
const ISSUER: &str = "https://login.test";

/// An issuer outside the product. Its server ends with the process.
#[derive(Clone)]
pub struct IdentityProvider {
    url: String,
    keys: Arc<Mutex<Vec<(String, EcdsaKeyPair)>>>,
    asked: Arc<AtomicUsize>,
}

impl IdentityProvider {
    /// An issuer with one key, publishing on a port of its own.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/keys", listener.local_addr().expect("an address"));
        let issuer = Self { url, keys: Arc::default(), asked: Arc::default() };
        issuer.rotate();
        let serving = issuer.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 4096];
                // One small request per connection, in one piece.
                let _ = stream.read(&mut request);
                serving.asked.fetch_add(1, Ordering::SeqCst);
                let body = serving.jwks().to_string();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
                let _ = write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len());
            }
        });
        issuer
    }

    /// Signs with a new key from now on and publishes both.
    pub fn rotate(&self) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let id = format!("key-{}", keys.len() + 1);
        keys.push((id, pair));
    }

    /// How often its keys were asked for.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A process's settings that believe this issuer.
    #[must_use]
    pub fn believed_by(&self, spec: Spec) -> Spec {
        spec.set("access.people.issuer", ISSUER)
            .set("access.people.keys", &self.url)
            .set("access.services.issuer", ISSUER)
            .set("access.services.keys", &self.url)
            .set("access.services.subjects", "ingestion,metrics,reporting")
            // Tests rotate keys within seconds.
            .set("access.people.min_refresh_seconds", 1)
            .set("access.services.min_refresh_seconds", 1)
    }

    /// A user token with these roles.
    pub fn person(&self, partner: &str, roles: &[Role], lifetime: Duration) -> String {
        let roles: Vec<_> = roles.iter().copied().map(role_name).collect();
        let mut claims = registered("ada", "insights", lifetime);
        claims["partner"] = json!(partner);
        claims["roles"] = json!(roles);
        self.sign("at+jwt", &claims)
    }

    /// A token of a service.
    pub fn service(&self, name: &str, lifetime: Duration) -> String {
        self.sign("svc+jwt", &registered(name, "insights-services", lifetime))
    }

    /// Writes a token of a service where the platform would: whole or not at all.
    pub fn write_service(&self, name: &str, lifetime: Duration, path: &Path) {
        let new = path.with_extension("new");
        crate::write_secret(&new, self.service(name, lifetime)).expect("the token's file");
        std::fs::rename(new, path).expect("the token's file");
    }

    fn sign(&self, kind: &str, claims: &Value) -> String {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, pair) = keys.last().expect("a key");
        let encode = |text: &Value| URL_SAFE_NO_PAD.encode(text.to_string());
        let message = format!("{}.{}", encode(&json!({"alg": "ES256", "typ": kind, "kid": id})), encode(claims));
        let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).expect("a signature");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn jwks(&self) -> Value {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let public = |(id, pair): &(String, EcdsaKeyPair)| {
            // Uncompressed point: 4, then 32 bytes of x and of y.
            let point = pair.public_key().as_ref();
            let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
            json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": id, "x": x, "y": y})
        };
        json!({"keys": keys.iter().map(public).collect::<Vec<_>>()})
    }
}

fn registered(subject: &str, audience: &str, lifetime: Duration) -> Value {
    let now = Clock::system().now().timestamp();
    json!({"iss": ISSUER, "aud": audience, "sub": subject, "iat": now, "nbf": now, "exp": now + lifetime.as_secs().cast_signed()})
}
