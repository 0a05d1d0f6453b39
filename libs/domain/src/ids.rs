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

/// The form in which an id is stored and compared: trimmed, a GUID in lower case, every other id exactly as it came.
pub fn canonical_id(id: &str) -> String {
    let id = id.trim();
    if is_guid(id) { id.to_ascii_lowercase() } else { id.to_owned() }
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
    fn only_guids_lose_their_case() {
        assert_eq!(canonical_id(&format!(" {GUID}\t")), GUID.to_lowercase());
        assert_eq!(canonical_id(" Contoso-1 "), "Contoso-1");
        assert_eq!(canonical_id("  "), "");
    }
}
