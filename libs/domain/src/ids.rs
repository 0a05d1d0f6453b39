//! Ids of customers, subscriptions, SKUs and locations, and how they are compared.

/// Length of a GUID's text in bytes.
pub const GUID_LENGTH: usize = 36;

/// Whether a text is a GUID: 8-4-4-4-12 hexadecimal digits in any case, without braces or a prefix.
pub fn is_guid(text: &str) -> bool {
    text.len() == GUID_LENGTH
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The form in which an id is stored and compared: trimmed, a GUID in lower case and without the braces or parentheses that some
/// systems put around it, every other id exactly as it came.
pub fn canonical_id(id: &str) -> String {
    let id = id.trim();
    let bare = [('{', '}'), ('(', ')')].iter().find_map(|(open, close)| id.strip_prefix(*open)?.strip_suffix(*close));
    match bare.map(str::trim).filter(|bare| is_guid(bare)) {
        Some(guid) => guid.to_ascii_lowercase(),
        None if is_guid(id) => id.to_ascii_lowercase(),
        None => id.to_owned(),
    }
}

/// How names of SKUs and products are compared: without case, with one blank between words. Sources that have no ids for SKUs name
/// them, each in a spelling of its own.
pub fn folded_name(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for word in name.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded.make_ascii_lowercase();
    folded
}

/// Whether two names have one [`folded_name`].
pub fn same_name(one: &str, other: &str) -> bool {
    let (mut words, mut others) = (one.split_whitespace(), other.split_whitespace());
    loop {
        match (words.next(), others.next()) {
            (None, None) => return true,
            (Some(word), Some(other)) if word.eq_ignore_ascii_case(other) => {}
            _ => return false,
        }
    }
}

/// Whether a name begins with another, as names are compared.
pub fn name_begins(name: &str, start: &str) -> bool {
    folded_name(name).starts_with(&folded_name(start))
}

/// Whether a user's id is what sources write for users whom they do not know: one text for several.
pub fn names_no_user(id: &str) -> bool {
    let word = id.trim();
    let bare = word.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(word);
    bare.trim().eq_ignore_ascii_case("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "8A3F2C1e-0b4d-4F6A-9c8e-1234567890ab";

    #[test]
    fn a_guid_is_thirty_two_digits_in_five_groups() {
        assert_eq!(GUID.len(), GUID_LENGTH);
        assert!(is_guid(GUID) && is_guid(&GUID.to_uppercase()));
        let braces = format!("{{{GUID}}}");
        let no_digit = GUID.replace('8', "g");
        for other in ["", &GUID[1..], &GUID.replace('-', ""), &braces, &no_digit, &GUID.replace('-', "_")] {
            assert!(!is_guid(other), "{other}");
        }
        assert!(!is_guid(&"é".repeat(GUID_LENGTH / 2)));
    }

    #[test]
    fn only_guids_lose_their_case_and_what_stands_around_them() {
        for spelled in
            [GUID.into(), format!(" {GUID}\t"), format!("{{{GUID}}}"), format!(" {{ {GUID} }} "), format!("({GUID})")]
        {
            assert_eq!(canonical_id(&spelled), GUID.to_lowercase(), "{spelled}");
        }
        for other in ["{C-1}", "(C-1)", "{", "{}", "()"] {
            assert_eq!(canonical_id(other), other);
        }
        assert_eq!(canonical_id(&format!("{{{GUID}")), format!("{{{GUID}"));
        assert_eq!(canonical_id(" Contoso-1 "), "Contoso-1");
        assert_eq!(canonical_id("  "), "");
    }

    #[test]
    fn names_are_compared_without_case_and_blanks() {
        let name = "sample 365 e3";
        for spelled in ["Sample 365 E3", " SAMPLE 365  e3 ", "sample\u{a0}365\tE3"] {
            assert_eq!(folded_name(spelled), name);
            assert!(same_name(spelled, name), "{spelled}");
            assert!(name_begins(spelled, "Sample  365"), "{spelled}");
        }
        assert!(!name_begins("A sample 365", "Sample 365"));
        for other in ["sample 365e3", "sample 365", "sample 365 e3 x", ""] {
            assert_ne!(folded_name(other), name);
            assert!(!same_name(other, name), "{other}");
        }
    }

    #[test]
    fn unknown_is_no_user() {
        for nobody in ["(Unknown)", " (unknown) ", "( UNKNOWN )", "Unknown"] {
            assert!(names_no_user(nobody), "{nobody}");
        }
        for user in ["(Unknown", "unknown@x.example", "(Unknown) 1", "", "()"] {
            assert!(!names_no_user(user), "{user}");
        }
    }
}
