//! Reads the fields of one record, one by one.

use chrono::DateTime;
use insights_domain::{amount::Amount, calendar::Day};
use insights_proto::ingestion::v1::{Attribution, Precedence};
use prost_types::Timestamp;
use serde_json::{Map, Value};

use super::{FieldFault, FieldShape, Need, RecordField};
use crate::reader::{Mending, Notes, RecordKind, without_end};
use crate::text::dates::{self, Dated};
use crate::text::{numbers, values};

/// Takes the fields of a record one by one and remembers the first fault.
pub(super) struct RecordFields {
    pub(super) kind: RecordKind,
    map: Map<String, Value>,
    fault: Option<FieldFault>,
    /// What was done to which fields.
    mended: Vec<(&'static str, Mending)>,
    /// Which fields were asked for; kept where a kind is asked what fields it has.
    seen: Option<Vec<RecordField>>,
}

impl RecordFields {
    pub(super) fn new(kind: RecordKind, map: Map<String, Value>) -> Self {
        Self { kind, map, fault: None, mended: Vec::new(), seen: None }
    }

    /// Empty, and keeps which fields it is asked for.
    pub(super) fn recording(kind: RecordKind) -> Self {
        Self { seen: Some(Vec::new()), ..Self::new(kind, Map::new()) }
    }

    /// The fields it was asked for.
    pub(super) fn seen(self) -> Vec<RecordField> {
        self.seen.unwrap_or_default()
    }

    /// `null` is the same as absent.
    fn value(&mut self, name: &'static str, shape: FieldShape, need: Need) -> Option<Value> {
        if let Some(seen) = &mut self.seen {
            seen.push(RecordField { name, shape, need });
        }
        self.map.remove(name).filter(|value| !value.is_null())
    }

    fn string(&mut self, name: &'static str, shape: FieldShape, need: Need) -> Option<String> {
        match self.value(name, shape, need) {
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.blame(name, "must be a string".into());
                None
            }
            None => {
                if need == Need::Required {
                    self.blame(name, "is missing".into());
                }
                None
            }
        }
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.string(name, FieldShape::Text, Need::Optional)
    }

    pub(super) fn one_of(&mut self, name: &'static str, need: Need) -> Option<String> {
        self.string(name, FieldShape::Text, need)
    }

    pub(super) fn required(&mut self, name: &'static str) -> String {
        self.string(name, FieldShape::Text, Need::Required).unwrap_or_default()
    }

    pub(super) fn day(&mut self, name: &'static str) -> String {
        self.string(name, FieldShape::Day, Need::Required).unwrap_or_default()
    }

    /// A day; one that stands for none, as 9999-12-31 does, is none.
    pub(super) fn optional_day(&mut self, name: &'static str) -> Option<String> {
        let text = self.string(name, FieldShape::Day, Need::Optional)?;
        let never = text.parse::<Day>().is_err() && dates::date(text.trim(), None) == Ok(Dated::Never);
        if never {
            self.mended.push((name, Mending::NoDay));
        }
        Some(text).filter(|_| !never)
    }

    /// A day that no figure needs; what is none is left out.
    pub(super) fn spare_day(&mut self, name: &'static str) -> Option<String> {
        let text = self.optional_day(name).filter(|text| !text.trim().is_empty())?;
        if text.parse::<Day>().is_ok() {
            return Some(text);
        }
        let day = match dates::date(&text, None) {
            Ok(Dated::On(day)) => Some(day.to_string()),
            Ok(Dated::Never) | Err(_) => None,
        };
        if day.is_none() {
            self.mended.push((name, Mending::DateLeftOut));
        }
        day
    }

    /// A required amount, as text or as a number, with the decimals that are kept. What is none is left for the server to refuse.
    pub(super) fn amount(&mut self, name: &'static str) -> String {
        let text = match self.value(name, FieldShape::Text, Need::Required) {
            Some(Value::String(text)) => text,
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => {
                self.blame(name, "must be a decimal number".into());
                return String::new();
            }
            None => {
                self.blame(name, "is missing".into());
                return String::new();
            }
        };
        match numbers::amount(&text) {
            _ if text.parse::<Amount>().is_ok() => text,
            Ok(Some(amount)) => {
                if amount.rounded {
                    self.mended.push((name, Mending::Rounded));
                }
                amount.text
            }
            Ok(None) | Err(_) => text,
        }
    }

    /// A required number of seats.
    pub(super) fn seats(&mut self, name: &'static str) -> Option<i64> {
        let seats = self.whole(name, Need::Required);
        if seats.is_some_and(without_end) {
            self.mended.push((name, Mending::SeatsWithoutEnd));
        }
        seats
    }

    pub(super) fn month(&mut self, name: &'static str) -> String {
        self.string(name, FieldShape::Month, Need::Required).unwrap_or_default()
    }

    pub(super) fn count(&mut self, name: &'static str) -> Option<i64> {
        self.whole(name, Need::Optional)
    }

    /// A record without it is refused by the server, a table without its column at once.
    pub(super) fn needed_count(&mut self, name: &'static str) -> Option<i64> {
        self.whole(name, Need::Required)
    }

    fn whole(&mut self, name: &'static str, need: Need) -> Option<i64> {
        // Beyond it a float no longer tells whole numbers apart.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let value = self.value(name, FieldShape::Count, need)?;
        let float = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < EXACT);
        let text = || value.as_str().and_then(|text| numbers::count(text, "").ok().flatten());
        let count = value.as_i64().or_else(|| float().map(|number| number as i64)).or_else(text);
        if count.is_none() {
            self.blame(name, format!("{value} is not a whole number"));
        }
        count
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.value(name, FieldShape::Flag, Need::Optional)?;
        let flag = match &value {
            Value::String(word) => values::yes_or_no(word),
            Value::Number(number) => values::yes_or_no(&number.to_string()),
            value => value.as_bool(),
        };
        if flag.is_none() {
            self.blame(name, format!("{value} is neither true nor false"));
        }
        flag
    }

    fn list(&mut self, name: &'static str, shape: FieldShape) -> Vec<Value> {
        match self.value(name, shape, Need::Optional) {
            None => Vec::new(),
            Some(Value::Array(values)) => values,
            Some(_) => {
                self.blame(name, "must be a list".into());
                Vec::new()
            }
        }
    }

    pub(super) fn texts(&mut self, name: &'static str) -> Vec<String> {
        let mut texts = Vec::new();
        for value in self.list(name, FieldShape::Texts) {
            match value {
                Value::String(text) => texts.push(text),
                _ => self.blame(name, "must be a list of strings".into()),
            }
        }
        texts
    }

    pub(super) fn attributions(&mut self) -> Vec<Attribution> {
        let mut attributions = Vec::new();
        for (at, value) in self.list("attributions", FieldShape::Attributions).into_iter().enumerate() {
            let path = format!("attributions[{at}]");
            let Value::Object(map) = value else {
                self.blame(&path, "must be an object with location_id and type".into());
                continue;
            };
            let mut inner = RecordFields::new(self.kind, map);
            attributions.push(Attribution { location_id: inner.text("location_id"), r#type: inner.text("type") });
            if let Err((field, reason)) = inner.judged() {
                let name = field.rsplit('.').next().unwrap_or_default();
                self.blame(&format!("{path}.{name}"), reason);
            }
        }
        attributions
    }

    pub(super) fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        let text = self.string(name, FieldShape::Time, Need::Optional)?;
        if text.trim().get(..10).is_some_and(Day::is_never) {
            self.mended.push((name, Mending::NoDay));
            return None;
        }
        match DateTime::parse_from_rfc3339(text.trim()) {
            Ok(time) => Some(Timestamp {
                seconds: time.timestamp(),
                nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default().min(999_999_999),
            }),
            Err(_) => {
                self.blame(name, format!("\"{text}\" is not a time of RFC 3339, such as 2024-03-01T12:00:00Z"));
                None
            }
        }
    }

    /// How much the sender knows; absent: everything, as the source itself.
    pub(super) fn precedence(&mut self) -> Precedence {
        let Some(name) = self.text("precedence") else { return Precedence::Unspecified };
        let known = Precedence::from_str_name(&format!("PRECEDENCE_{}", name.trim().to_ascii_uppercase()));
        known.filter(|precedence| *precedence != Precedence::Unspecified).unwrap_or_else(|| {
            self.blame("precedence", format!("\"{name}\" is not named, listed, first_sight, described or known"));
            Precedence::Unspecified
        })
    }

    pub(super) fn blame(&mut self, name: &str, reason: String) {
        let kind = self.kind.name();
        self.fault.get_or_insert_with(|| (format!("{kind}.{name}"), reason));
    }

    /// The first fault, if there is one; else what was done is noted.
    pub(super) fn finish(mut self, row: u64, notes: &mut Notes) -> Result<(), FieldFault> {
        let mended = std::mem::take(&mut self.mended);
        let kind = self.kind.name();
        self.judged()?;
        mended.into_iter().for_each(|(name, what)| notes.mended(row, &format!("{kind}.{name}"), what));
        Ok(())
    }

    fn judged(mut self) -> Result<(), FieldFault> {
        if let Some(name) = self.map.keys().next().cloned() {
            let kind = self.kind.name();
            self.blame(&name, format!("is not a field of {kind}"));
        }
        self.fault.map_or(Ok(()), Err)
    }
}
