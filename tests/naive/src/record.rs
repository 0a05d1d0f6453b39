//! One line of our ndjson records, read and checked.

use crate::calendar::{Month, parse_day};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

/// (partner location, attribution type); either may be missing.
pub type Attribution = (Option<String>, Option<String>);

/// A record of any kind, fields as in the documentation of the formats.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Record {
    Partner { time_zone: Option<String>, currency: Option<String> },
    Location { location: String },
    Sku { sku: String, product: String, services: Vec<String>, free: bool },
    Customer { customer: String, country: Option<String>, segment: Option<String>, industry: Option<String> },
    Subscription(Subscription),
    State { subscription: String, effective: NaiveDate, status: String, seats: u32, sku: Option<String>, trial: Option<bool> },
    Assignment { subscription: String, user: String, from: NaiveDate, to: Option<NaiveDate> },
    Licensed { customer: String, user: String, service: String, from: NaiveDate, to: Option<NaiveDate> },
    Activity { customer: String, user: String, service: String, day: NaiveDate },
    Revenue { of: Owner, month: Month, micros: i128, currency: String, seller: Option<String> },
    SupportCases { customer: String, month: Month },
    ReportedSeats { of: Owner, month: Month, row: ReportedSeats },
    ReportedUsage { customer: String, service: String, month: Month, row: ReportedUsage },
    Retract { what: String, customer: Option<String>, service: Option<String>, from: NaiveDate, to: NaiveDate },
    CompleteThrough { day: NaiveDate },
}

/// A customer's purchase of a SKU.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Subscription {
    pub id: String,
    pub customer: String,
    pub sku: String,
    pub sales_channel: Option<String>,
    pub pricing_model: Option<String>,
    pub seller: String,
    pub trial: bool,
    pub attributions: Vec<Attribution>,
}

/// What a revenue record or a reported row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Owner {
    Subscription(String),
    CustomerSku(String, String),
}

/// Seats somebody else computed.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct ReportedSeats {
    pub available: u64,
    pub assigned: Option<u64>,
    pub active: Option<u64>,
    pub status: String,
    pub seller: Option<String>,
    pub attributions: Vec<Attribution>,
}

/// Users somebody else counted.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct ReportedUsage {
    pub units: u64,
    pub active_users: u64,
    pub attributions: Vec<Attribution>,
}

/// What is wrong with a line.
pub type Fault = String;

/// Reads a line; `today` is the partner's. The time is that of `recorded_at`, where given.
pub fn read(line: &str, today: NaiveDate) -> Result<(Record, Option<DateTime<Utc>>), Fault> {
    let value: Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
    if !value.is_object() {
        return Err("not an object".into());
    }
    let line = Line { value, today };
    let recorded_at = match line.text("recorded_at")? {
        Some(at) => {
            let at = DateTime::parse_from_rfc3339(&at).map_err(|e| format!("recorded_at: {e}"))?;
            Some(at.with_timezone(&Utc))
        }
        None => None,
    };
    Ok((line.record()?, recorded_at))
}

struct Line {
    value: Value,
    today: NaiveDate,
}

impl Line {
    fn record(&self) -> Result<Record, Fault> {
        match self.required("kind")?.as_str() {
            "partner" => self.partner(),
            "location" => {
                self.required("name")?;
                self.country("country")?.ok_or("country: missing")?;
                Ok(Record::Location { location: self.id("location_id")? })
            }
            "sku" => {
                self.required("name")?;
                let mut services: Vec<String> = self.texts("services")?.iter().map(|s| fold(s)).collect();
                services.sort();
                services.dedup();
                let free = self.flag("free")?.unwrap_or(false);
                Ok(Record::Sku { sku: self.id("sku_id")?, product: self.required("product")?, services, free })
            }
            "customer" => Ok(Record::Customer {
                customer: self.id("customer_id")?,
                country: self.country("country")?,
                segment: self.text("segment")?,
                industry: self.text("industry")?,
            }),
            "subscription" => self.subscription(),
            "subscription_state" => Ok(Record::State {
                subscription: self.id("subscription_id")?,
                effective: self.past("effective")?,
                status: self.required("status")?,
                seats: u32::try_from(self.count("seats")?.ok_or("seats: missing")?).map_err(|e| e.to_string())?,
                sku: self.optional_id("sku_id")?,
                trial: self.flag("trial")?,
            }),
            "assignment" => {
                let (from, to) = self.interval()?;
                Ok(Record::Assignment { subscription: self.id("subscription_id")?, user: self.user()?, from, to })
            }
            "licensed" => {
                let (from, to) = self.interval()?;
                let service = fold(&self.required("service")?);
                Ok(Record::Licensed { customer: self.id("customer_id")?, user: self.user()?, service, from, to })
            }
            "activity" => Ok(Record::Activity {
                customer: self.id("customer_id")?,
                user: self.user()?,
                service: fold(&self.required("service")?),
                day: self.past("day")?,
            }),
            "revenue" => self.revenue(),
            "support_cases" => {
                let total = self.count("total")?.ok_or("total: missing")?;
                if self.count("how_to")?.is_some_and(|n| n > total) {
                    return Err("how_to: more than total".into());
                }
                Ok(Record::SupportCases { customer: self.id("customer_id")?, month: self.month()? })
            }
            "reported_seats" => self.reported_seats(),
            "reported_usage" => Ok(Record::ReportedUsage {
                customer: self.id("customer_id")?,
                service: fold(&self.required("service")?),
                month: self.month()?,
                row: ReportedUsage {
                    units: self.count("paid_available_units")?.ok_or("paid_available_units: missing")?,
                    active_users: self.count("monthly_active_users")?.ok_or("monthly_active_users: missing")?,
                    attributions: self.attributions()?,
                },
            }),
            "retract" => self.retract(),
            "complete_through" => Ok(Record::CompleteThrough { day: self.day("day")?.ok_or("day: missing")? }),
            other => Err(format!("kind: unknown kind {other}")),
        }
    }

    fn partner(&self) -> Result<Record, Fault> {
        let time_zone = self.text("time_zone")?;
        if let Some(zone) = &time_zone {
            zone.parse::<chrono_tz::Tz>().map_err(|e| e.to_string())?;
        }
        Ok(Record::Partner { time_zone, currency: self.currency()? })
    }

    fn subscription(&self) -> Result<Record, Fault> {
        Ok(Record::Subscription(Subscription {
            id: self.id("subscription_id")?,
            customer: self.id("customer_id")?,
            sku: self.id("sku_id")?,
            sales_channel: self.text("sales_channel")?,
            pricing_model: self.text("pricing_model")?,
            seller: self.seller()?.unwrap_or("own".into()),
            trial: self.flag("trial")?.unwrap_or(false),
            attributions: self.attributions()?,
        }))
    }

    fn revenue(&self) -> Result<Record, Fault> {
        let amount = self.value.get("amount").and_then(Value::as_str).ok_or("amount: a decimal string")?;
        Ok(Record::Revenue {
            of: self.owner()?,
            month: self.month()?,
            micros: parse_micros(amount).ok_or("amount: not a decimal of at most six places")?,
            currency: self.currency()?.ok_or("currency: missing")?,
            seller: self.seller()?,
        })
    }

    fn reported_seats(&self) -> Result<Record, Fault> {
        let row = ReportedSeats {
            available: self.count("available")?.ok_or("available: missing")?,
            assigned: self.count("assigned")?,
            active: self.count("active")?,
            status: self.text("status")?.unwrap_or("Active".into()),
            seller: self.seller()?,
            attributions: self.attributions()?,
        };
        Ok(Record::ReportedSeats { of: self.owner()?, month: self.month()?, row })
    }

    fn retract(&self) -> Result<Record, Fault> {
        let what = self.required("what")?;
        let customer = self.optional_id("customer_id")?;
        if customer.is_none() && what != "complete_through" {
            return Err("customer_id: missing".into());
        }
        let from = self.day("from")?.ok_or("from: missing")?;
        let to = self.day("to")?.ok_or("to: missing")?;
        Ok(Record::Retract { what, customer, service: self.text("service")?.map(|s| fold(&s)), from, to })
    }

    fn text(&self, field: &str) -> Result<Option<String>, Fault> {
        match self.value.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("{field}: not a text")),
        }
    }

    fn required(&self, field: &str) -> Result<String, Fault> {
        match self.text(field)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(format!("{field}: missing")),
        }
    }

    /// Ids are trimmed; GUIDs are compared in lower case.
    fn id(&self, field: &str) -> Result<String, Fault> {
        self.required(field).map(|id| canonical_id(&id))
    }

    fn optional_id(&self, field: &str) -> Result<Option<String>, Fault> {
        Ok(self.text(field)?.map(|id| canonical_id(&id)))
    }

    /// User ids are trimmed and compared in lower case.
    fn user(&self) -> Result<String, Fault> {
        self.required("user_id").map(|user| user.trim().to_lowercase())
    }

    fn texts(&self, field: &str) -> Result<Vec<String>, Fault> {
        let Some(value) = self.value.get(field) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or(format!("{field}: not a list"))?;
        items.iter().map(|item| item.as_str().map(str::to_owned).ok_or(format!("{field}: not texts"))).collect()
    }

    fn flag(&self, field: &str) -> Result<Option<bool>, Fault> {
        match self.value.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(format!("{field}: not true or false")),
        }
    }

    fn count(&self, field: &str) -> Result<Option<u64>, Fault> {
        match self.value.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(count) if count <= u64::from(u32::MAX) => Ok(Some(count)),
                _ => Err(format!("{field}: not a count")),
            },
        }
    }

    fn day(&self, field: &str) -> Result<Option<NaiveDate>, Fault> {
        match self.text(field)? {
            None => Ok(None),
            Some(text) => parse_day(&text).map(Some).ok_or(format!("{field}: not a day")),
        }
    }

    /// A `day`, `effective` or `from` after today is refused.
    fn past(&self, field: &str) -> Result<NaiveDate, Fault> {
        match self.day(field)?.ok_or(format!("{field}: missing"))? {
            day if day > self.today => Err(format!("{field}: after today")),
            day => Ok(day),
        }
    }

    /// `to` is the first day no longer held, so it lies after `from`.
    fn interval(&self) -> Result<(NaiveDate, Option<NaiveDate>), Fault> {
        let (from, to) = (self.past("from")?, self.day("to")?);
        if to.is_some_and(|to| to <= from) {
            return Err("to: not after from".into());
        }
        Ok((from, to))
    }

    fn month(&self) -> Result<Month, Fault> {
        Month::parse(&self.required("month")?).ok_or("month: not a month".into())
    }

    fn country(&self, field: &str) -> Result<Option<String>, Fault> {
        match self.text(field)? {
            Some(code) if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()) => {
                Err(format!("{field}: not a country"))
            }
            code => Ok(code),
        }
    }

    fn currency(&self) -> Result<Option<String>, Fault> {
        match self.text("currency")? {
            Some(code) if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) => {
                Err("currency: not a currency".into())
            }
            code => Ok(code),
        }
    }

    fn seller(&self) -> Result<Option<String>, Fault> {
        match self.text("seller")? {
            Some(seller) if !["own", "other", "direct"].contains(&seller.as_str()) => Err("seller: unknown".into()),
            seller => Ok(seller),
        }
    }

    fn owner(&self) -> Result<Owner, Fault> {
        match self.optional_id("subscription_id")? {
            Some(subscription) => Ok(Owner::Subscription(subscription)),
            None => Ok(Owner::CustomerSku(self.id("customer_id")?, self.id("sku_id")?)),
        }
    }

    fn attributions(&self) -> Result<Vec<Attribution>, Fault> {
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

/// OneDrive is SharePoint.
pub fn fold(service: &str) -> String {
    match service.trim() {
        "OneDrive" | "OneDrive for Business" => "SharePoint".into(),
        other => other.into(),
    }
}

/// Trims an id, and lowers it when it is a GUID.
pub fn canonical_id(id: &str) -> String {
    let id = id.trim();
    let groups: Vec<&str> = id.split('-').collect();
    let guid = groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_hexdigit()));
    if guid { id.to_lowercase() } else { id.to_owned() }
}

/// A decimal as millionths.
fn parse_micros(text: &str) -> Option<i128> {
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
