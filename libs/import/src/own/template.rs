//! A file to begin with, for each kind of our own records: every field explained, and a row that shows how it looks.

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::{FieldShape, Need, RecordField, fields};
use crate::reader::RecordKind;

/// How a template is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A table with a header.
    #[default]
    Csv,
    /// One JSON object per line.
    Ndjson,
}

/// The template of a kind.
#[must_use]
pub fn template(kind: RecordKind, form: Form) -> String {
    let example = example(kind);
    let shown: Vec<&RecordField> = fields(kind).iter().filter(|field| example.contains_key(field.name)).collect();
    let name = kind.name();
    let mut text = format!("# {name}: {}\n", of_kind(kind));
    for field in fields(kind) {
        text.push_str(&format!("# {}{}: {}\n", field.name, need(field.need), of_field(kind, field.name)));
    }
    let line = match form {
        Form::Csv => {
            text.push_str("# Columns may come in any order, and those you do not need may be left out.\n");
            text.push_str(&format!("# Lines like these may stand before the header. insights import csv {name}.csv\n"));
            let names: Vec<&str> = shown.iter().map(|field| field.name).collect();
            let cells: Vec<String> = shown.iter().map(|field| cell(field.shape, &example[field.name])).collect();
            format!("{}\n{}\n", names.join(","), cells.join(","))
        }
        Form::Ndjson => {
            text.push_str("# Fields may come in any order, and those you do not need may be left out.\n");
            text.push_str(&format!("# Lines like these may stand anywhere. insights import ndjson {name}.ndjson\n"));
            let mut line = Map::from_iter([("kind".to_owned(), Value::from(name))]);
            line.extend(example);
            format!("{}\n", Value::Object(line))
        }
    };
    text + &line
}

fn need(need: Need) -> &'static str {
    match need {
        Need::Required => " (required)",
        Need::Subscription => " (required, or customer_id and sku_id)",
        Need::CustomerAndSku => " (where no subscription is named)",
        Need::Optional => "",
    }
}

/// A cell that says what the value says.
fn cell(shape: FieldShape, value: &Value) -> String {
    let part = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = match (shape, value) {
        (FieldShape::Texts, Value::Array(values)) => {
            values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("+")
        }
        (FieldShape::Attributions, Value::Array(values)) => values
            .iter()
            .map(|value| format!("{}:{}", part(value, "location_id"), part(value, "type")))
            .collect::<Vec<_>>()
            .join(";"),
        (_, Value::String(text)) => text.clone(),
        (_, value) => value.to_string(),
    };
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// One record of each kind; together they are a small partner in which nothing waits.
fn example(kind: RecordKind) -> Map<String, Value> {
    let text = match kind {
        RecordKind::Partner => r#"{"name":"Contoso Consulting","time_zone":"Europe/Berlin","currency":"EUR"}"#,
        RecordKind::Location => r#"{"location_id":"1234567","name":"Contoso Berlin","country":"DE"}"#,
        RecordKind::Sku => {
            r#"{"sku_id":"06ebc4ee-1bb5-47dd-8120-11324bc54e06","name":"Microsoft 365 E5","product":"Office 365","services":["Exchange","SharePoint","Teams"],"free":false}"#
        }
        RecordKind::Customer => {
            r#"{"customer_id":"C-1","name":"Fabrikam, Inc.","country":"DE","tenant_country":"DE","segment":"SMB","industry":"Retail","domain":"fabrikam.example"}"#
        }
        RecordKind::Subscription => {
            r#"{"subscription_id":"S-1","customer_id":"C-1","sku_id":"06ebc4ee-1bb5-47dd-8120-11324bc54e06","sales_channel":"CSP","pricing_model":"Modern","seller":"own","trial":false,"auto_renew":true,"start":"2025-01-01","end":"2025-12-31","attributions":[{"location_id":"1234567","type":"CSP"},{"location_id":"1234567","type":"DPOR"}]}"#
        }
        RecordKind::SubscriptionState => {
            r#"{"subscription_id":"S-1","effective":"2025-01-01","status":"Active","seats":25,"sku_id":"06ebc4ee-1bb5-47dd-8120-11324bc54e06","trial":false}"#
        }
        RecordKind::Assignment => {
            r#"{"subscription_id":"S-1","user_id":"adele@fabrikam.example","from":"2025-01-02","to":"2025-06-01"}"#
        }
        RecordKind::Licensed => {
            r#"{"customer_id":"C-1","user_id":"adele@fabrikam.example","service":"Yammer","from":"2025-01-02","to":"2025-06-01"}"#
        }
        RecordKind::LicenceList => r#"{"customer_id":"C-1","service":"Yammer","day":"2025-01-31"}"#,
        RecordKind::WholeList => {
            r#"{"source":"crm","what":"subscriptions","customer_id":"C-1","day":"2025-01-31","ids":["S-1","S-2"],"part":false}"#
        }
        RecordKind::Activity => {
            r#"{"customer_id":"C-1","user_id":"adele@fabrikam.example","service":"Teams","day":"2025-01-15","lower_bound":false}"#
        }
        RecordKind::Revenue => r#"{"subscription_id":"S-1","month":"2025-01","amount":"1249.50","currency":"EUR"}"#,
        RecordKind::SupportCases => r#"{"customer_id":"C-1","month":"2025-01","total":4,"how_to":1}"#,
        RecordKind::ReportedSeats => {
            r#"{"subscription_id":"S-1","month":"2024-12","available":20,"assigned":18,"active":15,"status":"Active","attributions":[{"location_id":"1234567","type":"CSP"}]}"#
        }
        RecordKind::ReportedUsage => {
            r#"{"customer_id":"C-1","service":"Exchange","month":"2024-12","paid_available_units":20,"monthly_active_users":15,"attributions":[{"location_id":"1234567","type":"CSP"}]}"#
        }
        RecordKind::Retract => {
            r#"{"what":"activity","customer_id":"C-1","service":"Teams","from":"2024-01-01","to":"2024-01-31"}"#
        }
        RecordKind::CompleteThrough => r#"{"day":"2025-01-31"}"#,
    };
    serde_json::from_str(text).unwrap_or_default()
}

fn of_kind(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Partner => "your own settings; one row",
        RecordKind::Location => "your offices",
        RecordKind::Sku => "what can be bought, and the services it carries",
        RecordKind::Customer => "the organisations you sell to or manage",
        RecordKind::Subscription => "what a customer bought; its seats and status are subscription_state",
        RecordKind::SubscriptionState => "seats and status of a subscription from a day on",
        RecordKind::Assignment => "who holds a seat of a subscription, and when; for deployment and active usage",
        RecordKind::Licensed => "who is licensed for a service by a source that names no subscription",
        RecordKind::LicenceList => {
            "a list of all who are licensed is complete: licences of earlier lists that it lacks end on its day"
        }
        RecordKind::WholeList => {
            "all there was of something on a day: what earlier lists of the source named and this one does not is gone from it on"
        }
        RecordKind::Activity => "who used which service on which day; the 28-day figures come from it",
        RecordKind::Revenue => "what was billed for a month",
        RecordKind::SupportCases => "support cases of a customer and month",
        RecordKind::ReportedSeats => "seats of a month that somebody else computed; used where there is no detail",
        RecordKind::ReportedUsage => "users of a month that somebody else computed; used where there is no detail",
        RecordKind::Retract => {
            "takes back what was sent before: everything of a kind, a customer and the days from … to"
        }
        RecordKind::CompleteThrough => "the data is complete up to and including this day; one row",
    }
}

// House: one arm for each field that a template explains.
fn of_field(kind: RecordKind, field: &str) -> &'static str {
    match (kind, field) {
        (RecordKind::WholeList, "source" | "what" | "ids" | "part") => of_list_field(field),
        (RecordKind::Retract, "from" | "to" | "report" | "recorded_before") => of_retract_field(field),
        (_, "recorded_at") => {
            "when the source recorded it, such as 2025-02-01T08:00:00Z; of two with one key the later counts"
        }
        (_, "precedence") => {
            "how much a provisional record knows: named, listed, first_sight, described or known; leave it out of your own records"
        }
        (RecordKind::Partner, "name") => "your name",
        (RecordKind::Partner, "currency") => "the currency of your reports, ISO 4217, such as EUR (default USD)",
        (_, "time_zone") => "an IANA name, such as Europe/Berlin (default UTC); days are days there",
        (_, "location_id") => "the id of the office (an MPN id)",
        (_, "customer_id") => "the id of the customer, such as its tenant id",
        (_, "subscription_id") => "the id of the subscription",
        (RecordKind::SubscriptionState, "sku_id") => "the SKU from that day on, where it is another",
        (RecordKind::Revenue | RecordKind::ReportedSeats, "sku_id") => {
            "the id of the SKU; with a subscription the part of it that the row is about, parts add up"
        }
        (_, "sku_id") => "the id of the SKU",
        (_, "user_id") => "anything that names the user; stored as a keyed hash only",
        (_, "name") => "its name",
        (_, "country") => "two letters, ISO 3166-1, such as DE",
        (_, "tenant_country") => "the country of its tenant, two letters",
        (_, "segment" | "industry") => "a word of yours",
        (_, "domain") => "such as fabrikam.example",
        (_, "product") => "the product it belongs to, such as Office 365 or Dynamics 365 Sales",
        (_, "services") => "a list; in a table joined with + as in Exchange+Teams",
        (_, "free") => "true or false (false)",
        (RecordKind::SubscriptionState, "trial") => "true or false, from that day on",
        (_, "trial") => "true or false (false)",
        (_, "sales_channel") => "how it was sold, such as CSP",
        (_, "pricing_model") => "the Azure pricing model",
        (_, "seller") => "own, other (another partner) or direct (the vendor)",
        (_, "auto_renew") => "true or false",
        (_, "start") => "first day, YYYY-MM-DD",
        (_, "end") => "last day, YYYY-MM-DD",
        (_, "attributions") => "why it is yours; in a table office:type joined with ; as in 1234567:CSP;1234567:DPOR",
        (_, "effective") => "in force from this day on, YYYY-MM-DD",
        (_, "status") => "the word of the source, such as Active, Suspended, Expired",
        (_, "seats") => "how many seats",
        (_, "from") => "first day held, YYYY-MM-DD",
        (_, "to") => "first day no longer held, YYYY-MM-DD; empty while it is held",
        (_, "service") => "such as Exchange, SharePoint, Teams, Yammer",
        (RecordKind::CompleteThrough, _) => "YYYY-MM-DD",
        (_, "day") => "YYYY-MM-DD, in your time zone",
        (_, "listed") => {
            "true where the source lists all licences each time; it ends with a licence_list that lacks it (false)"
        }
        (_, "lower_bound") => {
            "true where the day is a date of last activity: figures from it are a lower bound, and say so (false)"
        }
        _ => of_figure(field),
    }
}

/// Months and figures, which mean the same in every kind.
fn of_figure(field: &str) -> &'static str {
    match field {
        "month" => "YYYY-MM",
        "amount" => "a decimal number, at most 6 decimals, may be negative",
        "currency" => "ISO 4217, such as EUR",
        "total" => "all cases",
        "how_to" => "those that asked how to do something",
        "available" => "seats sold at the end of the month",
        "assigned" => "seats assigned at the end of the month",
        "active" => "seats with use",
        "grace" => "seats in grace, beside the available ones",
        "report" => {
            "the report the row is of; months between two that it has rows for, and that it has none for, take over the one before"
        }
        "of_customer" => "true where the report is about this customer alone (false)",
        "paid_by_use" => "true where it has no seats because it is paid by use (false)",
        "paid_available_units" => "paid units available",
        "monthly_active_users" => "users active in the month",
        "what" => "the kind to take back, such as activity",
        _ => "",
    }
}

fn of_list_field(field: &str) -> &'static str {
    match field {
        "source" => "what tells lists of one source from those of another",
        "what" => {
            "subscriptions or skus (those a customer has seats of), or customers: one row each, then one without customer_id"
        }
        "ids" => "what the list names; in a table joined with +; none of customers",
        _ => "true where it is a part of a list, which ends nothing (false)",
    }
}

fn of_retract_field(field: &str) -> &'static str {
    match field {
        "from" => "first day, included, YYYY-MM-DD",
        "to" => "last day, included, YYYY-MM-DD",
        "report" => "only rows of this report, with the revenue of what they are about; of reported_seats",
        _ => "only what was recorded before this time, of every customer where none is named; of reported rows",
    }
}
