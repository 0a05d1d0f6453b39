//! How the same thing is written in several ways.

/// OneDrive is SharePoint.
pub fn fold(service: &str) -> String {
    match service.trim() {
        "OneDrive" | "OneDrive for Business" => "SharePoint".into(),
        other => other.into(),
    }
}

/// Trims an id, and lowers it when it is a GUID, within braces or parentheses or not.
pub fn canonical_id(id: &str) -> String {
    let id = id.trim();
    let around = id.starts_with('{') && id.ends_with('}') || id.starts_with('(') && id.ends_with(')');
    let inner = if around && id.len() > 1 { id[1..id.len() - 1].trim() } else { id };
    let groups: Vec<&str> = inner.split('-').collect();
    let guid = groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_hexdigit()));
    if guid { inner.to_lowercase() } else { id.to_owned() }
}

/// A decimal as millionths.
pub fn parse_micros(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 15 || fraction.len() > 6 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let micros: i128 = format!("{whole}{fraction:0<6}").parse().ok()?;
    Some(if negative { -micros } else { micros })
}
