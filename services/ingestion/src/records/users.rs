//! Users are stored only as a keyed 128-bit hash; each partner's users are hashed under a key of its own, so that one
//! person at two partners is two users.

const LONGEST: usize = 320;

/// The key under which one partner's users are hashed.
pub(crate) struct PartnerKey([u8; 32]);

impl PartnerKey {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The hash of a user id: trimmed, in lower case. With `hashed`, what [`to_text`] gave.
    pub(crate) fn parse(&self, id: &str, hashed: bool) -> Result<u128, String> {
        let id = trim(id);
        if id.is_empty() {
            return Err("is required".to_owned());
        }
        if hashed {
            let digits = id.strip_prefix('#').filter(|digits| digits.len() == 32);
            return digits
                .and_then(|digits| u128::from_str_radix(digits, 16).ok())
                .ok_or_else(|| "must be a hashed user".to_owned());
        }
        if id.len() > LONGEST {
            return Err(format!("must have at most {LONGEST} bytes"));
        }
        Ok(self.hash(id))
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

    /// A hash as shown in the quarantine. Whatever came as an id is hashed, valid or not; blank stays blank.
    pub(crate) fn conceal(&self, id: &str, hashed: bool) -> String {
        match self.parse(id, hashed) {
            Ok(user) => to_text(user),
            Err(_) if id.trim().is_empty() => String::new(),
            Err(_) => to_text(self.hash(id.trim())),
        }
    }
}

/// Trims. Most ids begin and end with a letter or digit of ASCII, and a feed brings millions.
fn trim(id: &str) -> &str {
    match id.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => id,
        _ => id.trim(),
    }
}

/// A hashed user as text.
pub(crate) fn to_text(user: u128) -> String {
    format!("#{user:032x}")
}
