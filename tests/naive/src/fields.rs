//! Fields of one line, each read and checked.

use crate::calendar::{Month, parse_day};
use crate::record::{Attribution, Fault, Owner};
use crate::spelling::canonical_id;
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

/// A line, and the partner's today.
#[allow(missing_docs)]
pub struct Line {
    pub value: Value,
    pub today: NaiveDate,
}

#[allow(missing_docs)]
impl Line {
    pub fn text(&self, field: &str) -> Result<Option<String>, Fault> {
        match self.value.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("{field}: not a text")),
        }
    }

    pub fn required(&self, field: &str) -> Result<String, Fault> {
        match self.text(field)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(format!("{field}: missing")),
        }
    }

    /// Ids are trimmed; GUIDs are compared in lower case.
    pub fn id(&self, field: &str) -> Result<String, Fault> {
        self.required(field).map(|id| canonical_id(&id))
    }

    pub fn optional_id(&self, field: &str) -> Result<Option<String>, Fault> {
        Ok(self.text(field)?.map(|id| canonical_id(&id)))
    }

    /// User ids are trimmed and compared in lower case.
    pub fn user(&self) -> Result<String, Fault> {
        let user = self.id("user_id")?.to_lowercase();
        if ["(unknown)", "unknown"].contains(&user.as_str()) { Err("user_id: nobody".into()) } else { Ok(user) }
    }

    pub fn texts(&self, field: &str) -> Result<Vec<String>, Fault> {
        let Some(value) = self.value.get(field) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or(format!("{field}: not a list"))?;
        items.iter().map(|item| item.as_str().map(str::to_owned).ok_or(format!("{field}: not texts"))).collect()
    }

    /// Ids, each once.
    pub fn ids(&self, field: &str) -> Result<Vec<String>, Fault> {
        let mut ids: Vec<String> = self.texts(field)?.iter().map(|id| canonical_id(id)).collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    pub fn flag(&self, field: &str) -> Result<Option<bool>, Fault> {
        match self.value.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(format!("{field}: not true or false")),
        }
    }

    pub fn count(&self, field: &str) -> Result<Option<u64>, Fault> {
        match self.value.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(count) if count <= u64::from(u32::MAX) => Ok(Some(count)),
                _ => Err(format!("{field}: not a count")),
            },
        }
    }

    pub fn day(&self, field: &str) -> Result<Option<NaiveDate>, Fault> {
        match self.text(field)? {
            None => Ok(None),
            Some(text) => parse_day(&text).map(Some).ok_or(format!("{field}: not a day")),
        }
    }

    /// A `day`, `effective` or `from` after today is refused.
    pub fn past(&self, field: &str) -> Result<NaiveDate, Fault> {
        match self.day(field)?.ok_or(format!("{field}: missing"))? {
            day if day > self.today => Err(format!("{field}: after today")),
            day => Ok(day),
        }
    }

    /// A day that may be missing; the years 1900 to 2199 hold days, others stand for none.
    pub fn end(&self, field: &str) -> Result<Option<String>, Fault> {
        let in_calendar = |text: &String| {
            text.get(..4).and_then(|year| year.parse().ok()).is_none_or(|year: i32| (1900..2200).contains(&year))
        };
        Ok(self.text(field)?.filter(|text| !text.is_empty() && in_calendar(text)))
    }

    /// `to` is the first day no longer held, so it lies after `from`.
    pub fn interval(&self) -> Result<(NaiveDate, Option<NaiveDate>), Fault> {
        let to = self.end("to")?.map(|text| parse_day(&text).ok_or("to: not a day".to_owned())).transpose()?;
        let from = self.past("from")?;
        if to.is_some_and(|to| to <= from) {
            return Err("to: not after from".into());
        }
        Ok((from, to))
    }

    pub fn time(&self, field: &str) -> Result<Option<DateTime<Utc>>, Fault> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let time = DateTime::parse_from_rfc3339(&text).map_err(|e| format!("{field}: {e}"))?;
        Ok(Some(time.with_timezone(&Utc)))
    }

    pub fn month(&self) -> Result<Month, Fault> {
        Month::parse(&self.required("month")?).ok_or("month: not a month".into())
    }

    pub fn country(&self, field: &str) -> Result<Option<String>, Fault> {
        match self.text(field)? {
            Some(code) if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()) => {
                Err(format!("{field}: not a country"))
            }
            code => Ok(code),
        }
    }

    pub fn currency(&self) -> Result<Option<String>, Fault> {
        match self.text("currency")? {
            Some(code) if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) => {
                Err("currency: not a currency".into())
            }
            code => Ok(code),
        }
    }

    pub fn seller(&self) -> Result<Option<String>, Fault> {
        match self.text("seller")? {
            Some(seller) if !["own", "other", "direct"].contains(&seller.as_str()) => Err("seller: unknown".into()),
            seller => Ok(seller),
        }
    }

    pub fn owner(&self) -> Result<Owner, Fault> {
        match self.optional_id("subscription_id")? {
            Some(subscription) => Ok(Owner::Subscription(subscription)),
            None => Ok(Owner::CustomerSku(self.id("customer_id")?, self.id("sku_id")?)),
        }
    }

    /// The part of a subscription that a row is about.
    pub fn part(&self) -> Result<Option<String>, Fault> {
        match self.owner()? {
            Owner::Subscription(_) => self.optional_id("sku_id"),
            Owner::CustomerSku(..) => Ok(None),
        }
    }

    pub fn attributions(&self) -> Result<Vec<Attribution>, Fault> {
        let Some(value) = self.value.get("attributions") else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or("attributions: not a list")?;
        let mut attributions = Vec::new();
        for item in items {
            let item = Line { value: item.clone(), today: self.today };
            attributions.push((item.optional_id("location_id")?, item.text("type")?));
        }
        attributions.sort();
        attributions.dedup();
        Ok(attributions)
    }
}
