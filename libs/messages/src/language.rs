//! The languages there are, and which of them somebody wants.

use std::sync::LazyLock;

use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use unic_langid::LanguageIdentifier;

/// A longer wish is cut off, in bytes.
const WISH_BYTES: usize = 1024;

static AVAILABLE: LazyLock<Vec<LanguageIdentifier>> =
    LazyLock::new(|| Language::ALL.iter().filter_map(|language| language.code().parse().ok()).collect());

/// A language the product speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Portuguese.
    Portuguese,
}

impl Language {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::English, Self::Portuguese];

    /// Its tag, such as `pt`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt",
        }
    }

    /// The best for a wish as in HTTP: `pt-BR, en;q=0.5`. English when there is none of those wanted.
    #[must_use]
    pub fn wanted(wish: &str) -> Self {
        let wish = &wish[..wish.floor_char_boundary(WISH_BYTES)];
        let mut wanted: Vec<(f32, LanguageIdentifier)> = wish.split(',').filter_map(weighed).collect();
        // Equal weights in the order in which they were said.
        wanted.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let wanted: Vec<LanguageIdentifier> = wanted.into_iter().map(|(_, language)| language).collect();
        let found = negotiate_languages(&wanted, &AVAILABLE, None, NegotiationStrategy::Lookup);
        let found = found.first().map(|language| language.language.to_string());
        Self::ALL.into_iter().find(|language| found.as_deref() == Some(language.code())).unwrap_or_default()
    }

    /// The language of a locale of the environment, such as `pt_BR.UTF-8`.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        let tag = locale.split(['.', '@']).next().unwrap_or_default();
        Self::wanted(&tag.replace('_', "-"))
    }

    /// A whole number with its thousands apart.
    #[must_use]
    pub fn number(self, number: i64) -> String {
        let digits = number.unsigned_abs().to_string();
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(self.marks().0);
            }
            text.push(digit);
        }
        if number < 0 { format!("-{text}") } else { text }
    }

    /// A number as the program writes it, with the decimal mark of the language.
    #[must_use]
    pub fn decimal(self, number: &str) -> String {
        number.replace('.', &self.marks().1.to_string())
    }

    /// What stands between thousands, and before decimals.
    const fn marks(self) -> (char, char) {
        match self {
            Self::English => (',', '.'),
            Self::Portuguese => ('.', ','),
        }
    }
}

/// `pt-BR;q=0.8`, unless it is not wanted or not a language.
fn weighed(entry: &str) -> Option<(f32, LanguageIdentifier)> {
    let mut parts = entry.split(';').map(str::trim);
    let language = parts.next()?.parse().ok()?;
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |weight| weight.parse().ok());
    weight.filter(|weight| *weight > 0.0).map(|weight| (weight, language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_there_is_of_those_wanted() {
        for (wish, code) in [
            ("", "en"),
            ("pt", "pt"),
            ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
            ("PT-pt", "pt"),
            ("de, pt;q=0.1", "pt"),
            ("en;q=0.1, pt;q=0.9", "pt"),
            ("pt;q=0", "en"),
            ("en-GB,pt", "en"),
            ("de", "en"),
            ("*", "en"),
            (";;;,,q=1,\u{ff}", "en"),
            ("pt;q=x", "en"),
        ] {
            assert_eq!(Language::wanted(wish).code(), code, "{wish}");
        }
        assert_eq!(Language::wanted(&"é".repeat(WISH_BYTES)), Language::English);
    }

    #[test]
    fn locales_name_languages() {
        for (locale, code) in [("pt_BR.UTF-8", "pt"), ("pt", "pt"), ("C.UTF-8", "en"), ("en_US@x", "en"), ("", "en")] {
            assert_eq!(Language::of_locale(locale).code(), code, "{locale}");
        }
    }

    #[test]
    fn numbers_have_the_marks_of_their_language() {
        assert_eq!(Language::English.number(-1_234_567), "-1,234,567");
        assert_eq!(Language::Portuguese.number(1_234_567), "1.234.567");
        assert_eq!(Language::Portuguese.number(999), "999");
        assert_eq!(Language::Portuguese.decimal("26.16"), "26,16");
        assert_eq!(Language::English.decimal("26.16"), "26.16");
    }
}
