//! Answers of web services as people save them: a page `{"value": […]}` or `{"items": […]}`, a bare list, one object where a
//! list has one element, or several of these one after the other. Elements are taken one by one, so a list may be longer than
//! the memory.
//!
//! PowerShell writes names in other cases, wraps lists as `{"value": […], "Count": 1}`, unwraps lists of one, writes times as
//! `/Date(…)/` and what lies too deep as `@{Name=Value}`: all of it is read.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
    rc::Rc,
};

use insights_domain::calendar::Day;
use insights_domain::ids::canonical_id;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::reader::{DateOrder, Mending, Notes, ReadError, Rejection, Stopped};
use crate::text::dates::{self, Dated};
use crate::text::{answers, numbers, values};

/// Names of the member that holds a page's list, in lower case.
const LISTS: [&str; 2] = ["items", "value"];
/// An element that is longer than this many bytes is none of a list's, and must not fill the memory.
const MAX_ELEMENT: u64 = 16 << 20;

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
    /// Where the pages come from, as far as they say.
    pub(crate) context: String,
    /// Elements found.
    found: u64,
    /// How many elements each page announces, where it does, and has.
    announced: Vec<(u64, u64)>,
    /// Pages, those that name a next one, and those that are not the first.
    pages: usize,
    with_next: usize,
    later: usize,
}

/// What one page says about the list.
#[derive(Default)]
struct PageMembers {
    announced: Option<u64>,
    has_next: bool,
    is_later: bool,
}

impl Pages {
    fn page(&mut self, page: &PageMembers, found: u64) {
        self.pages += 1;
        self.found += found;
        self.announced.extend(page.announced.map(|announced| (announced, found)));
        self.with_next += usize::from(page.has_next);
        self.later += usize::from(page.is_later);
    }

    /// Whether the list is all there: no page names a next one that is missing, one of them is the first, and there are as many
    /// elements as they announce. Some announce the elements of the page, others those of the whole list.
    pub(crate) fn is_whole(&self) -> bool {
        let by_page = self.announced.iter().all(|(announced, found)| announced == found);
        let by_list = self.announced.iter().all(|(announced, _)| *announced == self.found);
        let pages = self.pages.max(1);
        self.with_next < pages && self.later < pages && (by_page || by_list)
    }
}

/// Gives every element to `take`. `list` is the member that usually holds the list.
pub(crate) fn each(
    input: &mut dyn BufRead,
    list: &'static str,
    take: &mut dyn FnMut(Element) -> Result<(), Stopped>,
) -> Result<Pages, ReadError> {
    let left = Rc::new(Cell::new(MAX_ELEMENT));
    let left_of_input = Rc::clone(&left);
    let mut state = JsonState { list, take, row: 0, stopped: false, refused: None, pages: Pages::default(), left };
    let mut json = serde_json::Deserializer::from_reader(Metered { inner: input, left: left_of_input });
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

/// Reads no more than an element may have before the next one begins.
struct Metered<'a> {
    inner: &'a mut dyn BufRead,
    left: Rc<Cell<u64>>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.left.get().checked_sub(count as u64);
        let longer = || io::Error::other(format!("an element is longer than {} MiB", MAX_ELEMENT >> 20));
        self.left.set(left.ok_or_else(longer)?);
        Ok(count)
    }
}

struct JsonState<'a> {
    list: &'static str,
    take: &'a mut dyn FnMut(Element) -> Result<(), Stopped>,
    row: u64,
    stopped: bool,
    refused: Option<String>,
    pages: Pages,
    left: Rc<Cell<u64>>,
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
        let what = if error.is_eof() { "the file breaks off" } else { "the file is not valid JSON" };
        ReadError::Refused(format!("{what}: {error}{before}"))
    }

    fn refuse<E: serde::de::Error>(&mut self, reason: String) -> E {
        self.refused = Some(reason);
        E::custom("refused")
    }

    /// Takes an element, or those of a list or a page that stands where one was expected.
    fn give<E: serde::de::Error>(&mut self, value: Value) -> Result<(), E> {
        match value {
            Value::Array(elements) => elements.into_iter().try_for_each(|element| self.give(element)),
            Value::Object(mut page) => match page_list(&page) {
                Some(list) => {
                    let (said, before) = (self.page(&page), self.row);
                    self.give(page.remove(&list).unwrap_or_default())?;
                    self.pages.page(&said, self.row - before);
                    Ok(())
                }
                None => self.element(Value::Object(page)),
            },
            value => self.element(value),
        }
    }

    fn element<E: serde::de::Error>(&mut self, value: Value) -> Result<(), E> {
        self.row += 1;
        self.left.set(MAX_ELEMENT);
        if (self.take)(Element { row: self.row, value: revived(value) }).is_err() {
            self.stopped = true;
            return Err(E::custom("stopped"));
        }
        Ok(())
    }

    /// Notes what a page says besides its list.
    fn page(&mut self, members: &Map<String, Value>) -> PageMembers {
        let mut page = PageMembers::default();
        for (name, value) in members {
            match name.to_ascii_lowercase().as_str() {
                "@odata.nextlink" | "odata.nextlink" => {
                    page.has_next = !value.is_null();
                    self.pages.cut_short = page.has_next;
                }
                "totalcount" | "@odata.count" | "count" => page.announced = value.as_u64(),
                "@odata.context" | "odata.metadata" => {
                    self.pages.context = value.as_str().unwrap_or_default().to_ascii_lowercase();
                }
                "links" => {
                    page.has_next |= member(value, "next").is_some_and(Value::is_object);
                    self.pages.cut_short |= page.has_next;
                    let own = member(value, "self").and_then(|own| member(own, "uri")).and_then(Value::as_str);
                    let own = own.unwrap_or_default().to_ascii_lowercase();
                    page.is_later =
                        member(value, "previous").is_some_and(Value::is_object) || own.contains("seekoperation=");
                    self.pages.context.push_str(&own);
                }
                _ => {}
            }
        }
        page
    }
}

/// The name of the member that holds the list, where an object is a page.
fn page_list(object: &Map<String, Value>) -> Option<String> {
    let is_list = |name: &&String| LISTS.iter().any(|list| name.eq_ignore_ascii_case(list));
    object.keys().filter(is_list).find(|name| matches!(object[*name], Value::Array(_) | Value::Object(_))).cloned()
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

    /// PowerShell writes `null` for a list of nothing.
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<(), A::Error> {
        List { state: self.state }.visit_seq(elements).map(drop)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let state = self.state;
        let mut found = false;
        let before = state.row;
        let mut others = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = if LISTS.iter().any(|list| name.eq_ignore_ascii_case(list)) {
                members.next_value_seed(List { state: &mut *state })?
            } else {
                Some(members.next_value::<Value>()?)
            };
            match value {
                Some(value) => drop(others.insert(name, value)),
                None => found = true,
            }
        }
        if let Some(answer) = answers::of_json(&others, !found) {
            return Err(state.refuse(answer));
        }
        let page = state.page(&others);
        if found {
            state.pages.page(&page, state.row - before);
            return Ok(());
        }
        if others.is_empty() {
            let list = state.list;
            return Err(state.refuse(format!("the file lacks the required member {list}")));
        }
        // A list of one, as PowerShell writes it; or a line of many.
        state.pages.cut_short = false;
        state.element(Value::Object(others))
    }
}

struct List<'s, 'a> {
    state: &'s mut JsonState<'a>,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Gives nothing back where there is a list, and what is there instead where there is none.
impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = Option<Value>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a list as {}", self.state.list)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Option<Value>, A::Error> {
        while let Some(value) = elements.next_element::<Value>()? {
            self.state.give::<A::Error>(value)?;
        }
        Ok(None)
    }

    /// A list of one, or a list in a wrapper of its own.
    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Option<Value>, A::Error> {
        let value = serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(members))?;
        self.state.give::<A::Error>(value)?;
        Ok(None)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Option<Value>, E> {
        Ok(Some(Value::String(text.to_owned())))
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<Option<Value>, E> {
        Ok(Some(Value::Bool(flag)))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Option<Value>, E> {
        Ok(Some(number.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Option<Value>, E> {
        Ok(Some(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Option<Value>, E> {
        Ok(Some(number.into()))
    }
}

/// A member by its name, whatever its case.
fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let members = value.as_object()?;
    let alike = || members.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    members.get(name).or_else(alike)
}

/// Makes objects again of what PowerShell wrote as `@{Name=Value; Other=Value}` because it lay too deep.
fn revived(mut value: Value) -> Value {
    let inner = |text: &str| text.strip_prefix("@{").and_then(|text| text.strip_suffix('}')).map(str::to_owned);
    match &mut value {
        Value::String(text) => match inner(text) {
            Some(text) => text.split("; ").filter_map(|part| part.split_once('=')).map(revived_member).collect(),
            None => value,
        },
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| *element = revived(std::mem::take(element)));
            value
        }
        Value::Object(members) => {
            members.values_mut().for_each(|member| *member = revived(std::mem::take(member)));
            value
        }
        _ => value,
    }
}

fn revived_member((name, text): (&str, &str)) -> (String, Value) {
    let value = match text {
        "" => Value::Null,
        text => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
    };
    (name.to_owned(), value)
}

impl Element {
    /// The member at a path such as `companyProfile.domain`, whatever the case of its names; `null` is the same as absent.
    pub(crate) fn at(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.value, member).filter(|value| !value.is_null())
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

    /// A word that some write as a number: its place in `words`.
    pub(crate) fn word(&self, path: &str, words: &[&str]) -> Result<String, Rejection> {
        let text = self.required(path)?;
        let Ok(number) = text.parse::<usize>() else { return Ok(text) };
        let word = words.get(number).map(|word| (*word).to_owned());
        word.ok_or_else(|| self.reject(path, format!("{number} stands for no known word")))
    }

    /// The day of a time that the row can do without; none when it is absent, stands for no day or is no date.
    pub(crate) fn day(&self, path: &str, order: Option<DateOrder>, notes: &mut Notes) -> Option<Day> {
        // PowerShell writes some times as objects that hold them as `value`.
        let value = self.at(path).map(|value| member(value, "value").unwrap_or(value))?;
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

    /// What it is as a whole.
    pub(crate) fn into_value(self) -> Value {
        self.value
    }

    /// The members with their names, where the element is an object.
    pub(crate) fn members(&self) -> Option<&Map<String, Value>> {
        self.value.as_object()
    }

    /// One member of each element of a list within.
    pub(crate) fn each_text(&self, list: &str, name: &str) -> Vec<String> {
        let texts = self.list(list).iter().filter_map(|element| member(element, name)?.as_str());
        texts.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
    }

    /// Whether what stands for a list within is but the name of a type: PowerShell writes no deeper than it is told.
    pub(crate) fn is_cut_off(&self, list: &str) -> bool {
        self.list(list).first().is_some_and(Value::is_string)
    }

    /// A list within; one object, or a wrapper with a list, stands for a list as well.
    fn list(&self, path: &str) -> &[Value] {
        let Some(value) = self.at(path) else { return &[] };
        let list = value.as_object().and_then(page_list).and_then(|list| value.get(&list)).unwrap_or(value);
        list.as_array().map_or_else(|| std::slice::from_ref(list), Vec::as_slice)
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

    fn is_whole(text: &str) -> bool {
        each(&mut text.as_bytes(), "value", &mut |_| Ok(())).unwrap().is_whole()
    }

    #[test]
    fn a_list_is_whole_when_every_page_and_element_is_there() {
        for whole in [
            r#"{"value": []}"#,
            "[1, 2]",
            r#"{"value": [1], "totalCount": 1}"#,
            r#"{"value": [1], "@odata.count": 2, "@odata.nextLink": "x"} {"value": [2]}"#,
            r#"{"value": [1], "totalCount": 1, "links": {"next": {}}} {"value": [2], "totalCount": 1, "links": {"previous": {}}}"#,
        ] {
            assert!(is_whole(whole), "{whole}");
        }
        for part in [
            r#"{"value": [1], "totalCount": 2}"#,
            r#"{"value": [1], "@odata.nextLink": "x"}"#,
            r#"{"value": [1], "@odata.nextLink": "x"} {"value": [2], "@odata.nextLink": "y"}"#,
            r#"{"value": [1], "@odata.count": 3, "@odata.nextLink": "x"} {"value": [2]}"#,
            r#"{"value": [1], "links": {"self": {"uri": "/customers?size=1&seekOperation=Next"}}}"#,
        ] {
            assert!(!is_whole(part), "{part}");
        }
    }

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
            "{\"a\": {\"value\": [9]}, \"value\": [1, {\"b\": 2}], \"@odata.nextLink\": \"https://x\"}\n {\"value\":[3]} [4]",
        );
        let texts = ["1:1", "2:{\"b\":2}", "3:3", "4:4"].map(str::to_owned).to_vec();
        assert_eq!(found, Ok((texts, false)));
        let cut = read("{\"value\": [], \"@odata.nextLink\": \"https://x\"}");
        assert_eq!(cut, Ok((Vec::new(), true)));
        let cut = read("{\"links\": {\"next\": {\"uri\": \"x\"}}, \"Items\": [1]}");
        assert_eq!(cut, Ok((vec!["1:1".to_owned()], true)));
    }

    #[test]
    fn a_list_is_found_in_whatever_it_is_wrapped() {
        let two = Ok((vec!["1:{\"id\":1}".to_owned(), "2:{\"id\":2}".to_owned()], false));
        for text in [
            "[{\"id\": 1}, {\"id\": 2}]",
            "{\"items\": [{\"id\": 1}, {\"id\": 2}]}",
            "{\"value\": [{\"id\": 1}, {\"id\": 2}], \"Count\": 2}",
            "{\"Items\": {\"value\": [{\"id\": 1}, {\"id\": 2}], \"Count\": 2}}",
            "{\"id\": 1}\n{\"id\": 2}\n",
            "[{\"value\": [{\"id\": 1}]}, {\"value\": [{\"id\": 2}]}]",
            "[[{\"id\": 1}], [{\"id\": 2}]]",
            "{\"items\": {\"id\": 1}}{\"items\": {\"id\": 2}}",
        ] {
            assert_eq!(read(text), two, "{text}");
        }
        for text in ["[]", "null", "{\"items\": []}", "{\"value\": null}"] {
            assert_eq!(read(text), Ok((Vec::new(), false)), "{text}");
        }
    }

    #[test]
    fn what_powershell_makes_of_an_element_is_read() {
        let mut seen = 0;
        let text = r#"{"PrepaidUnits": "@{Enabled=300; Warning=}", "Created": "/Date(1736467200000)/", "Status": 2,
            "Ended": {"value": "/Date(1736553600000+0100)/", "DateTime": "x"}, "Plans": {"Name": "A"}, "More": "System.Object[]"}"#;
        each(&mut text.as_bytes(), "value", &mut |element| {
            assert_eq!(element.count("prepaidUnits.enabled").unwrap(), Some(300));
            assert_eq!(element.count("prepaidUnits.warning").unwrap(), None);
            let day = |path| element.day(path, None, &mut Notes::default()).map(|day| day.to_string());
            assert_eq!(day("created").as_deref(), Some("2025-01-10"));
            assert_eq!(day("ended").as_deref(), Some("2025-01-11"));
            assert_eq!(element.word("status", &["none", "active", "suspended"]).unwrap(), "suspended");
            assert!(element.word("status", &["none"]).is_err());
            assert_eq!(element.each_text("plans", "name"), ["A"]);
            assert!(element.is_cut_off("more") && !element.is_cut_off("plans") && !element.is_cut_off("none"));
            seen += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, 1);
    }

    #[test]
    fn what_is_no_page_is_refused_with_the_reason() {
        let refused = |text: &str| read(text).unwrap_err();
        assert!(refused("{\"error\": {\"code\": \"Forbidden\"}}").contains("Forbidden"));
        assert!(refused("").contains("breaks off"));
        assert!(refused("{\"value\": [1, 2,").contains("the 2 elements before were read"));
        assert!(refused("Month,Customer\n").contains("not valid JSON"));
        assert!(refused(&format!("[\"{}\"]", "x".repeat(17 << 20))).contains("longer than 16 MiB"));
    }
}
