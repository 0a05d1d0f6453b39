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

/// A name as names of SKUs and products are compared.
pub fn folded_name(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase()
}

/// A decimal as millionths, half a millionth to the even one.
pub fn parse_micros(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 15 || fraction.len() > 18 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let parts: i128 = format!("{whole}{fraction:0<18}").parse().ok()?;
    let (down, rest, half) = (parts / 1_000_000_000_000, parts % 1_000_000_000_000, 500_000_000_000);
    let up = rest > half || rest == half && down % 2 == 1;
    let micros = down + i128::from(up);
    Some(if negative { -micros } else { micros })
}
