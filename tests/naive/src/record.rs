//! One line of our ndjson records, read and checked.

use crate::calendar::Month;
use crate::canonical::canonical;
use crate::fields::Line;
use crate::spelling::{fold, parse_micros};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

/// (partner location, attribution type); either may be missing.
pub type Attribution = (Option<String>, Option<String>);

/// A record of any kind, fields as in the documentation of the formats.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Record {
    Partner {
        time_zone: Option<String>,
        currency: Option<String>,
    },
    Location {
        location: String,
    },
    Sku {
        sku: String,
        product: String,
        services: Vec<String>,
        free: bool,
    },
    Customer {
        customer: String,
        country: Option<String>,
        segment: Option<String>,
        industry: Option<String>,
    },
    Subscription(Subscription),
    State {
        subscription: String,
        effective: NaiveDate,
        status: String,
        seats: u32,
        sku: Option<String>,
        trial: Option<bool>,
    },
    Assignment {
        subscription: String,
        user: String,
        from: NaiveDate,
        to: Option<NaiveDate>,
    },
    Licensed {
        customer: String,
        user: String,
        service: String,
        from: NaiveDate,
        to: Option<NaiveDate>,
        listed: bool,
    },
    LicenceList {
        customer: String,
        service: String,
        day: NaiveDate,
    },
    WholeList {
        source: String,
        what: String,
        /// None: the list of customers is whole.
        customer: Option<String>,
        day: NaiveDate,
        ids: Vec<String>,
        part: bool,
    },
    Activity {
        customer: String,
        user: String,
        service: String,
        day: NaiveDate,
        /// The day is the last one on which the source saw the user.
        lower_bound: bool,
    },
    Revenue {
        of: Owner,
        /// The part of the subscription.
        sku: Option<String>,
        month: Month,
        micros: i128,
        currency: String,
        seller: Option<String>,
    },
    SupportCases {
        customer: String,
        month: Month,
    },
    ReportedSeats {
        of: Owner,
        /// The part of the subscription.
        sku: Option<String>,
        month: Month,
        row: ReportedSeats,
    },
    ReportedUsage {
        customer: String,
        service: String,
        month: Month,
        row: ReportedUsage,
    },
    Retract {
        what: String,
        customer: Option<String>,
        service: Option<String>,
        from: NaiveDate,
        to: NaiveDate,
        /// Only rows recorded before; of every customer where none is named.
        before: Option<DateTime<Utc>>,
    },
    CompleteThrough {
        day: NaiveDate,
    },
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
    pub paid_by_use: bool,
}

/// What a revenue record or a reported row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Owner {
    Subscription(String),
    CustomerSku(String, String),
}

/// Seats that the partner's own system computed.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct ReportedSeats {
    pub available: u64,
    pub assigned: Option<u64>,
    pub active: Option<u64>,
    pub status: String,
    pub seller: Option<String>,
    pub attributions: Vec<Attribution>,
    pub report: String,
    pub of_customer: bool,
    pub grace: u64,
}

/// Users that the partner's own system counted.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct ReportedUsage {
    pub units: u64,
    pub active_users: u64,
    /// Of an earlier month: who was active is unknown.
    pub carried: bool,
    pub attributions: Vec<Attribution>,
}

/// What is wrong with a line.
pub type Fault = String;

/// The precedence of what is assumed for want of any statement.
pub const FIRST_SIGHT: u8 = 3;

/// A line that is good.
#[derive(Clone, Debug)]
pub struct Read {
    /// What it says.
    pub record: Record,
    /// When it was recorded, where it says so.
    pub recorded_at: Option<DateTime<Utc>>,
    /// How much the sender knows: 1 the least, 6 a source itself.
    pub precedence: u8,
    /// What decides between two that were recorded at the same time.
    pub canonical: Vec<u8>,
}

/// Reads a line; `today` is the partner's.
pub fn read(line: &str, today: NaiveDate) -> Result<Read, Fault> {
    let value: Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
    if !value.is_object() {
        return Err("not an object".into());
    }
    let line = Line { value, today };
    let recorded_at = line.time("recorded_at")?;
    let precedence = match line.text("precedence")?.as_deref() {
        Some("named") => 1,
        Some("listed") => 2,
        Some("first_sight") => FIRST_SIGHT,
        Some("described") => 4,
        Some("known") => 5,
        Some(other) => return Err(format!("precedence: {other}")),
        None => 6,
    };
    Ok(Read { record: line.record()?, recorded_at, precedence, canonical: canonical(&line)? })
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
            "sku" => self.sku(),
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
                let listed = self.flag("listed")?.unwrap_or(false);
                let (customer, user) = (self.id("customer_id")?, self.user()?);
                Ok(Record::Licensed { customer, user, service, from, to, listed })
            }
            "licence_list" => Ok(Record::LicenceList {
                customer: self.id("customer_id")?,
                service: fold(&self.required("service")?),
                day: self.past("day")?,
            }),
            "whole_list" => self.whole_list(),
            "activity" => Ok(Record::Activity {
                customer: self.id("customer_id")?,
                user: self.user()?,
                service: fold(&self.required("service")?),
                day: self.past("day")?,
                lower_bound: self.flag("lower_bound")?.unwrap_or(false),
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
            "reported_usage" => self.reported_usage(),
            "retract" => self.retract(),
            "complete_through" => {
                // A day that has not come counts as today.
                let day = self.day("day")?.ok_or("day: missing")?.min(self.today);
                Ok(Record::CompleteThrough { day })
            }
            other => Err(format!("kind: unknown kind {other}")),
        }
    }

    fn sku(&self) -> Result<Record, Fault> {
        self.required("name")?;
        let mut services: Vec<String> = self.texts("services")?.iter().map(|s| fold(s)).collect();
        services.sort();
        services.dedup();
        let free = self.flag("free")?.unwrap_or(false);
        Ok(Record::Sku { sku: self.id("sku_id")?, product: self.required("product")?, services, free })
    }

    fn whole_list(&self) -> Result<Record, Fault> {
        let (what, customer) = (self.required("what")?, self.optional_id("customer_id")?);
        let (ids, part) = (self.ids("ids")?, self.flag("part")?.unwrap_or(false));
        match what.as_str() {
            "customers" if !ids.is_empty() || part => return Err("ids, part: not of customers".into()),
            "customers" => {}
            "subscriptions" | "skus" if customer.is_none() => return Err("customer_id: missing".into()),
            "subscriptions" | "skus" => {}
            other => return Err(format!("what: {other}")),
        }
        Ok(Record::WholeList { source: self.id("source")?, what, customer, day: self.past("day")?, ids, part })
    }

    fn reported_usage(&self) -> Result<Record, Fault> {
        Ok(Record::ReportedUsage {
            customer: self.id("customer_id")?,
            service: fold(&self.required("service")?),
            month: self.month()?,
            row: ReportedUsage {
                units: self.count("paid_available_units")?.ok_or("paid_available_units: missing")?,
                active_users: self.count("monthly_active_users")?.ok_or("monthly_active_users: missing")?,
                carried: false,
                attributions: self.attributions()?,
            },
        })
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
            paid_by_use: self.flag("paid_by_use")?.unwrap_or(false),
        }))
    }

    fn revenue(&self) -> Result<Record, Fault> {
        let amount = self.value.get("amount").and_then(Value::as_str).ok_or("amount: a decimal string")?;
        Ok(Record::Revenue {
            of: self.owner()?,
            sku: self.part()?,
            month: self.month()?,
            micros: parse_micros(amount).ok_or("amount: not a decimal")?,
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
            report: self.text("report")?.unwrap_or_default(),
            of_customer: self.flag("of_customer")?.unwrap_or(false),
            grace: self.count("grace")?.unwrap_or(0),
        };
        Ok(Record::ReportedSeats { of: self.owner()?, sku: self.part()?, month: self.month()?, row })
    }

    fn retract(&self) -> Result<Record, Fault> {
        let what = self.required("what")?;
        let customer = self.optional_id("customer_id")?;
        let before = self.time("recorded_before")?;
        let of_rows = ["reported_seats", "reported_usage"].contains(&what.as_str());
        if before.is_some() && !of_rows {
            return Err("recorded_before: not of this kind".into());
        }
        let everybody = before.is_some() || ["complete_through", "whole_list"].contains(&what.as_str());
        if customer.is_none() && !everybody {
            return Err("customer_id: missing".into());
        }
        let from = self.day("from")?.ok_or("from: missing")?;
        let to = self.day("to")?.ok_or("to: missing")?;
        Ok(Record::Retract { what, customer, service: self.text("service")?.map(|s| fold(&s)), from, to, before })
    }
}
