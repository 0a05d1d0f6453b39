//! Users are stored only as a keyed 128-bit hash; each partner's users are hashed under a key of its own, so that one
//! person at two partners is two users.

use std::borrow::Cow;

use insights_domain::ids::{canonical_id, names_no_user};

const LONGEST: usize = 320;

/// The key under which one partner's users are hashed.
#[derive(Clone)]
pub(crate) struct PartnerKey([u8; 32]);

/// A mark of what was erased: what it is a mark of, and a hash of its id.
pub(crate) type ErasedMark = [u8; 16];

/// What is marked, by its canonical id or its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Marked<'a> {
    Customer(&'a str),
    /// Of a customer who is marked.
    Subscription(&'a str),
    /// A user of all customers.
    User(u128),
    /// A user of one customer.
    UserOf(u128, &'a str),
}

impl Marked<'_> {
    /// The first byte of its marks.
    pub(crate) const fn kind(self) -> u8 {
        match self {
            Self::Customer(_) => 1,
            Self::Subscription(_) => 2,
            Self::User(_) => 3,
            Self::UserOf(..) => 4,
        }
    }
}

impl PartnerKey {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The key that marks are made with: whoever has only the marks can try no ids.
    pub(crate) fn of_marks(&self) -> Self {
        Self(blake3::derive_key("insights marks of what was erased", &self.0))
    }

    /// A mark; of a key that [`Self::of_marks`] made.
    pub(crate) fn mark(&self, of: Marked<'_>) -> ErasedMark {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&[of.kind()]);
        match of {
            Marked::Customer(id) | Marked::Subscription(id) => hasher.update(id.as_bytes()),
            Marked::User(user) => hasher.update(&user.to_be_bytes()),
            Marked::UserOf(user, customer) => hasher.update(&user.to_be_bytes()).update(customer.as_bytes()),
        };
        let mut mark = ErasedMark::default();
        hasher.finalize_xof().fill(&mut mark);
        mark[0] = of.kind();
        mark
    }

    /// The hash of a user id, trimmed, in lower case, a GUID without braces; with `hashed`, of a text that [`to_text`] made.
    pub(crate) fn parse(&self, id: &str, hashed: bool) -> Result<u128, String> {
        let id = trim(id);
        if id.is_empty() {
            return Err("is required".to_owned());
        }
        if hashed {
            let mut bytes = [0; 16];
            let decoded = id.strip_prefix('#').map(|digits| hex::decode_to_slice(digits, &mut bytes));
            return match decoded {
                Some(Ok(())) => Ok(u128::from_be_bytes(bytes)),
                Some(Err(_)) | None => Err("must be a hashed user".to_owned()),
            };
        }
        if id.len() > LONGEST {
            return Err(format!("must have at most {LONGEST} bytes"));
        }
        if names_no_user(id) {
            return Err("must name a user: sources write this for several whom they do not know".to_owned());
        }
        Ok(self.hash(&without_braces(id)))
    }

    fn hash(&self, id: &str) -> u128 {
        let lower = if id.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
            blake3::keyed_hash(&self.0, id.as_bytes())
        } else {
            blake3::keyed_hash(&self.0, id.to_lowercase().as_bytes())
        };
        let mut half = [0; 16];
        half.copy_from_slice(&lower.as_bytes()[..16]);
        u128::from_be_bytes(half)
    }

    /// A hash as shown in the quarantine. Every id is hashed, valid or not; blank stays blank.
    pub(crate) fn conceal(&self, id: &str, hashed: bool) -> String {
        match self.parse(id, hashed) {
            Ok(user) => to_text(user),
            Err(_) if id.trim().is_empty() => String::new(),
            Err(_) => to_text(self.hash(id.trim())),
        }
    }
}

/// Trims. The fast path is for ids that begin and end with ASCII letters or digits: a feed brings millions.
fn trim(id: &str) -> &str {
    match id.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => id,
        _ => id.trim(),
    }
}

/// A GUID without the braces around it. Few ids have any, and a feed brings millions.
fn without_braces(id: &str) -> Cow<'_, str> {
    if id.starts_with(['{', '(']) { canonical_id(id).into() } else { id.into() }
}

/// A hashed user as text.
pub(crate) fn to_text(user: u128) -> String {
    format!("#{user:032x}")
}
