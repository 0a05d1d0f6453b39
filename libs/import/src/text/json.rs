//! Answers of web services as people save them: a page `{"value": […]}` or `{"items": […]}`, a bare list, or several of
//! these one after the other. Elements are taken one by one, so a list may be longer than the memory.

use std::{fmt, io::BufRead};

use insights_domain::calendar::Day;
use insights_domain::ids::canonical_id;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::reader::{DateOrder, Mending, Notes, ReadError, Rejection, Stopped};
use crate::text::dates::{self, Dated};
use crate::text::{numbers, values};

/// An element of a list.
pub(crate) struct Element {
    /// Its number, from 1, over all pages.
    pub(crate) row: u64,
    value: Value,
}

/// What is said about a list besides its elements.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// The last page says where the next one is, and there is none.
    pub(crate) cut_short: bool,
}

/// Gives every element to `take`. `list` is the member that holds the list.
pub(crate) fn each(
    input: &mut dyn BufRead,
    list: &'static str,
    take: &mut dyn FnMut(Element) -> Result<(), Stopped>,
) -> Result<Pages, ReadError> {
    let start = input.fill_buf()?;
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Err(ReadError::Refused("the file is UTF-16: save it as UTF-8".into()));
    }
    if start.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    let mut state = JsonState { list, take, row: 0, stopped: false, refused: None, pages: Pages::default() };
    let mut json = serde_json::Deserializer::from_reader(input);
    let mut first = true;
    // Pages may simply follow each other.
    while first || json.end().is_err() {
        first = false;
        state.pages.cut_short = false;
        if let Err(error) = (Page { state: &mut state }).deserialize(&mut json) {
            return Err(state.failure(error));
        }
    }
    Ok(state.pages)
}

struct JsonState<'a> {
    list: &'static str,
    take: &'a mut dyn FnMut(Element) -> Result<(), Stopped>,
    row: u64,
    stopped: bool,
    refused: Option<String>,
    pages: Pages,
}

impl JsonState<'_> {
    fn failure(self, error: serde_json::Error) -> ReadError {
        if self.stopped {
            return ReadError::Stopped;
        }
        if let Some(reason) = self.refused {
            return ReadError::Refused(reason);
        }
        if error.is_io() {
            return ReadError::Io(error.into());
        }
        let before = match self.row {
            0 => String::new(),
            1 => "; the element before was read".into(),
            row => format!("; the {row} elements before were read"),
        };
        ReadError::Refused(format!("the file is not valid JSON: {error}{before}"))
    }

    fn refuse<E: serde::de::Error>(&mut self, reason: String) -> E {
        self.refused = Some(reason);
        E::custom("refused")
    }
}

struct Page<'s, 'a> {
    state: &'s mut JsonState<'a>,
}

impl<'de> DeserializeSeed<'de> for Page<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Page<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "an object with the member {} or a list", self.state.list)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<(), A::Error> {
        List { state: self.state }.visit_seq(elements)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let state = self.state;
        let mut found = false;
        while let Some(name) = members.next_key::<String>()? {
            if name == state.list {
                members.next_value_seed(List { state: &mut *state })?;
                found = true;
            } else if name == "error" {
                let error: Value = members.next_value()?;
                let code = error.get("code").and_then(Value::as_str).unwrap_or("unknown").to_owned();
                return Err(state.refuse(format!("the file holds the answer to a request that failed: {code}")));
            } else if name == "@odata.nextLink" {
                state.pages.cut_short = !members.next_value::<Value>()?.is_null();
            } else if name == "links" {
                state.pages.cut_short = members.next_value::<Value>()?.get("next").is_some_and(Value::is_object);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        if found {
            return Ok(());
        }
        let list = state.list;
        Err(state.refuse(format!("the file lacks the required member {list}")))
    }
}

struct List<'s, 'a> {
    state: &'s mut JsonState<'a>,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a list as {}", self.state.list)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<Value>()? {
            self.state.row += 1;
            if (self.state.take)(Element { row: self.state.row, value }).is_err() {
                self.state.stopped = true;
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

impl Element {
    /// The member at a path such as `companyProfile.domain`; `null` is the same as absent.
    pub(crate) fn at(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.value, |value, name| value.get(name)).filter(|value| !value.is_null())
    }

    /// A text without blanks around it, or a number as text; none when it is empty or anything else.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        match self.at(path)? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    pub(crate) fn reject(&self, path: &str, reason: impl Into<String>) -> Rejection {
        if !self.value.is_object() {
            return Rejection { row: self.row, field: "element".into(), reason: "is not an object".into() };
        }
        Rejection { row: self.row, field: path.into(), reason: reason.into() }
    }

    pub(crate) fn required(&self, path: &str) -> Result<String, Rejection> {
        self.text(path).ok_or_else(|| self.reject(path, self.fault(path, "a text")))
    }

    /// A GUID in lower case, or another id as it stands.
    pub(crate) fn id(&self, path: &str) -> Result<String, Rejection> {
        self.required(path).map(|id| canonical_id(&id))
    }

    /// A number that cannot be negative, or one as text; none when it is absent or empty.
    pub(crate) fn count(&self, path: &str) -> Result<Option<i64>, Rejection> {
        let Some(value) = self.at(path) else { return Ok(None) };
        let read = match value {
            Value::String(text) => numbers::count(text, "seats"),
            Value::Number(number) => numbers::count(&number.to_string(), "seats"),
            value => Err(format!("{value} is not a whole number of seats")),
        };
        read.map_err(|reason| self.reject(path, reason))
    }

    pub(crate) fn required_count(&self, path: &str) -> Result<i64, Rejection> {
        self.count(path)?.ok_or_else(|| self.reject(path, "is missing"))
    }

    pub(crate) fn flag(&self, path: &str) -> Option<bool> {
        match self.at(path)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(word) => values::yes_or_no(word),
            Value::Number(number) => values::yes_or_no(&number.to_string()),
            _ => None,
        }
    }

    /// The day of a time that the row can do without; none when it is absent, stands for no day or is no date.
    pub(crate) fn day(&self, path: &str, order: Option<DateOrder>, notes: &mut Notes) -> Option<Day> {
        // PowerShell writes some times as objects that hold them as `value`.
        let value = self.at(path).map(|value| value.get("value").unwrap_or(value))?;
        let read = value.as_str().map(|text| if text.is_empty() { None } else { Some(dates::date(text, order)) });
        let mending = match read {
            Some(None) => return None,
            Some(Some(Ok(Dated::On(day)))) => return Some(day),
            Some(Some(Ok(Dated::Never))) => Mending::NoDay,
            Some(Some(Err(_))) | None => Mending::DateLeftOut,
        };
        notes.mended(self.row, path, mending);
        None
    }

    /// Gives every text in a member of a date to `take`.
    pub(crate) fn each_date(&self, take: &mut dyn FnMut(&str)) {
        each_date(&self.value, false, take);
    }

    /// One member of each element of a list within.
    pub(crate) fn each_text(&self, list: &str, name: &str) -> Vec<String> {
        let elements = self.at(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let texts = elements.iter().filter_map(|element| element.get(name)?.as_str());
        texts.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
    }

    fn fault(&self, path: &str, wanted: &str) -> String {
        if self.at(path).is_some_and(|value| !value.is_string()) {
            format!("is not {wanted}")
        } else {
            "is missing".into()
        }
    }
}

fn each_date(value: &Value, of_date: bool, take: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) if of_date => take(text),
        Value::Array(values) => values.iter().for_each(|value| each_date(value, of_date, take)),
        Value::Object(members) => {
            for (name, value) in members {
                each_date(value, of_date || name.to_ascii_lowercase().contains("date"), take);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<String>, bool), String> {
        let mut found = Vec::new();
        let pages = each(&mut text.as_bytes(), "value", &mut |element| {
            found.push(format!("{}:{}", element.row, element.value));
            Ok(())
        });
        pages.map(|pages| (found, pages.cut_short)).map_err(|error| error.to_string())
    }

    #[test]
    fn pages_follow_each_other_and_say_when_one_is_missing() {
        let found = read(
            "\u{feff}{\"a\": {\"value\": [9]}, \"value\": [1, {\"b\": 2}], \"@odata.nextLink\": \"https://x\"}\n {\"value\":[3]} [4]",
        );
        let texts = ["1:1", "2:{\"b\":2}", "3:3", "4:4"].map(str::to_owned).to_vec();
        assert_eq!(found, Ok((texts, false)));
        let cut = read("{\"value\": [], \"@odata.nextLink\": \"https://x\"}");
        assert_eq!(cut, Ok((Vec::new(), true)));
    }

    #[test]
    fn what_is_no_page_is_refused_with_the_reason() {
        let refused = |text: &str| read(text).unwrap_err();
        assert!(refused("{\"items\": []}").contains("the required member value"));
        assert!(refused("{\"error\": {\"code\": \"Forbidden\"}}").contains("Forbidden"));
        assert!(refused("{\"value\": 3}").contains("a list as value"));
        assert!(refused("").contains("JSON"));
        assert!(refused("{\"value\": [1, 2,").contains("the 2 elements before were read"));
        assert!(refused("Month,Customer\n").contains("not valid JSON"));
    }
}
