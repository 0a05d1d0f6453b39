//! The canonical bytes of a record, which decide between two that were recorded at the same time.
//!
//! They are those of its protobuf message (`proto/insights/ingestion/v1/records.proto`), written here by hand: fields by number,
//! each as its tag and its value; what is missing is left out. What the key says is left out of states, assignments and licences,
//! which changes no comparison.

use crate::fields::Line;
use crate::record::{Attribution, Fault};
use crate::spelling::{fold, parse_micros};

/// Bytes of a message on their way.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 128 {
            self.0.push((value % 128) as u8 + 128);
            value /= 128;
        }
        self.0.push(value as u8);
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field * 8 + 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field * 8);
        self.varint(value);
        self
    }

    fn maybe_text(self, field: u64, text: Option<String>) -> Self {
        match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => self.text(field, &text),
            None => self,
        }
    }

    fn maybe_number(self, field: u64, value: Option<u64>) -> Self {
        match value {
            Some(value) => self.number(field, value),
            None => self,
        }
    }

    fn attributions(mut self, field: u64, list: &[Attribution]) -> Self {
        for (location, kind) in list {
            let one = Self::default().maybe_text(1, location.clone()).maybe_text(2, kind.clone());
            self = self.bytes(field, &one.0);
        }
        self
    }
}

/// The canonical bytes of a line that was read without a fault.
pub fn canonical(line: &Line) -> Result<Vec<u8>, Fault> {
    let start = Message::default;
    let code = |field| line.text(field).map(|code| code.map(|code| code.trim().to_uppercase()));
    let flag = |field| line.flag(field).map(|flag| flag.map(u64::from));
    // A flag that may not be missing is only written where it holds.
    let set = |field| flag(field).map(|flag| flag.filter(|flag| *flag == 1));
    let message = match line.required("kind")?.as_str() {
        "partner" => {
            let zone = line.text("time_zone")?.map(|zone| zone.trim().to_owned());
            start().maybe_text(1, line.text("name")?).maybe_text(2, zone).maybe_text(3, code("currency")?)
        }
        "location" => {
            start().text(1, &line.id("location_id")?).text(2, &line.required("name")?).maybe_text(3, code("country")?)
        }
        "sku" => {
            let mut services: Vec<String> = line.texts("services")?.iter().map(|service| fold(service)).collect();
            services.sort();
            services.dedup();
            let head = start().text(1, &line.id("sku_id")?).text(2, &line.required("name")?);
            let head = head.text(3, &line.required("product")?);
            services.iter().fold(head, |message, service| message.text(4, service)).maybe_number(5, set("free")?)
        }
        "customer" => start()
            .text(1, &line.id("customer_id")?)
            .maybe_text(2, line.text("name")?)
            .maybe_text(3, code("country")?)
            .maybe_text(4, code("tenant_country")?)
            .maybe_text(5, line.text("segment")?)
            .maybe_text(6, line.text("industry")?)
            .maybe_text(7, line.text("domain")?),
        "subscription" => start()
            .text(1, &line.id("subscription_id")?)
            .text(2, &line.id("customer_id")?)
            .text(3, &line.id("sku_id")?)
            .maybe_text(4, line.text("sales_channel")?)
            .maybe_text(5, line.text("pricing_model")?)
            .text(6, &line.seller()?.unwrap_or("own".into()))
            .maybe_number(7, set("trial")?)
            .maybe_number(8, flag("auto_renew")?)
            .maybe_text(9, line.end("start")?)
            .maybe_text(10, line.end("end")?)
            .attributions(11, &line.attributions()?)
            .maybe_number(12, set("paid_by_use")?),
        "subscription_state" => start()
            .text(3, &line.required("status")?)
            .maybe_number(4, line.count("seats")?)
            .maybe_text(5, line.optional_id("sku_id")?)
            .maybe_number(6, flag("trial")?),
        "assignment" => start().maybe_text(4, line.end("to")?),
        "licensed" => start().maybe_text(5, line.end("to")?).maybe_number(6, set("listed")?),
        "licence_list" => start(),
        "whole_list" => whole_list(line)?.maybe_number(6, set("part")?),
        "revenue" => owner(line)?
            .text(4, &line.required("month")?)
            .text(5, &amount(&line.required("amount")?).ok_or("amount: not a decimal")?)
            .maybe_text(6, code("currency")?)
            .maybe_text(7, line.seller()?),
        "support_cases" => start()
            .text(1, &line.id("customer_id")?)
            .text(2, &line.required("month")?)
            .maybe_number(3, line.count("total")?)
            .maybe_number(4, line.count("how_to")?),
        "reported_seats" => reported_seats(line)?,
        "reported_usage" => reported_usage(line)?,
        // Activity and `complete_through` say nothing but their key; nothing competes with a retract.
        _ => start(),
    };
    Ok(message.0)
}

fn whole_list(line: &Line) -> Result<Message, Fault> {
    let head = Message::default().text(1, &line.id("source")?);
    Ok(line.ids("ids")?.iter().fold(head, |message, id| message.text(5, id)))
}

fn reported_seats(line: &Line) -> Result<Message, Fault> {
    Ok(owner(line)?
        .text(4, &line.required("month")?)
        .maybe_number(5, line.count("available")?)
        .maybe_number(6, line.count("assigned")?)
        .maybe_number(7, line.count("active")?)
        .text(8, &line.text("status")?.unwrap_or("Active".into()))
        .maybe_text(9, line.seller()?)
        .attributions(10, &line.attributions()?)
        .maybe_text(11, line.text("report")?)
        .maybe_number(12, line.flag("of_customer")?.filter(|flag| *flag).map(u64::from))
        .maybe_number(13, line.count("grace")?))
}

fn reported_usage(line: &Line) -> Result<Message, Fault> {
    Ok(Message::default()
        .text(1, &line.id("customer_id")?)
        .text(2, &fold(&line.required("service")?))
        .text(3, &line.required("month")?)
        .maybe_number(4, line.count("paid_available_units")?)
        .maybe_number(5, line.count("monthly_active_users")?)
        .attributions(6, &line.attributions()?))
}

/// The subscription, or else customer and SKU.
fn owner(line: &Line) -> Result<Message, Fault> {
    Ok(match line.optional_id("subscription_id")? {
        Some(subscription) => Message::default().text(1, &subscription).maybe_text(3, line.part()?),
        None => Message::default().text(2, &line.id("customer_id")?).text(3, &line.id("sku_id")?),
    })
}

/// An amount written with two decimals, and more where they are not zero.
fn amount(text: &str) -> Option<String> {
    let micros = parse_micros(text)?;
    let (whole, mut fraction) = (micros.abs() / 1_000_000, format!("{:06}", micros.abs() % 1_000_000));
    while fraction.len() > 2 && fraction.ends_with('0') {
        fraction.pop();
    }
    let sign = if micros < 0 { "-" } else { "" };
    Some(format!("{sign}{whole}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::{amount, canonical};
    use crate::fields::Line;
    use serde_json::{Value, json};

    fn of(value: Value) -> Vec<u8> {
        let today = chrono::NaiveDate::from_ymd_opt(2025, 3, 10).expect("a day");
        canonical(&Line { value, today }).expect("a good line")
    }

    #[test]
    fn a_message_is_written_as_protobuf_writes_it() {
        let line = json!({"kind": "subscription_state", "subscription_id": "S", "effective": "2025-01-01", "status": "Active",
            "seats": 300, "trial": false});
        assert_eq!(of(line), b"\x1a\x06Active\x20\xac\x02\x30\x00");
        let line = json!({"kind": "reported_usage", "customer_id": " C ", "service": "OneDrive", "month": "2025-01",
            "paid_available_units": 0, "monthly_active_users": 1, "attributions": [{"type": "CSP"}]});
        assert_eq!(of(line), b"\x0a\x01C\x12\x0aSharePoint\x1a\x072025-01\x20\x00\x28\x01\x32\x05\x12\x03CSP");
    }

    #[test]
    fn an_amount_has_one_spelling() {
        for (text, expected) in [
            ("0", "0.00"),
            ("-20.5", "-20.50"),
            ("0.000001", "0.000001"),
            ("1234567.891", "1234567.891"),
            ("-0.0", "0.00"),
        ] {
            assert_eq!(amount(text).as_deref(), Some(expected));
        }
    }
}
