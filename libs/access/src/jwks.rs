//! The keys of one issuer, kept fresh: rotation without a restart, at most one fetch per interval, and the last good keys
//! while the issuer is away, for a bounded time.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;
use tokio::sync::Mutex;

use crate::{
    Clock, Refusal, Trust,
    keys::{KeySet, PublicKey},
};

const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 1024 * 1024;

pub(crate) struct KeyStore {
    source: KeySource,
    known: ArcSwapOption<PublishedKeys>,
    /// Held while fetching, so that a flood of tokens waits for one fetch instead of starting many.
    fetching: Mutex<()>,
    /// When the last fetch began, whatever came of it; seconds since 1970.
    attempted: AtomicI64,
    refresh: i64,
    min_refresh: i64,
    max_age: i64,
    clock: Clock,
}

enum KeySource {
    /// With the file of the token to show, if one is wanted.
    Url(reqwest::Client, reqwest::Url, Option<PathBuf>),
    File(PathBuf),
}

struct PublishedKeys {
    keys: KeySet,
    fetched: DateTime<Utc>,
    /// Counts up whenever the usable keys changed: verified tokens are remembered per generation.
    generation: u64,
}

/// The certificates in a file; none without one.
fn authorities(file: &str) -> Result<Vec<reqwest::Certificate>, String> {
    if file.is_empty() {
        return Ok(Vec::new());
    }
    let pem = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| format!("{file}: {error}"))?;
    if found.is_empty() { Err(format!("{file}: holds no certificate")) } else { Ok(found) }
}

impl KeyStore {
    pub(crate) fn new(trust: &Trust, clock: Clock) -> Result<Arc<Self>, String> {
        let source = if trust.keys.starts_with("http://") || trust.keys.starts_with("https://") {
            let url = reqwest::Url::parse(&trust.keys).map_err(|error| format!("{}: {error}", trust.keys))?;
            // No redirects, because a redirect could lead to keys of an attacker.
            let client = reqwest::Client::builder()
                .timeout(FETCH_TIMEOUT)
                .redirect(reqwest::redirect::Policy::none())
                .tls_certs_merge(authorities(&trust.ca_file)?);
            let token = Some(PathBuf::from(&trust.keys_token_file)).filter(|path| !path.as_os_str().is_empty());
            KeySource::Url(client.build().map_err(|error| error.to_string())?, url, token)
        } else {
            KeySource::File(PathBuf::from(&trust.keys))
        };
        Ok(Arc::new(Self {
            source,
            known: ArcSwapOption::empty(),
            fetching: Mutex::new(()),
            attempted: AtomicI64::new(i64::MIN),
            refresh: trust.refresh_seconds.into(),
            min_refresh: trust.min_refresh_seconds.into(),
            max_age: trust.max_age_seconds.into(),
            clock,
        }))
    }

    /// The generation of the keys that may be believed now, if any; starts a refresh behind the caller's back when they
    /// are old.
    pub(crate) fn generation(self: &Arc<Self>) -> Option<u64> {
        let known = self.known.load();
        let known = known.as_ref()?;
        let age = (self.clock.now() - known.fetched).num_seconds();
        if age >= self.refresh && self.may_fetch() {
            let store = Arc::clone(self);
            tokio::spawn(async move { store.fetch().await });
        }
        (age <= self.max_age).then_some(known.generation)
    }

    /// The keys of that id for that algorithm, at least one, and their generation.
    pub(crate) async fn find(
        self: &Arc<Self>,
        id: &str,
        algorithm: Algorithm,
    ) -> Result<(Vec<PublicKey>, u64), Refusal> {
        if self.generation().is_some() {
            match self.look_up(id, algorithm) {
                Err(Refusal::UnknownKey) => {}
                found => return found,
            }
        }
        // The issuer may have rotated its keys, or they were never fetched. On a task of its own: a caller that hangs up must
        // not end the one fetch of this interval, or a hostile one could keep new keys away for good.
        let store = Arc::clone(self);
        if tokio::spawn(async move { store.fetch().await }).await.is_err() {
            return Err(Refusal::KeysUnavailable);
        }
        if self.generation().is_none() {
            return Err(Refusal::KeysUnavailable);
        }
        self.look_up(id, algorithm)
    }

    /// Whether there are keys that may be believed now; asks for them when there are none.
    pub(crate) async fn known(self: &Arc<Self>) -> bool {
        if self.generation().is_none() {
            let store = Arc::clone(self);
            // On a task of its own, as every fetch.
            let _ = tokio::spawn(async move { store.fetch().await }).await;
        }
        self.generation().is_some()
    }

    fn look_up(&self, id: &str, algorithm: Algorithm) -> Result<(Vec<PublicKey>, u64), Refusal> {
        let known = self.known.load();
        let known = known.as_ref().ok_or(Refusal::KeysUnavailable)?;
        match known.keys.find(id, algorithm) {
            Ok(keys) => Ok((keys, known.generation)),
            Err(true) => Err(Refusal::Algorithm),
            Err(false) => Err(Refusal::UnknownKey),
        }
    }

    fn may_fetch(&self) -> bool {
        let attempted = self.attempted.load(Ordering::Acquire);
        let since = self.clock.now().timestamp().saturating_sub(attempted);
        // A clock that was set back must not keep keys from being fetched until it has caught up.
        attempted == i64::MIN || since >= self.min_refresh || since < 0
    }

    async fn fetch(&self) {
        if !self.may_fetch() && self.fetching.try_lock().is_ok() {
            return;
        }
        let _alone = self.fetching.lock().await;
        // Who waited for another's fetch finds it done.
        if !self.may_fetch() {
            return;
        }
        self.attempted.store(self.clock.now().timestamp(), Ordering::Release);
        match self.read().await.and_then(|text| KeySet::parse(&text)) {
            Ok(keys) => self.keep(keys),
            Err(error) => tracing::warn!(monotonic_counter.jwks_failures = 1_u64, %error, "keys could not be fetched"),
        }
    }

    fn keep(&self, keys: KeySet) {
        let before = self.known.load();
        let generation = match before.as_ref() {
            None => 1,
            Some(before) if before.keys.fingerprint == keys.fingerprint => before.generation,
            Some(before) => before.generation + 1,
        };
        self.known.store(Some(Arc::new(PublishedKeys { keys, fetched: self.clock.now(), generation })));
    }

    async fn read(&self) -> Result<Vec<u8>, String> {
        match &self.source {
            KeySource::File(path) => {
                let text = tokio::fs::read(path).await.map_err(|error| format!("{}: {error}", path.display()))?;
                (text.len() <= MAX_BYTES).then_some(text).ok_or_else(|| "the JWKS is too long".into())
            }
            KeySource::Url(client, url, token) => {
                let mut request = client.get(url.clone());
                if let Some(path) = token {
                    let text = tokio::fs::read_to_string(path).await;
                    let text = text.map_err(|error| format!("keys_token_file: {}: {error}", path.display()))?;
                    request = request.bearer_auth(text.trim());
                }
                let mut response = request.send().await.map_err(|error| error.to_string())?;
                if response.status() != reqwest::StatusCode::OK {
                    let hint = match (response.status().as_u16(), token) {
                        (401 | 403, None) => ": it wants a token, which keys_token_file names",
                        (401 | 403, Some(_)) => ": it does not take the token of keys_token_file",
                        _ => "",
                    };
                    return Err(format!("{url} answered {}{hint}", response.status()));
                }
                let mut text = Vec::new();
                while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
                    if text.len() + chunk.len() > MAX_BYTES {
                        return Err("the JWKS is too long".into());
                    }
                    text.extend_from_slice(&chunk);
                }
                Ok(text)
            }
        }
    }
}
