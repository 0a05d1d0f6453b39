//! Which tokens are believed, as configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::role_from_name;

/// Which tokens are believed and what their claims mean. Data only; [`AccessConfig::faults`] says what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessConfig {
    /// The issuer of people's and data sources' tokens.
    pub people: Trust,
    /// The issuer of the services' own tokens.
    pub services: Trust,
    /// Where in a person's token the facts stand.
    pub claims: ClaimPointers,
    /// The issuer's name of a role → ours (`report_viewer`, …). Empty: the issuer uses our names.
    pub role_map: BTreeMap<String, String>,
    /// Longest token, in bytes.
    pub max_token_bytes: usize,
    /// How far clocks may differ when `exp` and `nbf` are compared.
    pub leeway_seconds: u32,
    /// How many verified tokens are remembered.
    pub cache_entries: usize,
}

// House: one field for each key of an issuer's section of the settings file.
/// An issuer that is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trust {
    /// The `iss` of its tokens, compared exactly.
    pub issuer: String,
    /// The `aud` that tokens for us carry, compared exactly.
    pub audience: String,
    /// Its JWKS: an `https://` URL (`http://` on loopback only) or a file's path.
    pub keys: String,
    /// Authorities believed besides the system's when the keys are fetched: a PEM file, read at start. Empty: none.
    pub ca_file: String,
    /// A file with the bearer token that the keys are asked for with, read for every fetch; empty: none. The API server of Kubernetes
    /// wants one.
    pub keys_token_file: String,
    /// The `typ` headers accepted, in any case.
    pub token_types: Vec<String>,
    /// Accepts tokens without `typ` (Dex).
    pub accept_untyped: bool,
    /// Refuses tokens without `nbf`; off for issuers that never send it (Auth0, Keycloak, Dex), then `iat` must be there.
    pub require_nbf: bool,
    /// The `sub`s accepted; empty: all. Never empty for services.
    pub subjects: Vec<String>,
    /// The keys are fetched again when older than this.
    pub refresh_seconds: u32,
    /// Never more than one fetch in this time, whatever tokens arrive.
    pub min_refresh_seconds: u32,
    /// Keys this old are not believed any more when the issuer cannot be reached.
    pub max_age_seconds: u32,
}

/// JSON pointers into the claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimPointers {
    /// To the partner: a string.
    pub partner: String,
    /// To the roles: a list of strings, or one string.
    pub roles: String,
    /// To the partner locations the caller is bound to: a list of strings; absent: bound to none. Empty: switched off.
    pub locations: String,
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            people: Trust::default(),
            services: Trust {
                audience: "insights-services".into(),
                token_types: vec!["svc+jwt".into()],
                ..Trust::default()
            },
            claims: ClaimPointers::default(),
            role_map: BTreeMap::new(),
            max_token_bytes: 16 * 1024,
            leeway_seconds: 30,
            cache_entries: 10_000,
        }
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audience: "insights".into(),
            keys: String::new(),
            ca_file: String::new(),
            keys_token_file: String::new(),
            token_types: vec!["at+jwt".into(), "JWT".into()],
            accept_untyped: false,
            require_nbf: true,
            subjects: Vec::new(),
            refresh_seconds: 300,
            min_refresh_seconds: 30,
            max_age_seconds: 24 * 60 * 60,
        }
    }
}

impl Default for ClaimPointers {
    fn default() -> Self {
        Self { partner: "/partner".into(), roles: "/roles".into(), locations: "/locations".into() }
    }
}

impl AccessConfig {
    /// Everything that is wrong with it, as (setting, what), all at once.
    #[must_use]
    pub fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        self.people.faults("people", &mut faults);
        self.services.faults("services", &mut faults);
        let mut fault = |setting: &str, what: &str| faults.push((setting.to_owned(), what.to_owned()));
        if self.people.audience == self.services.audience {
            fault("services.audience", "must differ from people.audience, or people could pass for services");
        }
        if self.services.subjects.is_empty() {
            fault("services.subjects", "must name the services");
        }
        let pointers =
            [("partner", &self.claims.partner), ("roles", &self.claims.roles), ("locations", &self.claims.locations)];
        for (name, pointer) in pointers {
            let off = pointer.is_empty() && name == "locations";
            if !off && !pointer.starts_with('/') {
                fault(&format!("claims.{name}"), "must be a JSON pointer, such as /realm_access/roles");
            }
        }
        for (theirs, ours) in &self.role_map {
            if role_from_name(ours).is_none() {
                fault(&format!("role_map.{theirs}"), "is no role of this product");
            }
        }
        if !(512..=65_536).contains(&self.max_token_bytes) {
            fault("max_token_bytes", "must be from 512 to 65536");
        }
        if self.leeway_seconds > 300 {
            fault("leeway_seconds", "must be at most 300");
        }
        if self.cache_entries == 0 {
            fault("cache_entries", "must be at least 1");
        }
        faults
    }
}

impl Trust {
    fn faults(&self, name: &str, faults: &mut Vec<(String, String)>) {
        let mut fault = |setting: &str, what: &str| faults.push((format!("{name}.{setting}"), what.to_owned()));
        if self.issuer.is_empty() {
            fault("issuer", "must be given");
        }
        if self.audience.is_empty() {
            fault("audience", "must be given");
        }
        if self.keys.is_empty() {
            fault("keys", "must be the URL or the path of a JWKS");
        }
        if self.keys.starts_with("http://") && !is_loopback(&self.keys) {
            fault(
                "keys",
                "must be https:// (http:// on loopback only): keys that are changed on the way would be believed",
            );
        }
        if !self.ca_file.is_empty() && !self.keys.starts_with("https://") {
            fault("ca_file", "is for keys at an https:// URL");
        }
        if !self.keys_token_file.is_empty() && !self.keys.starts_with("http") {
            fault("keys_token_file", "is for keys at a URL");
        }
        if self.token_types.is_empty() && !self.accept_untyped {
            fault("token_types", "must name at least one type");
        }
        if self.min_refresh_seconds == 0 || self.min_refresh_seconds > self.refresh_seconds {
            fault("min_refresh_seconds", "must be from 1 to refresh_seconds");
        }
        if self.max_age_seconds < self.refresh_seconds {
            fault("max_age_seconds", "must be at least refresh_seconds");
        }
    }
}

fn is_loopback(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    matches!(host.as_deref(), Some("localhost" | "127.0.0.1" | "[::1]"))
}
