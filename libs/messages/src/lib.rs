//! The words of the product in the languages it speaks, from Fluent files that are part of the program.

mod glossary;
mod language;
mod sentence;
mod titles;

use std::sync::LazyLock;

use fluent_bundle::{FluentResource, concurrent::FluentBundle};
use insights_proto::reporting::v1::AdviceCode;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

pub use fluent_bundle::{FluentArgs, FluentValue};
pub use glossary::{glossary, term_key};
pub use language::Language;
pub use sentence::Sentence;
pub use titles::{title, titles};

/// The files of a language: name and text.
macro_rules! files {
    ($language:literal) => {
        [
            ("titles.ftl", include_str!(concat!("../locales/", $language, "/titles.ftl"))),
            ("glossary.ftl", include_str!(concat!("../locales/", $language, "/glossary.ftl"))),
            ("report.ftl", include_str!(concat!("../locales/", $language, "/report.ftl"))),
            ("terminal.ftl", include_str!(concat!("../locales/", $language, "/terminal.ftl"))),
            ("countries.ftl", include_str!(concat!("../locales/", $language, "/countries.ftl"))),
            ("advice.ftl", include_str!(concat!("../locales/", $language, "/advice.ftl"))),
        ]
    };
}

type Bundle = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::English));
static PORTUGUESE: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::Portuguese));

impl Language {
    /// The files it is written in.
    fn files(self) -> [(&'static str, &'static str); 6] {
        match self {
            Self::English => files!("en"),
            Self::Portuguese => files!("pt"),
        }
    }

    fn bundle(self) -> &'static Bundle {
        match self {
            Self::English => &ENGLISH,
            Self::Portuguese => &PORTUGUESE,
        }
    }
}

/// What cannot be read of a file is left out; a test reads every file and every message.
fn bundle(language: Language) -> Bundle {
    let mut bundle = Bundle::new_concurrent(language.code().parse().into_iter().collect());
    // Values are numbers and names in a terminal; marks of direction around them would only show up in files.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(match language {
        Language::English => |value, _| written(value, Language::English),
        Language::Portuguese => |value, _| written(value, Language::Portuguese),
    }));
    for (_, text) in language.files() {
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// Numbers in texts are written as the language writes them.
fn written(value: &FluentValue<'_>, language: Language) -> Option<String> {
    match value {
        // Counts: whole, and far below 2^53.
        #[expect(clippy::cast_possible_truncation, reason = "a count")]
        FluentValue::Number(number) => Some(language.number(number.value as i64)),
        _ => None,
    }
}

/// A message, or an attribute of one, with its values filled in. What a language lacks is said in English.
fn message(language: Language, id: &str, attribute: Option<&str>, values: &[(&str, &str)]) -> Option<String> {
    filled(language, id, attribute, &values.iter().map(|(name, value)| (*name, *value)).collect())
}

/// The same with values some of which are numbers, which decide the forms of words.
fn filled(language: Language, id: &str, attribute: Option<&str>, values: &FluentArgs<'_>) -> Option<String> {
    let languages = [language, Language::English];
    languages.into_iter().find_map(|language| {
        let bundle = language.bundle();
        let message = bundle.get_message(id)?;
        let pattern = match attribute {
            Some(name) => message.get_attribute(name)?.value(),
            None => message.value()?,
        };
        Some(bundle.format_pattern(pattern, Some(values), &mut Vec::new()).into_owned())
    })
}

/// What a country is called, by its ISO 3166-1 alpha-2 code.
#[must_use]
pub fn country(language: Language, code: &str) -> Option<String> {
    message(language, &country_id(code), None, &[])
}

/// `DE` is `country-de`.
fn country_id(code: &str) -> String {
    format!("country-{}", code.to_lowercase())
}

/// A text as it is ordered and searched: without case and without accents.
#[must_use]
pub fn folded(text: &str) -> String {
    text.nfd().filter(|part| !is_combining_mark(*part)).collect::<String>().to_lowercase()
}

/// What the advice of a rule says, or a part of it.
#[must_use]
pub fn advice(language: Language, code: AdviceCode, part: Option<&str>, values: &FluentArgs<'_>) -> String {
    filled(language, &advice_id(code), part, values).unwrap_or_default()
}

/// So many advice of a rule, in a few words.
#[must_use]
pub fn advice_counted(language: Language, code: AdviceCode, count: i64) -> String {
    let mut values = FluentArgs::new();
    values.set("count", count);
    let said = filled(language, &advice_id(code), Some("counted"), &values);
    said.unwrap_or_else(|| format!("{} {}", language.number(count), title(language, code.as_str_name())))
}

/// The message of a rule's advice: `ADVICE_CODE_IDLE_SEATS` is `advice-idle-seats`.
fn advice_id(code: AdviceCode) -> String {
    format!("advice-{}", id_of(code.as_str_name().trim_start_matches("ADVICE_CODE_")))
}

/// The name of an enum's value as the id of a message: `FIGURE_NET_ADDED` is `figure-net-added`.
fn id_of(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests;
