//! Files that hold no report but what a server or another program gave instead: a web page, an answer of refusal, a picture.

use serde_json::{Map, Value};

/// How much of a text is searched for words.
const SEARCHED: usize = 16 << 10;
/// What is quoted of an answer.
const QUOTED: usize = 160;
const AGAIN: &str = "download it again";

/// Words by which an answer says why it refuses, in lower case, and what to do then. The first that is found decides.
const WHY: &[(&[&str], &str)] = &[
    (
        &["too many requests", "toomanyrequests", "rate limit", "throttl", "429"],
        "the server was asked too often: wait some minutes, then download it again",
    ),
    (
        &[
            "authenticationfailed",
            "signature not valid",
            "token is expired",
            "tokenexpired",
            "invalidauthenticationtoken",
            "expired",
        ],
        "the link or the token has expired: ask for a new one, then download it again",
    ),
    (
        &["sign in", "signin", "log in", "login", "unauthorized", "401", "password"],
        "it was asked for without a valid sign-in: sign in or use a valid token, then download it again",
    ),
    (
        &["forbidden", "accessdenied", "access denied", "authorization_requestdenied", "403"],
        "the account may not read it: use one with the role that the guide names, then download it again",
    ),
    (&["not found", "notfound", "404"], "there is nothing at that address: check it, then download it again"),
];

/// What to do about an answer that says this.
fn advice(text: &str) -> &'static str {
    let text = text.to_lowercase();
    // A number is a word by itself.
    let says = |word: &str| {
        let number = word.bytes().all(|byte| byte.is_ascii_digit());
        if number { text.split(|c: char| !c.is_alphanumeric()).any(|own| own == word) } else { text.contains(word) }
    };
    let of = WHY.iter().find(|(words, _)| words.iter().any(|word| says(word)));
    of.map_or(AGAIN, |(_, advice)| advice)
}

/// A text on one line, and not more of it than people read.
fn quoted(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|it| !it.is_empty()).collect();
    let text = words.join(" ");
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What a file of another program is by its first bytes, and whether a report may be in it.
pub(crate) fn of_bytes(start: &[u8]) -> Option<(&'static str, bool)> {
    const OLD: &str = "it is a workbook of Excel before 2007, or one with a password: save it as .xlsx without one, or as \"CSV UTF-8\"";
    const TAR: &str = "it is a tar archive: unpack it and import what is in it";
    const KINDS: &[(&[u8], &str, bool)] = &[
        (b"\xd0\xcf\x11\xe0", OLD, true),
        (b"7z\xbc\xaf\x27\x1c", "it is packed by 7-Zip: unpack it and import what is in it", true),
        (b"Rar!", "it is packed by RAR: unpack it and import what is in it", true),
        (b"BZh", "it is packed by bzip2: unpack it and import what is in it", true),
        (b"\xfd7zXZ", "it is packed by xz: unpack it and import what is in it", true),
        (b"\x28\xb5\x2f\xfd", "it is packed by zstd: unpack it and import what is in it", true),
        (b"%PDF", "it is a PDF: export the report as CSV", false),
        (b"\x89PNG", "it is a picture", false),
        (b"\xff\xd8\xff", "it is a picture", false),
        (b"GIF8", "it is a picture", false),
        (b"SQLite format 3", "it is a database", false),
        (b"\x7fELF", "it is a program", false),
        (b"MZ\x90", "it is a program", false),
    ];
    let tar = start.get(257..262).is_some_and(|mark| mark == b"ustar").then_some((TAR, true));
    let found = KINDS.iter().find(|(mark, ..)| start.starts_with(mark));
    found.map(|(_, kind, report)| (*kind, *report)).or(tar)
}

/// What a text is where it is an answer and no report: a web page, XML, the headers of an answer, a sentence.
pub(crate) fn of_text(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&text[..text.len().min(SEARCHED)]);
    let text = text.trim_start();
    let lower = text.to_ascii_lowercase();
    if let Some(rest) = text.strip_prefix("HTTP/").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        let status = rest.split_once(' ').map_or("", |(_, status)| status.lines().next().unwrap_or_default());
        let (status, next) = (
            quoted(status),
            if status.starts_with('2') { "save it without them (curl without -i)" } else { advice(status) },
        );
        return Some(format!("it begins with the headers of an answer ({status}): {next}"));
    }
    if !text.starts_with('<') {
        return None;
    }
    if lower.contains("urn:schemas-microsoft-com:office:") {
        return Some("it is a workbook saved as XML or as a web page: save it as .xlsx, or as \"CSV UTF-8\"".into());
    }
    let is_page = ["<!doctype html", "<html", "<head", "<body", "<table"].iter().any(|tag| lower.contains(tag));
    if is_page {
        let title = tag(text, &lower, "title").or_else(|| tag(text, &lower, "h1")).unwrap_or_default();
        let next = match advice(&title) {
            // Numbers in the text of a page are colours and sizes.
            AGAIN => advice(&lower.replace(|c: char| c.is_ascii_digit(), "")),
            next => next,
        };
        let title = if title.is_empty() { title } else { format!(" (\"{title}\")") };
        return Some(format!("it is a web page{title}, no report: {next}"));
    }
    let is_refusal = ["error", "fault", "exception"].iter().any(|word| lower.contains(word));
    if is_refusal {
        let parts =
            ["code", "message", "m:code", "m:message", "faultstring"].iter().filter_map(|name| tag(text, &lower, name));
        let said = parts.collect::<Vec<_>>().join(": ");
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        return Some(format!("it is the answer to a request that failed{said}; {}", advice(&lower)));
    }
    Some("it is XML, which no report comes as: download it as CSV or JSON".into())
}

/// How sentences begin that refuse.
const REFUSALS: [&str; 14] = [
    "too many requests",
    "rate limit",
    "request rate",
    "throttl",
    "unauthorized",
    "forbidden",
    "access denied",
    "access is denied",
    "service unavailable",
    "bad gateway",
    "gateway timeout",
    "internal server error",
    "not found",
    "authentication failed",
];

/// What a short text without columns is, where it is a sentence that refuses.
pub(crate) fn of_sentence(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?.trim();
    // Such as `429 Too Many Requests` or `Error: Forbidden`.
    let start = text.trim_start_matches(|c: char| c.is_ascii_digit() || c.is_whitespace()).to_lowercase();
    let start = start.strip_prefix("error:").map_or(start.as_str(), str::trim_start);
    let refuses = text.len() < 500 && text.lines().count() < 4 && REFUSALS.iter().any(|word| start.starts_with(word));
    refuses.then(|| format!("it is the answer to a request that failed: {}; {}", quoted(text), advice(text)))
}

/// The text within a tag.
fn tag(text: &str, lower: &str, name: &str) -> Option<String> {
    let start = lower.find(&format!("<{name}>")).map(|at| at + name.len() + 2);
    let start =
        start.or_else(|| lower.find(&format!("<{name} ")).and_then(|at| Some(at + lower[at..].find('>')? + 1)))?;
    let end = start + lower[start..].find("</")?;
    Some(quoted(&text[start..end])).filter(|text| !text.is_empty())
}

/// What an object is, where it is an answer that refuses; `alone`: it holds no list.
pub(crate) fn of_json(members: &Map<String, Value>, alone: bool) -> Option<String> {
    let get = |name: &str| members.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    if alone && get("statusCode").is_some() && get("content").is_some_and(Value::is_string) {
        return Some("it is an answer as Invoke-WebRequest holds it: save what is in its Content alone".into());
    }
    if alone && get("responses").is_some_and(Value::is_array) {
        return Some("it is the answer to a batch of requests: save the body of each by itself".into());
    }
    let error = ["error", "odata.error", "fault"].iter().find_map(|name| get(name)).filter(|error| !error.is_null());
    let refuses = alone && get("id").is_none() && members.len() <= 10;
    let coded = get("code").or_else(|| get("statusCode")).or_else(|| get("status")).filter(|code| !code.is_boolean());
    let words = || ["message", "description", "title", "detail", "error_description"].iter().find_map(|name| get(name));
    let said = match error {
        Some(Value::Object(error)) => {
            let of = |name: &str| {
                error.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| spelled(value))
            };
            [of("code"), of("message").or_else(|| of("faultstring"))]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(": ")
        }
        Some(error) => {
            [Some(spelled(error)), words().map(spelled)].into_iter().flatten().collect::<Vec<_>>().join(": ")
        }
        None if refuses && (coded.is_some() && words().is_some() || members.len() <= 2 && get("message").is_some()) => {
            [coded.map(spelled), words().map(spelled)].into_iter().flatten().collect::<Vec<_>>().join(": ")
        }
        None => return None,
    };
    let said = if said.is_empty() { "it does not say why".to_owned() } else { quoted(&said) };
    Some(format!("the file holds the answer to a request that failed: {said}; {}", advice(&said)))
}

/// A text as it is; of an object, the text that it wraps.
fn spelled(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(wrapped) => wrapped.get("value").map(spelled).unwrap_or_default(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_say_what_they_are_and_what_to_do() {
        for (text, said, advice) in [
            (
                "<!DOCTYPE html><html><title>429 Too Many Requests</title>",
                "a web page (\"429 Too Many Requests\")",
                "wait",
            ),
            ("<html><head><title lang=en>\nSign in\nto your account</title>", "\"Sign in to your account\"", "sign in"),
            ("<html></html>", "a web page, no report", "download it again"),
            (
                "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>x</Message></Error>",
                "AuthenticationFailed: x",
                "expired",
            ),
            ("<m:error><m:code>Forbidden</m:code></m:error>", "failed: Forbidden", "role"),
            ("<a/>", "XML", "CSV"),
            (
                "<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">",
                "workbook",
                ".xlsx",
            ),
            (
                "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 9",
                "headers of an answer (429 Too Many Requests)",
                "wait",
            ),
            ("HTTP/2 200\r\n\r\n{}", "headers of an answer (200)", "without them"),
        ] {
            let found = of_text(text.as_bytes()).unwrap();
            assert!(found.contains(said) && found.contains(advice), "{text}: {found}");
        }
        assert_eq!(of_text(b"Month,Customer\n1,2"), None);
        assert!(of_sentence(b"Rate limit is exceeded. Try again in 9 seconds.").unwrap().contains("wait"));
        assert!(of_sentence(b"429 Too Many Requests\n").unwrap().contains("wait"));
        assert_eq!(of_sentence(b"Remember the milk, and the login of row 429."), None);
        let page = of_text(b"<html><style>a { color: #429; width: 401px }</style>").unwrap();
        assert!(page.ends_with(AGAIN), "{page}");
    }

    #[test]
    fn refusals_in_json_are_told_from_elements() {
        let of = |text: &str, alone| of_json(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap(), alone);
        for (text, said) in [
            (
                r#"{"error": {"code": "TooManyRequests", "message": "slow down"}}"#,
                "TooManyRequests: slow down; the server was asked too often",
            ),
            (
                r#"{"error": "invalid_grant", "error_description": "AADSTS700082: expired"}"#,
                "invalid_grant: AADSTS700082",
            ),
            (r#"{"code": 2000, "description": "Not here", "data": [], "source": "x"}"#, "2000: Not here"),
            (r#"{"statusCode": 404, "message": "Resource not found"}"#, "404: Resource not found; there is nothing"),
            (r#"{"Message": "Authorization has been denied for this request."}"#, "Authorization has been denied"),
            (r#"{"odata.error": {"code": "X", "message": {"lang": "en", "value": "Y"}}}"#, "X: Y"),
            (r#"{"error": {}}"#, "it does not say why"),
            (r#"{"StatusCode": 200, "Content": "{}", "Headers": {}}"#, "save what is in its Content"),
            (r#"{"responses": [{"id": "1", "body": {"value": []}}]}"#, "the body of each"),
        ] {
            let found = of(text, true).unwrap_or_else(|| panic!("{text}"));
            assert!(found.contains(said), "{text}: {found}");
        }
        assert_eq!(of(r#"{"id": "1", "status": "active", "description": "x"}"#, true), None);
        assert_eq!(of(r#"{"totalCount": 1, "error": null}"#, false), None);
        assert_eq!(of(r#"{"kind": "customer", "customer_id": "C"}"#, true), None);
        assert_eq!(of(r#"{"name": "reports", "description": "x"}"#, true), None);
    }
}
