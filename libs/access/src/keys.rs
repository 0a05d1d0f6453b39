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
    pub(crate) fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let document: Value = serde_json::from_slice(text).map_err(|_| "the JWKS is no JSON")?;
        let list = document.get("keys").and_then(Value::as_array).ok_or("the JWKS has no list of keys")?;
        if list.len() > MAX_KEYS {
            return Err("the JWKS has more than 100 keys");
        }
        let mut set = Self::default();
        let mut hasher = blake3::Hasher::new();
        for jwk in list {
            let Some((id, key)) = usable(jwk) else { continue };
            let same_id = set.keys.entry(id.to_owned()).or_default();
            // Two keys of one id and one algorithm are ambiguous; the first stands, as issuers list the current one first.
            if same_id.iter().any(|other: &PublicKey| other.algorithm == key.algorithm) {
                continue;
            }
            hasher.update(jwk.to_string().as_bytes());
            same_id.push(key);
        }
        if set.keys.is_empty() {
            return Err("the JWKS has no key to verify signatures with");
        }
        set.fingerprint = *hasher.finalize().as_bytes();
        Ok(set)
    }

    /// The key of that id for that algorithm. `Err(true)`: the id is known, with another algorithm.
    pub(crate) fn find(&self, id: &str, algorithm: Algorithm) -> Result<&PublicKey, bool> {
        let same_id = self.keys.get(id).ok_or(false)?;
        same_id.iter().find(|key| key.algorithm == algorithm).ok_or(true)
    }
}

fn usable(jwk: &Value) -> Option<(&str, PublicKey)> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let id = text("kid").filter(|id| !id.is_empty() && id.len() <= 256)?;
    if jwk.get("use").is_some() && text("use") != Some("sig") {
        return None;
    }
    if let Some(operations) = jwk.get("key_ops")
        && !operations.as_array()?.iter().any(|operation| operation == "verify")
    {
        return None;
    }
    // Only the family fixes the algorithm where the key does not name one; RSA's is RS256, which Entra ID leaves out.
    let (fitting, decoding): (&[(&str, Algorithm)], DecodingKey) = match (text("kty")?, text("crv")) {
        ("EC", Some("P-256")) => (&[("ES256", Algorithm::ES256)], elliptic(jwk, 32)?),
        ("EC", Some("P-384")) => (&[("ES384", Algorithm::ES384)], elliptic(jwk, 48)?),
        ("OKP", Some("Ed25519")) => {
            let x = text("x").filter(|x| URL_SAFE_NO_PAD.decode(x).is_ok_and(|bytes| bytes.len() == 32))?;
            (&[("EdDSA", Algorithm::EdDSA), ("Ed25519", Algorithm::EdDSA)], DecodingKey::from_ed_components(x).ok()?)
        }
        ("RSA", None) => (&RSA, rsa(jwk)?),
        _ => return None,
    };
    let algorithm = match jwk.get("alg") {
        None => fitting.first()?.1,
        Some(named) => fitting.iter().find(|(name, _)| named == name)?.1,
    };
    Some((id, PublicKey { algorithm, decoding }))
}

const RSA: [(&str, Algorithm); 6] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
];

fn elliptic(jwk: &Value, size: usize) -> Option<DecodingKey> {
    let coordinate = |name: &str| {
        let text = jwk.get(name)?.as_str()?;
        (URL_SAFE_NO_PAD.decode(text).ok()?.len() == size).then_some(text)
    };
    DecodingKey::from_ec_components(coordinate("x")?, coordinate("y")?).ok()
}

fn rsa(jwk: &Value) -> Option<DecodingKey> {
    let (n, e) = (jwk.get("n")?.as_str()?, jwk.get("e")?.as_str()?);
    let modulus = URL_SAFE_NO_PAD.decode(n).ok()?;
    let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
    (2048..=8192).contains(&bits).then(|| DecodingKey::from_rsa_components(n, e).ok())?
}
