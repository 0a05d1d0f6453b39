//! Issuer for development: keys in the data directory, tokens for every user who may read that directory. Never for production,
//! where an identity provider issues tokens.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::RwLock,
    time::Duration,
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::{AccessConfig, Clock, Role, Trust, role_name};

/// The local development issuer of one data directory. Several processes may open the same one.
pub struct Issuer {
    folder: PathBuf,
    keys: RwLock<Vec<LocalKey>>,
    clock: Clock,
}

struct LocalKey {
    number: u32,
    id: String,
    pair: EcdsaKeyPair,
}

/// Whom a token is for.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// The `sub`; empty: made of the roles.
    pub subject: String,
    /// The roles held.
    pub roles: Vec<Role>,
    /// The partner whose data is seen.
    pub partner: String,
    /// The locations the bearer is bound to; none given: bound to none.
    pub locations: Vec<String>,
    /// How long the token is valid.
    pub ttl: Duration,
}

impl Default for TokenRequest {
    fn default() -> Self {
        let ttl = Duration::from_secs(3600);
        Self { subject: String::new(), roles: Vec::new(), partner: String::new(), locations: Vec::new(), ttl }
    }
}

/// Why the issuer cannot work.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The folder of keys cannot be read or written.
    #[error("{0}: {1}")]
    Folder(PathBuf, #[source] io::Error),
    /// A key is damaged, or signing failed.
    #[error("{0}: not a usable key")]
    Key(PathBuf),
    /// The request makes no token.
    #[error("{0}")]
    Request(&'static str),
}

const LOCAL_ISSUER: &str = "https://insights.local";
const PEOPLE_TYPE: &str = "at+jwt";
const SERVICE_TYPE: &str = "svc+jwt";

impl Issuer {
    /// Opens the issuer of a data directory, making its first key when there is none.
    pub fn open(data_dir: &Path) -> Result<Self, IssuerError> {
        Self::open_at(data_dir, Clock::system())
    }

    /// The same with a clock of one's own.
    pub fn open_at(data_dir: &Path, clock: Clock) -> Result<Self, IssuerError> {
        let folder = data_dir.join("issuer");
        fs::create_dir_all(&folder).map_err(|error| IssuerError::Folder(folder.clone(), error))?;
        #[cfg(unix)]
        fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .map_err(|error| IssuerError::Folder(folder.clone(), error))?;
        let issuer = Self { folder, keys: RwLock::default(), clock };
        if issuer.load()? == 0 {
            issuer.add_key(1)?;
        }
        Ok(issuer)
    }

    /// The file the issuer publishes its public keys in.
    #[must_use]
    pub fn jwks_path(&self) -> PathBuf {
        self.folder.join("jwks.json")
    }

    /// The configuration that believes this issuer, for people and for the product's services.
    #[must_use]
    pub fn access_config(&self) -> AccessConfig {
        let trust = Trust {
            issuer: LOCAL_ISSUER.into(),
            keys: self.jwks_path().display().to_string(),
            refresh_seconds: 60,
            min_refresh_seconds: 1,
            ..Trust::default()
        };
        let defaults = AccessConfig::default();
        AccessConfig {
            people: Trust { token_types: vec![PEOPLE_TYPE.into()], ..trust.clone() },
            services: Trust {
                audience: defaults.services.audience.clone(),
                token_types: vec![SERVICE_TYPE.into()],
                subjects: ["ingestion", "metrics", "reporting"].map(str::to_owned).to_vec(),
                ..trust
            },
            ..defaults
        }
    }

    /// A token for a person or a data source.
    pub fn mint(&self, request: &TokenRequest) -> Result<String, IssuerError> {
        if request.partner.is_empty() || request.partner.len() > 256 {
            return Err(IssuerError::Request("a token needs a partner of 1 to 256 bytes"));
        }
        let names: Vec<_> = request.roles.iter().copied().map(role_name).collect();
        let subject = match request.subject.as_str() {
            "" if names.is_empty() => "nobody".to_owned(),
            "" => names.join("+"),
            subject => subject.to_owned(),
        };
        let ttl = TimeDelta::from_std(request.ttl).map_err(|_| IssuerError::Request("the time to live is too long"))?;
        let mut claims = registered(&subject, &AccessConfig::default().people.audience, self.clock.now(), ttl)?;
        claims.insert("partner".into(), json!(request.partner));
        claims.insert("roles".into(), json!(names));
        if !request.locations.is_empty() {
            claims.insert("locations".into(), json!(request.locations));
        }
        self.sign(PEOPLE_TYPE, claims)
    }

    /// A token for a service of the product.
    pub fn mint_service(&self, name: &str) -> Result<String, IssuerError> {
        self.mint_service_at(name, self.clock.now(), TimeDelta::minutes(10))
    }

    pub(crate) fn mint_service_at(
        &self,
        name: &str,
        now: DateTime<Utc>,
        ttl: TimeDelta,
    ) -> Result<String, IssuerError> {
        // Another audience and another type: neither kind of token passes for the other.
        self.sign(SERVICE_TYPE, registered(name, &AccessConfig::default().services.audience, now, ttl)?)
    }

    /// Signs with a new key from now on. The old ones stay published, so that their tokens stay good until they end.
    pub fn rotate(&self) -> Result<(), IssuerError> {
        self.load()?;
        let next =
            self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner).last().map_or(1, |key| key.number + 1);
        self.add_key(next)
    }

    fn sign(&self, kind: &str, claims: Map<String, Value>) -> Result<String, IssuerError> {
        let keys = self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let key = keys.last().ok_or_else(|| IssuerError::Key(self.folder.clone()))?;
        let header = json!({"alg": "ES256", "typ": kind, "kid": key.id});
        let encode = |value: &str| URL_SAFE_NO_PAD.encode(value);
        let message = format!("{}.{}", encode(&header.to_string()), encode(&Value::Object(claims).to_string()));
        let signature = key.pair.sign(&SystemRandom::new(), message.as_bytes());
        let signature = signature.map_err(|_| IssuerError::Key(self.folder.clone()))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn add_key(&self, number: u32) -> Result<(), IssuerError> {
        let path = self.folder.join(format!("key-{number:04}.p8"));
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| IssuerError::Key(path.clone()))?;
        let private = pair.to_pkcs8v1().map_err(|_| IssuerError::Key(path.clone()))?;
        // Written as a whole, and never over another process's key: the second process uses the first one's.
        let written = write_private(&self.folder, private.as_ref()).and_then(|temporary| {
            let linked = fs::hard_link(&temporary, &path);
            fs::remove_file(&temporary)?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            }
        });
        written.map_err(|error| IssuerError::Folder(path, error))?;
        self.load()?;
        self.publish()
    }

    /// Reads the keys and says how many there are.
    fn load(&self) -> Result<usize, IssuerError> {
        let failed = |error| IssuerError::Folder(self.folder.clone(), error);
        let mut loaded = BTreeMap::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let number =
                name.strip_prefix("key-").and_then(|name| name.strip_suffix(".p8")).and_then(|name| name.parse().ok());
            let Some(number) = number else { continue };
            let bytes = fs::read(&path).map_err(failed)?;
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes)
                .map_err(|_| IssuerError::Key(path))?;
            let id = blake3::hash(pair.public_key().as_ref()).to_hex()[..16].to_owned();
            loaded.insert(number, LocalKey { number, id, pair });
        }
        let count = loaded.len();
        *self.keys.write().unwrap_or_else(std::sync::PoisonError::into_inner) = loaded.into_values().collect();
        if count > 0 && !self.jwks_path().exists() {
            self.publish()?;
        }
        Ok(count)
    }

    fn publish(&self) -> Result<(), IssuerError> {
        let keys = self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Uncompressed point: 4, then 32 bytes of x and of y. The newest first.
        let public = |key: &LocalKey| {
            let point = key.pair.public_key().as_ref();
            let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
            json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": key.id, "x": x, "y": y})
        };
        let document = json!({"keys": keys.iter().rev().map(public).collect::<Vec<_>>()}).to_string();
        let written = write_private(&self.folder, document.as_bytes())
            .and_then(|temporary| fs::rename(temporary, self.jwks_path()));
        written.map_err(|error| IssuerError::Folder(self.jwks_path(), error))
    }
}

fn registered(
    subject: &str,
    audience: &str,
    now: DateTime<Utc>,
    ttl: TimeDelta,
) -> Result<Map<String, Value>, IssuerError> {
    let expires = now.checked_add_signed(ttl).ok_or(IssuerError::Request("the time to live is too long"))?;
    let claims = json!({
        "iss": LOCAL_ISSUER,
        "aud": audience,
        "sub": subject,
        "iat": now.timestamp(),
        "nbf": now.timestamp(),
        "exp": expires.timestamp(),
    });
    match claims {
        Value::Object(claims) => Ok(claims),
        _ => Ok(Map::new()),
    }
}

/// Writes a file that only its owner may read, under a unique name.
fn write_private(folder: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    use std::io::Write;

    let path = folder.join(format!(".new-{:016x}", rand::random::<u64>()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(path)
}
