//! An element of a list in JSON, and its members. PowerShell writes names in other cases, times as `/Date(…)/`, and what lies
//! too deep as `@{Name=Value}`: all of it is read.

use insights_domain::{calendar::Day, ids::canonical_id};
use serde_json::{Map, Value};

use crate::reader::{DateOrder, Mending, Notes, Rejection};
use crate::text::dates::{self, Dated};
use crate::text::{numbers, values};

/// Names of the member that holds a page's list, in lower case.
pub(super) const LISTS: [&str; 2] = ["items", "value"];

/// An element of a list.
pub(crate) struct Element {
    /// Its number, from 1, over all pages.
    pub(crate) row: u64,
    pub(super) value: Value,
}

/// The name of the member that holds the list, where an object is a page.
pub(super) fn page_list(object: &Map<String, Value>) -> Option<String> {
    let is_list = |name: &&String| LISTS.iter().any(|list| name.eq_ignore_ascii_case(list));
    object.keys().filter(is_list).find(|name| matches!(object[*name], Value::Array(_) | Value::Object(_))).cloned()
}

/// A member by its name, whatever its case.
pub(super) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let members = value.as_object()?;
    let alike = || members.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    members.get(name).or_else(alike)
}

/// Makes objects again of what PowerShell wrote as `@{Name=Value; Other=Value}` because it lay too deep.
pub(super) fn revived(mut value: Value) -> Value {
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
            Value::String(text) => Some(values::tidy(text.trim()).into_owned()).filter(|text| !text.is_empty()),
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

    /// The same where PowerShell gives the member the name of `other`.
    pub(crate) fn id_or(&self, path: &str, other: &str) -> Result<String, Rejection> {
        if self.text(path).is_none() && self.text(other).is_some() { self.id(other) } else { self.id(path) }
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
