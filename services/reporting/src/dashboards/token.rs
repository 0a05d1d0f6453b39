//! Page tokens: a place in a list, sealed with what the list is of.

use std::fmt::Write as _;

use insights_service::Error;
use prost::Message;
use sha2::{Digest, Sha256};

/// Bytes of the seal.
const SEAL: usize = 16;

/// Gives out and takes back the page tokens of one list.
pub struct PageTokens(Sha256);

impl PageTokens {
    /// Tokens of what `request` asks for, its page apart.
    pub fn of(partner: &str, rpc: &str, request: &impl Message) -> Self {
        let mut list = Sha256::new();
        for part in [partner.as_bytes(), rpc.as_bytes(), &request.encode_to_vec()] {
            list.update(part.len().to_be_bytes());
            list.update(part);
        }
        Self(list)
    }

    /// The token of a place.
    #[must_use]
    pub fn write(&self, place: &str) -> String {
        format!("{}.{}", hexadecimal(place.as_bytes()), self.seal(place))
    }

    /// The place of a token; none: the beginning.
    ///
    /// # Errors
    /// Invalid when it was not given out for this list.
    pub fn read(&self, token: &str) -> Result<Option<String>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        let place = token.split_once('.').and_then(|(place, seal)| {
            let place = String::from_utf8(bytes(place)?).ok()?;
            (self.seal(&place) == seal).then_some(place)
        });
        place.map(Some).ok_or_else(|| Error::invalid("page_token", "is not one that was given out for this list"))
    }

    fn seal(&self, place: &str) -> String {
        let sealed = self.0.clone().chain_update(place.as_bytes()).finalize();
        hexadecimal(&sealed[..SEAL])
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()
        }
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use insights_proto::reporting::v1::ListSubscriptionPerformanceRequest;

    use super::*;

    fn tokens(partner: &str, rpc: &str, search: &str) -> PageTokens {
        let request = ListSubscriptionPerformanceRequest { customer_search: search.into(), ..Default::default() };
        PageTokens::of(partner, rpc, &request)
    }

    #[test]
    fn a_token_opens_its_own_list_alone() {
        let own = tokens("acme", "List", "a");
        let token = own.write("[\"C-1\",\"ü 2\"]");
        assert_eq!(own.read(&token).unwrap().as_deref(), Some("[\"C-1\",\"ü 2\"]"));
        assert_eq!(own.read("").unwrap(), None);
        for other in [tokens("beta", "List", "a"), tokens("acme", "List", "b"), tokens("acme", "Other", "a")] {
            assert!(other.read(&token).is_err());
        }
    }

    #[test]
    fn an_edited_token_opens_nothing() {
        let own = tokens("acme", "List", "");
        let token = own.write("C-1");
        for at in 0..token.len() {
            let mut edited = token.clone().into_bytes();
            edited[at] = if edited[at] == b'0' { b'1' } else { b'0' };
            let edited = String::from_utf8(edited).unwrap();
            assert!(own.read(&edited).is_err(), "{edited}");
        }
        for nonsense in [".", "x", "00", "zz.00", &token[..token.len() - 1], &format!("{token}0"), "ä.ö"] {
            assert!(own.read(nonsense).is_err(), "{nonsense}");
        }
    }
}
