//! Pages of lists: page sizes, and page tokens that name where the next page begins.

use std::{fmt, marker::PhantomData};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use insights_access::Viewer;
use prost::{Message, Name};
use prost_reflect::DynamicMessage;
use serde::{Serialize, de::DeserializeOwned};

use crate::FieldViolation;

/// Bytes of the seal in a token.
const SEAL: usize = 16;
/// Fields of a request that may differ from page to page.
const OF_THE_PAGE: [&str; 3] = ["page_size", "page_token", "min_version"];

/// How many entries a page has: what is asked for, `usual` for 0, and `most` for more than that (AIP-158).
///
/// # Errors
/// Names `page_size` when it is negative.
pub fn page_size(asked: i32, usual: usize, most: usize) -> Result<usize, FieldViolation> {
    match usize::try_from(asked) {
        Ok(0) => Ok(usual),
        Ok(size) => Ok(size.min(most)),
        Err(_) => Err(FieldViolation::new("page_size", "is negative")),
    }
}

/// The key that page tokens are sealed with. The replicas of a service share it, so that any can go on with a list that another began.
#[derive(Clone)]
pub struct PageTokenKey([u8; 32]);

impl PageTokenKey {
    /// A key of its own, derived from a secret that the replicas share.
    #[must_use]
    pub fn derived_from(secret: &[u8]) -> Self {
        Self(blake3::derive_key("insights page tokens 1", secret))
    }
}

impl fmt::Debug for PageTokenKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PageTokenKey(***)")
    }
}

/// Page tokens of one list as one caller sees it. A token holds the place where the next page begins, sealed with the request, the
/// caller and the caller's partner, roles and locations: with anything else it opens nothing.
pub struct PageToken<T> {
    seal: blake3::Hasher,
    place: PhantomData<fn(T) -> T>,
}

impl<T> fmt::Debug for PageToken<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PageToken")
    }
}

impl<T: Serialize + DeserializeOwned> PageToken<T> {
    /// The tokens of the list that a request asks for, whatever page it names.
    pub fn of<R: Message + Name>(key: &PageTokenKey, subject: &str, viewer: &Viewer, request: &R) -> Self {
        let mut seal = blake3::Hasher::new_keyed(&key.0);
        let (roles, locations) = (viewer.roles_text(), viewer.locations_text());
        let parts = [
            R::full_name().as_bytes(),
            &list_of(request),
            subject.as_bytes(),
            viewer.partner().as_bytes(),
            roles.as_bytes(),
            locations.as_deref().unwrap_or("unbound").as_bytes(),
        ]
        .map(<[u8]>::to_vec);
        for part in parts {
            seal.update(&(part.len() as u64).to_be_bytes()).update(&part);
        }
        Self { seal, place: PhantomData }
    }

    /// The token of a place.
    #[must_use]
    pub fn write(&self, place: &T) -> String {
        // A place is numbers and texts, which are always JSON.
        let place = serde_json::to_vec(place).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([self.seal_of(&place).as_slice(), &place].concat())
    }

    /// The place of a token; none: the beginning.
    ///
    /// # Errors
    /// Names `page_token` when it was not given out for this list and caller.
    pub fn read(&self, token: &str) -> Result<Option<T>, FieldViolation> {
        if token.is_empty() {
            return Ok(None);
        }
        let opened = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| {
            let (seal, place) = bytes.split_at_checked(SEAL)?;
            // Compared in constant time: a hash of the two tells nothing of where they differ.
            let same = blake3::hash(seal) == blake3::hash(&self.seal_of(place));
            same.then(|| serde_json::from_slice(place).ok()).flatten()
        });
        opened.map(Some).ok_or_else(|| FieldViolation::new("page_token", "is not one that was given out for this list"))
    }

    fn seal_of(&self, place: &[u8]) -> [u8; SEAL] {
        let mut seal = [0; SEAL];
        self.seal.clone().update(place).finalize_xof().fill(&mut seal);
        seal
    }
}

/// A request without what may differ from page to page.
fn list_of<R: Message + Name>(request: &R) -> Vec<u8> {
    let whole = request.encode_to_vec();
    let descriptor = insights_proto::descriptors().get_message_by_name(&R::full_name());
    let Some(mut list) = descriptor.and_then(|kind| DynamicMessage::decode(kind, whole.as_slice()).ok()) else {
        return whole;
    };
    OF_THE_PAGE.iter().for_each(|field| list.clear_field_by_name(field));
    list.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use insights_proto::{
        ingestion::v1::{ListRejectionsRequest, ListWaitingRequest},
        reporting::v1::ListSubscriptionPerformanceRequest,
    };

    use super::*;

    type Place = (String, i64);

    fn key() -> PageTokenKey {
        PageTokenKey::derived_from(b"a secret")
    }

    fn viewer() -> Viewer {
        Viewer::stored("contoso", "admin_agent", None)
    }

    fn request(batch_id: &str) -> ListRejectionsRequest {
        ListRejectionsRequest { batch_id: batch_id.into(), ..ListRejectionsRequest::default() }
    }

    fn tokens(subject: &str, viewer: &Viewer, batch_id: &str) -> PageToken<Place> {
        PageToken::of(&key(), subject, viewer, &request(batch_id))
    }

    #[test]
    fn a_token_goes_on_with_its_own_list_on_any_page() {
        let place = ("C-\"1\" ü".to_owned(), -7);
        let token = tokens("ada", &viewer(), "b").write(&place);
        let later = ListRejectionsRequest { page_size: 7, page_token: token.clone(), ..request("b") };
        let later = PageToken::<Place>::of(&key(), "ada", &viewer(), &later);
        assert_eq!(later.read(&token).unwrap(), Some(place));
        assert_eq!(later.read("").unwrap(), None);
    }

    #[test]
    fn a_token_of_another_caller_or_request_opens_nothing() {
        let token = tokens("ada", &viewer(), "b").write(&("C-1".into(), 1));
        let others = [
            tokens("bob", &viewer(), "b"),
            tokens("ada", &viewer(), "c"),
            tokens("ada", &Viewer::stored("fabrikam", "admin_agent", None), "b"),
            tokens("ada", &Viewer::stored("contoso", "global_admin", None), "b"),
            tokens("ada", &Viewer::stored("contoso", "admin_agent", Some("[]")), "b"),
            tokens("ada", &Viewer::stored("contoso", "admin_agent", Some("[\"L1\"]")), "b"),
            PageToken::of(&key(), "ada", &viewer(), &ListWaitingRequest::default()),
            PageToken::of(&key(), "ada", &viewer(), &ListSubscriptionPerformanceRequest::default()),
            PageToken::of(&PageTokenKey::derived_from(b"another"), "ada", &viewer(), &request("b")),
        ];
        for other in others {
            assert_eq!(other.read(&token).unwrap_err().field, "page_token");
        }
    }

    #[test]
    fn an_edited_token_opens_nothing() {
        let own = tokens("ada", &viewer(), "");
        let token = own.write(&("C-1".into(), 1));
        for at in 0..token.len() {
            for letter in [b'A', b'z', b'_'] {
                let mut edited = token.clone().into_bytes();
                edited[at] = letter;
                let edited = String::from_utf8(edited).unwrap();
                assert!(edited == token || own.read(&edited).is_err(), "{edited}");
            }
        }
        for nonsense in [".", "x", "AAAA", "ä", &token[..token.len() - 1], &format!("{token}A"), "0.1"] {
            assert_eq!(own.read(nonsense).unwrap_err().field, "page_token", "{nonsense}");
        }
    }

    #[test]
    fn sizes_of_pages_are_coerced() {
        assert_eq!([0, 1, 10, 11, i32::MAX].map(|asked| page_size(asked, 5, 10).unwrap()), [5, 1, 10, 10, 10]);
        assert_eq!(page_size(-1, 5, 10).unwrap_err().field, "page_size");
    }
}
