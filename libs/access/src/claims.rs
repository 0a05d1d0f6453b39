//! What the claims of a token say.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::{
    Principal, Refusal, RoleSet, Trust, Viewer,
    config::{AccessConfig, ClaimPointers},
    role_from_name,
};

/// The last second of the year 9999: a later `exp` is no date.
const LAST_SECOND: i64 = 253_402_300_799;
const MAX_ID: usize = 256;
const MAX_LIST: usize = 1_000;

/// `iss`, `aud`, `sub` and the times, checked against the trusted issuer. Returns when the token ends.
pub(crate) fn check_registered(
    claims: &Map<String, Value>,
    trust: &Trust,
    leeway: u32,
    now: DateTime<Utc>,
) -> Result<(String, DateTime<Utc>), Refusal> {
    if !names(claims, trust) {
        return Err(Refusal::Audience);
    }
    let subject = claims.get("sub").and_then(id).ok_or(Refusal::Subject)?;
    if !trust.subjects.is_empty() && !trust.subjects.contains(&subject) {
        return Err(Refusal::Subject);
    }
    let (now, leeway) = (now.timestamp(), i64::from(leeway));
    let expires = time(claims, "exp")?.ok_or(Refusal::Time)?;
    let not_before = time(claims, "nbf")?;
    let issued_at = time(claims, "iat")?;
    let starts = if trust.require_nbf { not_before } else { not_before.or(issued_at) };
    let starts = starts.ok_or(Refusal::Time)?;
    if expires + leeway <= now || starts - leeway > now || expires <= starts {
        return Err(Refusal::Time);
    }
    Ok((subject, DateTime::from_timestamp(expires, 0).ok_or(Refusal::Time)?))
}

/// Whether the token names this issuer and, for us, this audience.
pub(crate) fn names(claims: &Map<String, Value>, trust: &Trust) -> bool {
    let issued = claims.get("iss").and_then(Value::as_str).is_some_and(|issuer| issuer == trust.issuer);
    let for_us = match claims.get("aud") {
        Some(Value::String(audience)) => *audience == trust.audience,
        Some(Value::Array(list)) => {
            list.len() <= MAX_LIST && list.iter().all(Value::is_string) && list.iter().any(|one| *one == trust.audience)
        }
        _ => false,
    };
    issued && for_us
}

/// Seconds since 1970; RFC 7519 allows fractions, which are cut off. Text and numbers that are no date are refused.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let whole = value.as_i64().or_else(|| cut_off(value.as_f64()?)).ok_or(Refusal::Time)?;
    (0..=LAST_SECOND).contains(&whole).then_some(Some(whole)).ok_or(Refusal::Time)
}

/// The whole part of a number that can be a date.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "dates have 38 bits")]
fn cut_off(seconds: f64) -> Option<i64> {
    (0.0..=LAST_SECOND as f64).contains(&seconds).then_some(seconds as i64)
}

fn id(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (!text.is_empty() && text.len() <= MAX_ID && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// The person the claims describe.
pub(crate) fn person(
    claims: Map<String, Value>,
    subject: String,
    expires: DateTime<Utc>,
    token: &str,
    config: &AccessConfig,
) -> Result<Principal, Refusal> {
    let ClaimPointers { partner, roles, locations } = &config.claims;
    let claims = Value::Object(claims);
    let partner = claims.pointer(partner).and_then(id).ok_or(Refusal::Claims)?;
    let locations = match claims.pointer(locations).filter(|_| !locations.is_empty()) {
        None => None,
        // Present means bound: what cannot be read must not widen what the caller sees.
        Some(value) => Some(list(value)?),
    };
    let names = claims.pointer(roles).map(list).transpose()?.unwrap_or_default();
    let roles = names.iter().filter_map(|name| ours(name, config)).collect::<RoleSet>();
    Ok(Principal { subject, viewer: Viewer { partner, roles, locations }, expires, token: Arc::from(token) })
}

fn ours(name: &str, config: &AccessConfig) -> Option<crate::Role> {
    if config.role_map.is_empty() {
        role_from_name(name)
    } else {
        config.role_map.get(name).and_then(|ours| role_from_name(ours))
    }
}

fn list(value: &Value) -> Result<BTreeSet<String>, Refusal> {
    match value {
        Value::String(_) => Ok(BTreeSet::from([id(value).ok_or(Refusal::Claims)?])),
        Value::Array(values) if values.len() <= MAX_LIST => {
            values.iter().map(|value| id(value).ok_or(Refusal::Claims)).collect()
        }
        _ => Err(Refusal::Claims),
    }
}
