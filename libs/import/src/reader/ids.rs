//! How ids are compared.

/// Whether a text is a GUID.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// GUIDs are compared in lower case, other ids as they are.
#[must_use]
pub fn canonical_id(id: String) -> String {
    if is_guid(&id) { id.to_ascii_lowercase() } else { id }
}
