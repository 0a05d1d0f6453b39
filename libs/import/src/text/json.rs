//! Answers of web services as people save them: a page `{"value": […]}` or `{"items": […]}`, a bare list, one object where a
//! list has one element, or several of these one after the other. Elements are taken one by one, so a list may be longer than
//! the memory. PowerShell wraps lists as `{"value": […], "Count": 1}` and unwraps lists of one.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
    rc::Rc,
};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::reader::{ReadError, Stopped};
use crate::text::answers;
use crate::text::element::{Element, LISTS, member, page_list, revived};

/// An element that is longer than this many bytes is none of a list's, and must not fill the memory.
const MAX_ELEMENT: u64 = 16 << 20;

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
    let quotes = Quotes::default();
    let mut json = serde_json::Deserializer::from_reader(Metered { inner: input, left: left_of_input, quotes });
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
    quotes: Quotes,
}

/// Where a text is between quotes.
#[derive(Default)]
struct Quotes {
    within: bool,
    escaped: bool,
}

impl Quotes {
    /// Makes blanks of byte order marks between elements: pages that each begin with one may have been put one after the other.
    /// No other byte of a mark is JSON there.
    fn without_marks(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            match *byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = self.within,
                b'"' => self.within = !self.within,
                0xef | 0xbb | 0xbf if !self.within => *byte = b' ',
                _ => {}
            }
        }
    }
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.quotes.without_marks(&mut buffer[..count]);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Notes;

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
            "\u{feff}{\"items\": {\"id\": 1}}\n\u{feff}{\"items\": {\"id\": 2}}",
        ] {
            assert_eq!(read(text), two, "{text}");
        }
        let marked = Ok((vec!["1:\"\\\"\u{feff}ï\"".to_owned()], false));
        assert_eq!(read("[\"\\\"\u{feff}ï\"]"), marked, "within a text it stays");
        assert!(read("{\"items\": []} é").is_err());
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
