//! Texts that stand for somebody: found in other texts, and concealed there.

use std::collections::HashSet;

/// Fewest letters of a text that is looked for within others; a shorter one is found only where it stands alone.
const WITHIN: usize = 5;

/// Texts that stand for somebody, compared without case and the blanks around them.
#[derive(Clone, Debug, Default)]
pub struct PersonalTexts {
    whole: HashSet<String>,
    within: Vec<String>,
}

impl PersonalTexts {
    /// These texts; blank ones stand for nobody.
    pub fn new(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let folded = texts.into_iter().map(|text| text.as_ref().trim().to_lowercase());
        let whole: HashSet<String> = folded.filter(|text| !text.is_empty()).collect();
        let within = whole.iter().filter(|text| text.chars().count() >= WITHIN).cloned().collect();
        Self { whole, within }
    }

    /// Whether a text is one of them.
    pub fn are(&self, text: &str) -> bool {
        self.whole.contains(&text.trim().to_lowercase())
    }

    /// Whether a text is one of them, or has one that stands by itself.
    pub fn stand_in(&self, text: &str) -> bool {
        let folded = text.trim().to_lowercase();
        self.whole.contains(&folded) || self.within.iter().any(|part| stands_in(&folded, part))
    }

    /// Whether a string of a JSON text is one of them. The text may be cut off.
    pub fn are_in_json(&self, json: &str) -> bool {
        strings(json).any(|string| self.are(&string.text))
    }

    /// A JSON text whose strings that have one of them are replaced; none: there are no such strings. The text may be cut off.
    pub fn conceal(&self, json: &str, placeholder: &str) -> Option<String> {
        let mut concealed = String::new();
        let mut from = 0;
        for string in strings(json).filter(|string| self.stand_in(&string.text)) {
            concealed.push_str(&json[from..string.start]);
            concealed.push_str(placeholder);
            from = string.end;
        }
        (from > 0).then(|| concealed + &json[from..])
    }
}

fn stands_in(text: &str, part: &str) -> bool {
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    text.match_indices(part)
        .any(|(at, part)| !is_word(text[..at].chars().next_back()) && !is_word(text[at + part.len()..].chars().next()))
}

/// A string of a JSON text: where its content is, and what it says.
struct JsonString {
    start: usize,
    end: usize,
    text: String,
}

fn strings(json: &str) -> impl Iterator<Item = JsonString> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + json[at..].find('"')? + 1;
        let (mut end, mut text) = (start, String::new());
        while let Some(letter) = json[end..].chars().next().filter(|letter| *letter != '"') {
            end += letter.len_utf8();
            let (said, length) = if letter == '\\' { escaped(&json[end..]) } else { (Some(letter), 0) };
            text.extend(said);
            end += length;
        }
        at = (end + 1).min(json.len());
        Some(JsonString { start, end, text })
    })
}

/// What stands after a backslash, and its length.
fn escaped(rest: &str) -> (Option<char>, usize) {
    let Some(letter) = rest.chars().next() else { return (None, 0) };
    let add = |code: u32, digit: char| Some(code * 16 + digit.to_digit(16)?);
    let code = || rest.get(1..5).and_then(|digits| digits.chars().try_fold(0, add));
    match letter {
        'n' => (Some('\n'), 1),
        'r' => (Some('\r'), 1),
        't' => (Some('\t'), 1),
        'u' => code().map_or((None, 1), |code| (char::from_u32(code), 5)),
        other => (Some(other), other.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_concealed_where_they_stand_by_themselves() {
        let texts = PersonalTexts::new(["C-1", " Contoso GmbH ", "ada@contoso.example", "Käse\u{201c} AG", ""]);
        let conceal = |json: &str| texts.conceal(json, "(erased)");
        for (json, concealed) in [
            (r#"{"ids":["c-1","C-10"],"n":1}"#, Some(r#"{"ids":["(erased)","C-10"],"n":1}"#)),
            (r#"{"search":"of contoso gmbh."}"#, Some(r#"{"search":"(erased)"}"#)),
            (r#"{"a":"x \"ada@Contoso.example\"","b":"C-1 "}"#, Some(r#"{"a":"(erased)","b":"(erased)"}"#)),
            (r#"{"a":"k\u00e4se\u201C ag"}"#, Some(r#"{"a":"(erased)"}"#)),
            (r#"{"a":"\\","b":"C-1"#, Some(r#"{"a":"\\","b":"(erased)"#)),
            (r#"{"a":"contoso gmbhx","b":"the C-1 of it","c":"\u12"#, None),
            ("C-1", None),
            ("", None),
        ] {
            assert_eq!(conceal(json).as_deref(), concealed, "{json}");
        }
        assert!(texts.are_in_json(r#"{"name":"CONTOSO gmbh"}"#));
        assert!(!texts.are_in_json(r#"{"name":"Contoso GmbH 2"}"#), "another one's name may begin so");
        assert!(texts.stand_in("line 7: Contoso GmbH has no country") && !texts.stand_in("line 7: C-1"));
    }
}
