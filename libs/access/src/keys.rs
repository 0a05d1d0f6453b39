//! The keys of an issuer: which are usable, and for which one algorithm each.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

const MAX_KEYS: usize = 100;

/// The usable keys of a JWKS by key id. Each is pinned to one algorithm: a token that names another is refused, so neither
/// a public key can serve as an HMAC secret nor RSA's paddings be swapped.
#[derive(Default)]
pub(crate) struct KeySet {
    keys: HashMap<String, Vec<PublicKey>>,
    /// Of the usable keys, to see whether they changed.
    pub(crate) fingerprint: [u8; 32],
}

#[derive(Clone)]
pub(crate) struct PublicKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) decoding: DecodingKey,
}

impl KeySet {
    /// Reads a JWKS. Keys that cannot verify signatures for us are skipped: issuers publish encryption keys and others
    /// beside them. A text that is no JWKS is an error, one without a usable key too.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let document: Value = serde_json::from_slice(text).map_err(|_| "the JWKS is no JSON")?;
        let list = document.get("keys").and_then(Value::as_array).ok_or("the JWKS has no list of keys")?;
        if list.len() > MAX_KEYS {
            return Err("the JWKS has more than 100 keys".into());
        }
        let mut set = Self::default();
        let mut hasher = blake3::Hasher::new();
        let mut skipped = Vec::new();
        for jwk in list {
            match usable(jwk) {
                Ok((id, key)) => {
                    hasher.update(jwk.to_string().as_bytes());
                    set.keys.entry(id.to_owned()).or_default().push(key);
                }
                Err(why) => {
                    let id: String = jwk.get("kid").and_then(Value::as_str).unwrap_or("?").chars().take(64).collect();
                    tracing::debug!(key = id, why, "a key of the issuer is not used");
                    skipped.push(format!("{id:?} {why}"));
                }
            }
        }
        if set.keys.is_empty() {
            skipped.truncate(5);
            let skipped = if skipped.is_empty() { String::new() } else { format!(": {}", skipped.join(", ")) };
            return Err(format!("the JWKS has no key to verify signatures with{skipped}"));
        }
        set.fingerprint = *hasher.finalize().as_bytes();
        Ok(set)
    }

    /// The keys of that id for that algorithm, at least one: an issuer may have several under one id, in use one after the
    /// other. `Err(true)`: the id is known, with another algorithm.
    pub(crate) fn find(&self, id: &str, algorithm: Algorithm) -> Result<Vec<PublicKey>, bool> {
        let same_id = self.keys.get(id).ok_or(false)?;
        let fitting: Vec<_> = same_id.iter().filter(|key| key.algorithm == algorithm).cloned().collect();
        if fitting.is_empty() { Err(true) } else { Ok(fitting) }
    }
}

/// The id of a key with the key, or why it is not used.
fn usable(jwk: &Value) -> Result<(&str, PublicKey), &'static str> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let id = text("kid").filter(|id| !id.is_empty() && id.len() <= 256).ok_or("has no `kid` of 1 to 256 bytes")?;
    if jwk.get("use").is_some() && text("use") != Some("sig") {
        return Err("is not for signatures (`use`)");
    }
    if let Some(operations) = jwk.get("key_ops")
        && !operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
    {
        return Err("is not for verifying (`key_ops`)");
    }
    // Only the family fixes the algorithm where the key does not name one; RSA's is RS256, which Entra ID leaves out.
    let (fitting, decoding): (&[(&str, Algorithm)], DecodingKey) = match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => (&[("ES256", Algorithm::ES256)], elliptic(jwk, 32)?),
        (Some("EC"), Some("P-384")) => (&[("ES384", Algorithm::ES384)], elliptic(jwk, 48)?),
        (Some("OKP"), Some("Ed25519")) => {
            (&[("EdDSA", Algorithm::EdDSA), ("Ed25519", Algorithm::EdDSA)], edwards(jwk)?)
        }
        (Some("RSA"), None) => (&RSA, rsa(jwk)?),
        _ => return Err("is of another kind (`kty`, `crv`)"),
    };
    let named = match jwk.get("alg") {
        None => fitting.first(),
        Some(named) => fitting.iter().find(|(name, _)| named == name),
    };
    let algorithm = named.ok_or("is for another algorithm (`alg`)")?.1;
    Ok((id, PublicKey { algorithm, decoding }))
}

const RSA: [(&str, Algorithm); 6] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
];

fn elliptic(jwk: &Value, size: usize) -> Result<DecodingKey, &'static str> {
    let coordinate = |name| Some(encoded(jwk, name)?.1).filter(|bytes| bytes.len() == size).map(to_text);
    let point = coordinate("x").zip(coordinate("y")).ok_or("has no `x` and `y` of its curve in base64url")?;
    DecodingKey::from_ec_components(&point.0, &point.1).map_err(|_| "has no point of its curve")
}

fn edwards(jwk: &Value) -> Result<DecodingKey, &'static str> {
    let x = encoded(jwk, "x").filter(|(_, bytes)| bytes.len() == 32).ok_or("has no `x` of 32 bytes in base64url")?;
    DecodingKey::from_ed_components(x.0).map_err(|_| "has no point of its curve")
}

fn rsa(jwk: &Value) -> Result<DecodingKey, &'static str> {
    let number = |name| Some(to_number(encoded(jwk, name)?.1));
    let modulus = number("n").ok_or("has no `n` in base64url")?;
    let exponent = number("e").ok_or("has no `e` in base64url")?;
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err("has an `n` that is not of 2048 to 8192 bits");
    }
    DecodingKey::from_rsa_components(&to_text(modulus), &to_text(exponent)).map_err(|_| "has no usable `n` and `e`")
}

/// A member in base64url without the padding that some issuers write, and its bytes.
fn encoded<'a>(jwk: &'a Value, name: &str) -> Option<(&'a str, Vec<u8>)> {
    let text = jwk.get(name)?.as_str()?.trim_end_matches('=');
    Some((text, URL_SAFE_NO_PAD.decode(text).ok()?))
}

/// A number without the zero that tells it from a negative one in the arithmetic of some issuers.
fn to_number(mut bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    bytes
}

fn to_text(bytes: Vec<u8>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_each_key_and_why_it_is_not_used() {
        let jwks = r#"{"keys": [
            {"kid": "a", "kty": "RSA", "n": "+/+/", "e": "AQAB"},
            {"kid": "b", "kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"},
            {"kty": "RSA"},
            {"kid": "c", "kty": "RSA", "use": "enc"}
        ]}"#;
        let said = KeySet::parse(jwks.as_bytes()).err().unwrap_or_default();
        for part in [
            "\"a\" has no `n` in base64url",
            "\"b\" has no `x` and `y` of its curve in base64url",
            "\"?\" has no `kid` of 1 to 256 bytes",
            "\"c\" is not for signatures (`use`)",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }
}
