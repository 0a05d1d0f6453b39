//! `insights token`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use insights_access::{Issuer, Role, TokenRequest, role_from_name, role_name};
use insights_product::{Settings, write_private};
use insights_service::Clock;
use serde_json::json;

use crate::{failure::Failure, output};

/// `insights token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// A role the bearer holds; may be repeated.
    #[arg(long, required = true)]
    pub role: Vec<String>,
    /// The partner whose data the bearer sees.
    #[arg(long)]
    pub partner: String,
    /// A partner location the bearer is bound to; may be repeated.
    #[arg(long)]
    pub location: Vec<String>,
    /// How long the token is valid: a number and s, m, h or d.
    #[arg(long, default_value = "1h", value_parser = duration)]
    pub ttl: std::time::Duration,
    /// The file to write it to, which only its owner may read; without one it is printed.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Prints or writes a token of the local development issuer.
pub fn run(settings: &Settings, clock: &Clock, token: TokenArgs, json: bool) -> Result<(), Failure> {
    if !settings.is_local() {
        let issuer = &settings.access.people.issuer;
        return Err(Failure::Failed(format!(
            "FAILED_PRECONDITION: tokens come from {issuer} here; the local development issuer is not believed"
        )));
    }
    let roles = roles(&token.role)?;
    let issuer = Issuer::open_at(&settings.data_dir, clock.clone())
        .map_err(|error| Failure::because("the development issuer", &error))?;
    let request = TokenRequest {
        roles,
        partner: token.partner,
        locations: token.location,
        ttl: token.ttl,
        ..TokenRequest::default()
    };
    let minted = issuer.mint(&request).map_err(|error| Failure::Usage(error.to_string()))?;
    if let Some(path) = &token.out {
        write_private(path, &minted)?;
        return if json { output::print_json(&json!({"file": path})) } else { Ok(()) };
    }
    if json { output::print_json(&json!({"token": minted})) } else { output::print(&format!("{minted}\n")) }
}

/// Every role there is.
pub fn all_roles() -> impl Iterator<Item = Role> {
    (1..).map_while(|number| Role::try_from(number).ok())
}

fn roles(names: &[String]) -> Result<Vec<Role>, Failure> {
    let known = || all_roles().map(role_name).collect::<Vec<_>>().join(", ");
    names
        .iter()
        .flat_map(|names| names.split(','))
        .map(|name| {
            let unknown = || Failure::Usage(format!("role: there is no role \"{name}\"; known: {}", known()));
            role_from_name(name.trim()).ok_or_else(unknown)
        })
        .collect()
}

/// A number and s, m, h or d.
pub fn duration(text: &str) -> Result<Duration, String> {
    let fault = || format!("\"{text}\" is no duration: write a number and s, m, h or d, such as 1h");
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => return Err(fault()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| fault())?;
    let seconds = number.checked_mul(unit).filter(|seconds| (1..=3650 * 24 * 60 * 60).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| format!("\"{text}\" must be from 1s to 3650d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_bounds() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2d"), Ok(Duration::from_secs(172_800)));
        for bad in ["", "h", "1", "1w", "-1h", "1.5h", "0s", "99999999d", "1é"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
