//! Verification of tokens.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::crypto;

use crate::{
    AccessConfig, Clock, Identity, Principal, Refusal, ServiceIdentity, Trust, cache::Cache, claims, jwks::KeyStore,
    keys::PublicKey, token::Token,
};

/// Verifies tokens of people and services.
pub struct Verifier {
    config: AccessConfig,
    clock: Clock,
    people: Arc<KeyStore>,
    services: Arc<KeyStore>,
    cache: Cache,
}

impl Verifier {
    /// A verifier for a configuration without faults; the error says what is wrong with it.
    pub fn new(config: AccessConfig, clock: Clock) -> Result<Self, String> {
        let faults = config.faults();
        if !faults.is_empty() {
            let lines: Vec<_> = faults.iter().map(|(setting, what)| format!("{setting} {what}")).collect();
            return Err(lines.join("; "));
        }
        Ok(Self {
            people: KeyStore::new(&config.people, clock.clone())?,
            services: KeyStore::new(&config.services, clock.clone())?,
            cache: Cache::new(config.cache_entries),
            config,
            clock,
        })
    }

    /// Whether tokens can be verified now: the keys of people's and of services' issuers are known. They are asked for when they are
    /// not.
    ///
    /// # Errors
    /// The settings of the issuers whose keys are not known.
    pub async fn ready(&self) -> Result<(), &'static str> {
        match (self.people.known().await, self.services.known().await) {
            (true, true) => Ok(()),
            (false, true) => Err("access.people.keys"),
            (true, false) => Err("access.services.keys"),
            (false, false) => Err("access.people.keys and access.services.keys"),
        }
    }

    /// Who the bearer is.
    pub async fn identify(&self, token: &str) -> Result<Identity, Refusal> {
        if token.len() > self.config.max_token_bytes {
            return Err(Refusal::TooLong);
        }
        let key = Cache::key(token);
        let now = self.clock.now().timestamp();
        if let Some((identity, generation)) = self.cache.get(&key, now) {
            let store = match &identity {
                Identity::Person(_) => &self.people,
                Identity::Service(_) => &self.services,
            };
            if store.generation() == Some(generation) {
                return Ok(identity);
            }
        }
        let (identity, generation) = self.verify(token).await?;
        let expires = match &identity {
            Identity::Person(person) => person.expires,
            Identity::Service(service) => service.expires,
        };
        let ends = expires.timestamp() + i64::from(self.config.leeway_seconds);
        self.cache.put(key, identity.clone(), generation, ends, now);
        Ok(identity)
    }

    /// The person the token names; a service's token is refused.
    pub async fn person(&self, token: &str) -> Result<Arc<Principal>, Refusal> {
        match self.identify(token).await? {
            Identity::Person(person) => Ok(person),
            Identity::Service(_) => Err(Refusal::Kind),
        }
    }

    /// The service the token names; a person's token is refused.
    pub async fn service(&self, token: &str) -> Result<Arc<ServiceIdentity>, Refusal> {
        match self.identify(token).await? {
            Identity::Service(service) => Ok(service),
            Identity::Person(_) => Err(Refusal::Kind),
        }
    }

    /// How long a token that ends then is still taken.
    pub(crate) fn time_left(&self, end: DateTime<Utc>) -> Duration {
        let end = end + TimeDelta::seconds(self.config.leeway_seconds.into());
        (end - self.clock.now()).to_std().unwrap_or_default()
    }

    async fn verify(&self, text: &str) -> Result<(Identity, u64), Refusal> {
        let token = Token::parse(text, self.config.max_token_bytes)?;
        // The unverified claims choose only which issuer's keys must have signed; they are checked against it below.
        let for_service = claims::names(&token.claims, &self.config.services);
        let (trust, store) =
            if for_service { (&self.config.services, &self.services) } else { (&self.config.people, &self.people) };
        check_kind(token.kind.as_deref(), trust)?;
        // Cheap checks before the signature, so that a flood of worn-out tokens costs no arithmetic and no fetch of keys.
        let now = self.clock.now();
        let (subject, expires) = claims::check_registered(&token.claims, trust, self.config.leeway_seconds, now)?;
        let (keys, generation) = store.find(&token.key_id, token.algorithm).await?;
        let signed = |key: &PublicKey| {
            matches!(crypto::verify(token.signature, token.message, &key.decoding, key.algorithm), Ok(true))
        };
        if !keys.iter().any(signed) {
            return Err(Refusal::Signature);
        }
        let identity = if for_service {
            Identity::Service(Arc::new(ServiceIdentity { name: subject, expires }))
        } else {
            Identity::Person(Arc::new(claims::person(token.claims, subject, expires, text, &self.config)?))
        };
        Ok((identity, generation))
    }
}

fn check_kind(kind: Option<&str>, trust: &Trust) -> Result<(), Refusal> {
    let Some(kind) = kind else {
        return trust.accept_untyped.then_some(()).ok_or(Refusal::Type);
    };
    // RFC 7515: `application/` may be left out.
    let bare = |kind: &str| kind.to_ascii_lowercase().trim_start_matches("application/").to_owned();
    let kind = bare(kind);
    trust.token_types.iter().any(|accepted| bare(accepted) == kind).then_some(()).ok_or(Refusal::Type)
}
