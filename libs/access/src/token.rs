//! The parts of a JWT, read strictly.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use crate::{Refusal, json};

/// A token cut into its parts; nothing in it is believed yet.
pub(crate) struct Token<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: String,
    pub(crate) kind: Option<String>,
    pub(crate) claims: Map<String, Value>,
    /// What the signature signs.
    pub(crate) message: &'a [u8],
    pub(crate) signature: &'a str,
}

/// Headers by which a token brings its own key, its own rules or another token: refused rather than ignored.
const REFUSED_HEADERS: [&str; 9] = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc", "cty"];

impl<'a> Token<'a> {
    pub(crate) fn parse(text: &'a str, max_bytes: usize) -> Result<Self, Refusal> {
        if text.len() > max_bytes {
            return Err(Refusal::TooLong);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refusal::Malformed)?;
        if payload.contains('.') || signature.is_empty() {
            return Err(Refusal::Malformed);
        }
        let header = object(header)?;
        if REFUSED_HEADERS.iter().any(|name| header.contains_key(*name)) {
            return Err(Refusal::Header);
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(asymmetric).ok_or(Refusal::Algorithm)?;
        let key_id = header.get("kid").and_then(Value::as_str).filter(|id| !id.is_empty() && id.len() <= 256);
        let kind = match header.get("typ") {
            None => None,
            Some(Value::String(kind)) => Some(kind.clone()),
            Some(_) => return Err(Refusal::Type),
        };
        Ok(Self {
            algorithm,
            key_id: key_id.ok_or(Refusal::UnknownKey)?.to_owned(),
            kind,
            claims: object(payload)?,
            message: message.as_bytes(),
            signature,
        })
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)?;
    match json::parse(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(Refusal::Malformed),
    }
}

fn asymmetric(name: &str) -> Option<Algorithm> {
    Some(match name {
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" | "Ed25519" => Algorithm::EdDSA,
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        _ => return None,
    })
}
