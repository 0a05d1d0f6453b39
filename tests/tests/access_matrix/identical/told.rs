//! What a caller is told, and where two tellings differ.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use insights_tests::wire::Answer;

use super::callers::{CALLERS, Caller};

/// One answer, whole: what differs between two runs of one seeded by nature is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The caller's name.
    pub who: &'static str,
    /// What was called.
    pub path: String,
    /// What was asked.
    pub what: String,
    /// The answer: HTTP status, headers, body, gRPC code, message and details.
    pub answer: Vec<u8>,
}

/// Bytes of the seal in a page token.
const SEAL: usize = 16;

/// Headers that are of the moment and the connection, and not of the answer.
const OF_THE_MOMENT: [&str; 2] = ["date", "x-request-id"];

impl Told {
    /// An answer of gRPC. `random` are the ids and secrets made up in this run.
    pub fn of(who: &Caller, path: &str, what: &str, answer: &Answer, random: &[String]) -> Self {
        let mut headers: Vec<String> = answer
            .headers
            .iter()
            .filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        headers.sort();
        let mut bytes = format!("{}\n{}\n", answer.http, headers.join("\n")).into_bytes();
        bytes.extend_from_slice(&answer.body);
        if let Some(status) = &answer.status {
            bytes.extend(format!("\n{:?} {}\n", status.code(), status.message()).into_bytes());
            bytes.extend_from_slice(status.details());
        }
        Self::bytes(who, path, what, bytes, random)
    }

    /// Bytes of another kind.
    pub fn bytes(who: &Caller, path: &str, what: &str, mut bytes: Vec<u8>, random: &[String]) -> Self {
        for one in random {
            replace(&mut bytes, one.as_bytes());
        }
        Self { who: who.name, path: path.to_owned(), what: what.to_owned(), answer: bytes }
    }

    /// The same with the page token of the answer opened: its seal is made with a key of the installation, but the place that it
    /// names is that of the answer.
    pub fn with_page_token(mut self, token: &str, random: &[String]) -> Self {
        if token.is_empty() {
            return self;
        }
        replace(&mut self.answer, token.as_bytes());
        let mut place = URL_SAFE_NO_PAD.decode(token).expect("a page token").split_off(SEAL);
        random.iter().for_each(|one| replace(&mut place, one.as_bytes()));
        self.answer.extend(place);
        self
    }
}

/// Writes `*` over what is random; lengths stay as they are.
fn replace(bytes: &mut [u8], random: &[u8]) {
    let mut at = 0;
    while at + random.len() <= bytes.len() {
        if bytes[at..at + random.len()] == *random {
            bytes[at..at + random.len()].fill(b'*');
            at += random.len();
        } else {
            at += 1;
        }
    }
}

/// Where two tellings differ, by caller. Both must have been asked the same.
pub fn differences(one: &[Told], other: &[Told]) -> Vec<(&'static Caller, String)> {
    let asked =
        |told: &[Told]| told.iter().map(|told| (told.who, told.path.clone(), told.what.clone())).collect::<Vec<_>>();
    assert_eq!(asked(one), asked(other), "the same questions");
    let mut found = Vec::new();
    for (one, other) in std::iter::zip(one, other).filter(|(one, other)| one != other) {
        let caller = CALLERS.iter().find(|caller| caller.name == one.who).expect("a caller");
        let at = std::iter::zip(&one.answer, &other.answer).position(|(one, other)| one != other);
        let at = at.unwrap_or(one.answer.len().min(other.answer.len()));
        let near = |told: &Told| {
            let (from, to) = (at.saturating_sub(40).min(told.answer.len()), (at + 60).min(told.answer.len()));
            String::from_utf8_lossy(&told.answer[from..to]).escape_debug().to_string()
        };
        found.push((
            caller,
            format!("{} {} {}: at {at}: {:?} and {:?}", one.who, one.path, one.what, near(one), near(other)),
        ));
    }
    found
}
