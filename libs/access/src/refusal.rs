//! Reasons to refuse a token.

/// Why a token was refused. For logs and counters only: callers get one constant text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no token, or more than one.
    #[error("no token")]
    Missing,
    /// Longer than `max_token_bytes`.
    #[error("token too long")]
    TooLong,
    /// Not three parts of base64url with JSON objects in which a key stands once.
    #[error("malformed token")]
    Malformed,
    /// `crit`, or a header by which the token brings its own key.
    #[error("refused header")]
    Header,
    /// Not an asymmetric algorithm, or another one than the key is for.
    #[error("refused algorithm")]
    Algorithm,
    /// A `typ` that is not expected.
    #[error("refused type")]
    Type,
    /// No `kid`, or one the issuer does not publish.
    #[error("unknown key")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("wrong signature")]
    Signature,
    /// `iss` or `aud` is missing or another's.
    #[error("wrong issuer or audience")]
    Audience,
    /// `sub` is missing, no text or not accepted.
    #[error("refused subject")]
    Subject,
    /// `exp` or `nbf` is missing, no whole number, no date, past or to come.
    #[error("refused times")]
    Time,
    /// The partner is missing, or partner, roles or locations are of the wrong type.
    #[error("refused claims")]
    Claims,
    /// A person's token where a service's is expected, or the other way round.
    #[error("wrong kind of token")]
    Kind,
    /// The issuer's keys cannot be had, or are too old to be believed.
    #[error("no keys")]
    KeysUnavailable,
}
