//! Our own records: one JSON object per line.
//!
//! Here only the shape is judged: JSON, kinds, field names and JSON types. What the values mean is judged by the server,
//! for every client alike.

use std::io::BufRead;

use chrono::DateTime;
use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{
    Assignment, Attribution, CompleteThrough, Customer, Licensed, Location, Partner, Record, ReportedSeats,
    ReportedUsage, Retract, Revenue, Sku, Subscription, SubscriptionState, SupportCases, record::Kind,
};
use prost_types::Timestamp;
use serde_json::{Map, Value};

use super::{Activity, Notes, ReadError, Rejection, Sink};

/// The kinds of records, as `kind` spells them.
const KINDS: &[&str] = &[
    "partner",
    "location",
    "sku",
    "customer",
    "subscription",
    "subscription_state",
    "assignment",
    "licensed",
    "activity",
    "revenue",
    "support_cases",
    "reported_seats",
    "reported_usage",
    "retract",
    "complete_through",
];

/// A line longer than this is no record of ours, and must not fill the memory.
const MAX_LINE: usize = 4 << 20;

/// Reads a file of records.
pub(super) fn read(input: &mut dyn BufRead, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let mut line = Vec::new();
    let mut row = 0;
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(Notes::default());
        }
        row += 1;
        let text = match row {
            1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line),
            _ => &line,
        };
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match parse(text) {
            Ok(Parsed::Record(record)) => sink.record(row, *record)?,
            Ok(Parsed::Activity(activity)) => sink.activity(row, activity)?,
            Err((field, reason)) => sink.rejected(Rejection { row, field, reason })?,
        }
    }
}

enum Parsed {
    Record(Box<Record>),
    Activity(Activity),
}

/// The field at fault and the reason.
type Fault = (String, String);

fn parse(line: &[u8]) -> Result<Parsed, Fault> {
    if line.len() > MAX_LINE {
        return Err(("record".into(), format!("is longer than {MAX_LINE} bytes")));
    }
    let value: Value =
        serde_json::from_slice(line).map_err(|error| ("record".into(), format!("is not valid JSON: {error}")))?;
    let Value::Object(mut map) = value else {
        return Err(("record".into(), "is not a JSON object".into()));
    };
    let kind = match map.remove("kind") {
        Some(Value::String(kind)) => kind,
        Some(_) => return Err(("kind".into(), "must be a string".into())),
        None => return Err(("kind".into(), format!("is missing; known kinds: {}", KINDS.join(", ")))),
    };
    let Some(kind) = KINDS.iter().find(|known| **known == kind) else {
        return Err(("kind".into(), format!("\"{kind}\" is unknown; known kinds: {}", KINDS.join(", "))));
    };
    let mut fields = Fields { kind, map, fault: None };
    let recorded_at = fields.time("recorded_at");
    if *kind == "activity" {
        let activity = activity(&mut fields);
        fields.finish()?;
        return activity.map(Parsed::Activity).ok_or_else(|| ("record".into(), "is not valid".into()));
    }
    let kind = Some(record(&mut fields));
    fields.finish()?;
    Ok(Parsed::Record(Box::new(Record { recorded_at, kind })))
}

fn activity(fields: &mut Fields) -> Option<Activity> {
    let (customer_id, user_id) = (fields.required("customer_id"), fields.required("user_id"));
    let service = fields.required("service");
    let text = fields.required("day");
    let day =
        text.trim().parse::<Day>().inspect_err(|fault| fields.blame("day", format!("\"{text}\" {fault}"))).ok()?;
    Some(Activity { customer_id, user_id, service, day })
}

fn record(fields: &mut Fields) -> Kind {
    match fields.kind {
        "partner" => Kind::Partner(Partner {
            name: fields.text("name"),
            time_zone: fields.text("time_zone"),
            currency: fields.text("currency"),
        }),
        "location" => Kind::Location(Location {
            location_id: fields.required("location_id"),
            name: fields.required("name"),
            country: fields.required("country"),
        }),
        "sku" => Kind::Sku(Sku {
            sku_id: fields.required("sku_id"),
            name: fields.required("name"),
            product: fields.required("product"),
            services: fields.texts("services"),
            free: fields.flag("free").unwrap_or(false),
        }),
        "customer" => Kind::Customer(Customer {
            customer_id: fields.required("customer_id"),
            name: fields.text("name"),
            country: fields.text("country"),
            tenant_country: fields.text("tenant_country"),
            segment: fields.text("segment"),
            industry: fields.text("industry"),
            domain: fields.text("domain"),
        }),
        "subscription" => Kind::Subscription(subscription(fields)),
        "subscription_state" => Kind::SubscriptionState(SubscriptionState {
            subscription_id: fields.required("subscription_id"),
            effective: fields.required("effective"),
            status: fields.required("status"),
            seats: fields.count("seats"),
            sku_id: fields.text("sku_id"),
            trial: fields.flag("trial"),
        }),
        "assignment" => Kind::Assignment(Assignment {
            subscription_id: fields.required("subscription_id"),
            user_id: fields.required("user_id"),
            from: fields.required("from"),
            to: fields.text("to"),
        }),
        "licensed" => Kind::Licensed(Licensed {
            customer_id: fields.required("customer_id"),
            user_id: fields.required("user_id"),
            service: fields.required("service"),
            from: fields.required("from"),
            to: fields.text("to"),
        }),
        _ => monthly_or_other(fields),
    }
}

fn subscription(fields: &mut Fields) -> Subscription {
    Subscription {
        subscription_id: fields.required("subscription_id"),
        customer_id: fields.required("customer_id"),
        sku_id: fields.required("sku_id"),
        sales_channel: fields.text("sales_channel"),
        pricing_model: fields.text("pricing_model"),
        seller: fields.text("seller"),
        trial: fields.flag("trial").unwrap_or(false),
        auto_renew: fields.flag("auto_renew"),
        start: fields.text("start"),
        end: fields.text("end"),
        attributions: fields.attributions(),
    }
}

fn monthly_or_other(fields: &mut Fields) -> Kind {
    match fields.kind {
        "revenue" => Kind::Revenue(Revenue {
            subscription_id: fields.text("subscription_id"),
            customer_id: fields.text("customer_id"),
            sku_id: fields.text("sku_id"),
            month: fields.required("month"),
            amount: fields.required("amount"),
            currency: fields.required("currency"),
            seller: fields.text("seller"),
        }),
        "support_cases" => Kind::SupportCases(SupportCases {
            customer_id: fields.required("customer_id"),
            month: fields.required("month"),
            total: fields.count("total"),
            how_to: fields.count("how_to"),
        }),
        "reported_seats" => Kind::ReportedSeats(ReportedSeats {
            subscription_id: fields.text("subscription_id"),
            customer_id: fields.text("customer_id"),
            sku_id: fields.text("sku_id"),
            month: fields.required("month"),
            available: fields.count("available"),
            assigned: fields.count("assigned"),
            active: fields.count("active"),
            status: fields.text("status"),
            seller: fields.text("seller"),
            attributions: fields.attributions(),
        }),
        "reported_usage" => Kind::ReportedUsage(ReportedUsage {
            customer_id: fields.required("customer_id"),
            service: fields.required("service"),
            month: fields.required("month"),
            paid_available_units: fields.count("paid_available_units"),
            monthly_active_users: fields.count("monthly_active_users"),
            attributions: fields.attributions(),
        }),
        "retract" => Kind::Retract(Retract {
            what: fields.required("what"),
            customer_id: fields.text("customer_id").unwrap_or_default(),
            service: fields.text("service"),
            from: fields.required("from"),
            to: fields.required("to"),
        }),
        _ => Kind::CompleteThrough(CompleteThrough { day: fields.required("day") }),
    }
}

/// Takes the fields of a record one by one and remembers the first fault.
struct Fields {
    kind: &'static str,
    map: Map<String, Value>,
    fault: Option<Fault>,
}

impl Fields {
    /// `null` is the same as absent.
    fn value(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text),
            _ => {
                self.blame(name, "must be a string".into());
                None
            }
        }
    }

    fn required(&mut self, name: &str) -> String {
        let missing = !self.map.contains_key(name) || self.map[name].is_null();
        let text = self.text(name);
        if missing {
            self.blame(name, "is missing".into());
        }
        text.unwrap_or_default()
    }

    fn count(&mut self, name: &str) -> Option<i64> {
        let value = self.value(name)?;
        let count = value.as_i64();
        if count.is_none() {
            self.blame(name, format!("{value} is not a whole number"));
        }
        count
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.value(name)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.blame(name, format!("{value} is neither true nor false"));
        }
        flag
    }

    fn list(&mut self, name: &str) -> Vec<Value> {
        match self.value(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => values,
            Some(_) => {
                self.blame(name, "must be a list".into());
                Vec::new()
            }
        }
    }

    fn texts(&mut self, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for value in self.list(name) {
            match value {
                Value::String(text) => texts.push(text),
                _ => self.blame(name, "must be a list of strings".into()),
            }
        }
        texts
    }

    fn attributions(&mut self) -> Vec<Attribution> {
        let mut attributions = Vec::new();
        for (at, value) in self.list("attributions").into_iter().enumerate() {
            let path = format!("attributions[{at}]");
            let Value::Object(map) = value else {
                self.blame(&path, "must be an object with location_id and type".into());
                continue;
            };
            let mut inner = Fields { kind: self.kind, map, fault: None };
            attributions.push(Attribution { location_id: inner.text("location_id"), r#type: inner.text("type") });
            if let Err((field, reason)) = inner.finish() {
                let name = field.rsplit('.').next().unwrap_or_default();
                self.blame(&format!("{path}.{name}"), reason);
            }
        }
        attributions
    }

    fn time(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
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

    fn blame(&mut self, name: &str, reason: String) {
        let kind = self.kind;
        self.fault.get_or_insert_with(|| (format!("{kind}.{name}"), reason));
    }

    fn finish(mut self) -> Result<(), Fault> {
        if let Some(name) = self.map.keys().next().cloned() {
            let kind = self.kind;
            self.blame(&name, format!("is not a field of {kind}"));
        }
        self.fault.map_or(Ok(()), Err)
    }
}
