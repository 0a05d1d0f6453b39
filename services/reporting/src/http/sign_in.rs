//! Sign-in on the page with an identity provider: OpenID Connect, authorization code with PKCE, no secret in the page.

use insights_service::Validate;
use serde::{Deserialize, Serialize};

/// Which of the provider's tokens the page shows to the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// The access token, which must then be a JWT.
    #[default]
    Access,
    /// The id token.
    Id,
}

/// Where people sign in on the page. Without an issuer they paste a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInConfig {
    /// The provider, whose `/.well-known/openid-configuration` says the rest.
    pub issuer: String,
    /// The page's id at the provider: a public client, whose redirect is `/signed-in` on the page's own address.
    pub client_id: String,
    /// What is asked for.
    pub scope: String,
    /// Sent as `resource` (RFC 8707) where the provider needs it to give a JWT; empty: not sent.
    pub resource: String,
    /// Which token the API is shown.
    pub token: TokenKind,
    /// Other origins that the provider's metadata names, such as that of its token endpoint.
    pub origins: Vec<String>,
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            scope: "openid profile offline_access".to_owned(),
            resource: String::new(),
            token: TokenKind::Access,
            origins: Vec::new(),
        }
    }
}

/// What the page learns of it. Nothing here is secret.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Offered {
    issuer: String,
    client_id: String,
    scope: String,
    resource: String,
    token: TokenKind,
}

impl SignInConfig {
    pub(super) fn offered(&self) -> Offered {
        Offered {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            scope: self.scope.clone(),
            resource: self.resource.clone(),
            token: self.token,
        }
    }

    /// The origins that the page may call besides its own.
    pub(super) fn provider_origins(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.issuer.as_str()).chain(self.origins.iter().map(String::as_str)).filter_map(origin)
    }
}

impl Validate for SignInConfig {
    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |setting: &str, text: &str| faults.push((setting.to_owned(), text.to_owned()));
        const ADDRESS: &str = "must be an address that begins with https:// (http:// for this machine alone)";
        if !self.issuer.is_empty() {
            if origin(&self.issuer).is_none() {
                fault("issuer", ADDRESS);
            }
            if self.client_id.is_empty() {
                fault("client_id", "is needed with an issuer");
            }
        }
        for (index, named) in self.origins.iter().enumerate() {
            if origin(named).is_none() {
                fault(&format!("origins[{index}]"), ADDRESS);
            }
        }
        faults
    }
}

/// The origin of an address: `https`, or `http` on this machine.
fn origin(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split('/').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte));
    let safe = scheme == "https" || (scheme == "http" && matches!(name, "localhost" | "127.0.0.1" | "[::1]"));
    (safe && plain && !name.is_empty()).then(|| &address[..scheme.len() + 3 + host.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_https_or_of_this_machine_and_nothing_else_gets_into_a_header() {
        assert_eq!(origin("https://login.example.com/tenant/v2.0"), Some("https://login.example.com"));
        assert_eq!(origin("http://127.0.0.1:9000/x"), Some("http://127.0.0.1:9000"));
        let wrong =
            ["http://login.example.com", "login.example.com", "https://", "https://a b", "https://x;script-src *"];
        for address in wrong {
            assert_eq!(origin(address), None, "{address}");
        }
    }

    #[test]
    fn faults_name_their_setting() {
        let wrong = SignInConfig {
            issuer: "http://elsewhere".into(),
            origins: vec!["https://ok".into(), "*".into()],
            ..SignInConfig::default()
        };
        let faults: Vec<String> = wrong.faults().into_iter().map(|(setting, _)| setting).collect();
        assert_eq!(faults, ["issuer", "client_id", "origins[1]"]);
        assert_eq!(SignInConfig::default().faults(), []);
    }
}
