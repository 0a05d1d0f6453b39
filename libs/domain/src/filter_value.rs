//! How the value of a filter is compared with the values in the data.

use crate::facts::Seller;
use crate::ids::canonical_id;
use crate::service_fold;
use crate::standing::Standing;

/// What the values of a dimension are, which decides how a filter's value is compared with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// `true` or `false`, in any case.
    Flag,
    /// The name of a [`Seller`], in any case.
    Seller,
    /// The name of a [`Standing`], in any case.
    Standing,
    /// A country's code, in any case.
    Country,
    /// The name of a service, under which [`service_fold`] counts it.
    Service,
    /// An id: see [`canonical_id`].
    Id,
    /// A text of a source, compared exactly.
    Text,
}

/// A value that is none of the words its kind allows. The message follows the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not {}", expected(*.0))]
pub struct UnknownWord(ValueKind);

impl ValueKind {
    /// The value as the data has it, trimmed.
    ///
    /// # Errors
    /// A closed kind does not have the word.
    pub fn normalise(self, text: &str) -> Result<String, UnknownWord> {
        let text = text.trim();
        match self {
            Self::Flag | Self::Seller | Self::Standing => {
                let word = self.words().into_iter().find(|word| word.eq_ignore_ascii_case(text));
                word.map(str::to_owned).ok_or(UnknownWord(self))
            }
            Self::Country => Ok(text.to_ascii_uppercase()),
            Self::Service => Ok(service_fold(text).to_owned()),
            Self::Id => Ok(canonical_id(text)),
            Self::Text => Ok(text.to_owned()),
        }
    }

    /// The value as [`Self::normalise`] gives it; a word that a closed kind does not have stays as it is, and equals no value.
    pub fn comparable(self, text: &str) -> String {
        self.normalise(text).unwrap_or_else(|_| text.trim().to_owned())
    }

    /// Every value of a closed kind, in their order; empty for an open one.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::Flag => vec!["true", "false"],
            Self::Seller => Seller::ALL.map(Seller::name).to_vec(),
            Self::Standing => Standing::ALL.map(Standing::name).to_vec(),
            Self::Country | Self::Service | Self::Id | Self::Text => Vec::new(),
        }
    }
}

/// The words a kind allows, as a message lists them.
fn expected(kind: ValueKind) -> String {
    let words = kind.words();
    let listed = match words.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => words.concat(),
    };
    if kind == ValueKind::Standing { format!("a standing: {listed}") } else { listed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_compared_in_its_own_way() {
        let guid = "8A3F2C1E-0B4D-4F6A-9C8E-1234567890AB";
        let cases = [
            (ValueKind::Flag, " TRUE ", "true"),
            (ValueKind::Seller, "Own", "own"),
            (ValueKind::Standing, "grace", "GRACE"),
            (ValueKind::Country, " br", "BR"),
            (ValueKind::Service, "OneDrive for Business", "SharePoint"),
            (ValueKind::Service, "Teams", "Teams"),
            (ValueKind::Id, guid, "8a3f2c1e-0b4d-4f6a-9c8e-1234567890ab"),
            (ValueKind::Id, " C-1", "C-1"),
            (ValueKind::Text, " Retail ", "Retail"),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(kind.normalise(text).as_deref(), Ok(expected), "{kind:?}");
            assert_eq!(kind.comparable(text), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_closed_kind_says_which_words_it_has() {
        let message = |kind: ValueKind| kind.normalise(" Perhaps ").unwrap_err().to_string();
        assert_eq!(message(ValueKind::Flag), "is not true or false");
        assert_eq!(message(ValueKind::Seller), "is not own, other or direct");
        assert_eq!(
            message(ValueKind::Standing),
            "is not a standing: ACTIVE, GRACE, SUSPENDED, DISABLED, UPGRADED, PENDING or OTHER"
        );
        assert_eq!(ValueKind::Flag.comparable(" Perhaps "), "Perhaps");
    }

    #[test]
    fn the_words_of_a_closed_kind_are_values_of_it() {
        for kind in [ValueKind::Flag, ValueKind::Seller, ValueKind::Standing] {
            for word in kind.words() {
                assert_eq!(kind.normalise(&word.to_uppercase()).as_deref(), Ok(word));
            }
        }
        assert!(ValueKind::Country.words().is_empty());
    }
}
