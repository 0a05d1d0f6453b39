//! Each format's file beside what it becomes: `fixtures/NAME` and `fixtures/expected/NAME.txt`.
//!
//! With `INSIGHTS_GOLDEN=write` the expectations are written anew, to be read and agreed to before they are kept.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::{fmt::Write as _, fs, path::Path};

use insights_domain::calendar::Day;
use insights_import::{
    ActivityDay, Format, MendedRows, ReadOptions, Recognised, Rejection, Sink, Stopped, read, recognise,
};
use insights_proto::ingestion::v1::{Attribution, Precedence, Record, record::Kind};

const CUSTOMER: &str = "C0FFEE00-0001-4E00-9E00-0000000000AA";

/// Files, their formats and what is said of them besides.
const FILES: &[(&str, Format)] = &[
    ("records.ndjson", Format::Ndjson),
    ("product-names.csv", Format::ProductNames),
    ("pc-customers.json", Format::PcCustomers),
    ("pc-subscriptions.json", Format::PcSubscriptions),
    ("pc-subscribed-skus.json", Format::PcSubscribedSkus),
    ("insights-customers.csv", Format::InsightsCustomers),
    ("insights-subscriptions.csv", Format::InsightsSubscriptions),
    ("insights-dynamics-usage.tsv", Format::InsightsDynamicsUsage),
    ("insights-office-usage.tsv", Format::InsightsOfficeUsage),
    ("graph-subscribed-skus.json", Format::GraphSubscribedSkus),
    ("graph-subscriptions.json", Format::GraphSubscriptions),
    ("graph-user-detail.csv", Format::GraphUserDetail),
];

fn options(format: Format) -> ReadOptions {
    let today = Day::from_ymd(2024, 6, 20).unwrap();
    ReadOptions {
        customer: format.needs_customer().then(|| CUSTOMER.to_owned()),
        made: i64::from(today.plus(-2).epoch_days()) * 86_400 + 3_661,
        own_tenant: Some("11111111-2222-4333-8444-555555555555".into()),
        ..ReadOptions::on(today)
    }
}

/// Writes down what comes, a line each.
#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, row: u64, what: &str, rest: &str) -> Result<(), Stopped> {
        writeln!(self.0, "{row:>3} {what:<9} {rest}").unwrap();
        Ok(())
    }
}

impl Sink for Text {
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        let what = if record.recorded_at.is_some() { "dated" } else { "record" };
        self.line(row, what, &written(&record))
    }

    fn stub(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        self.line(row, "stub", &written(&record))
    }

    fn activity(&mut self, row: u64, activity: ActivityDay) -> Result<(), Stopped> {
        let ActivityDay { customer_id, user_id, service, day, lower_bound } = activity;
        let at_least = if lower_bound { " lower_bound" } else { "" };
        self.line(
            row,
            "activity",
            &format!("customer={customer_id} user={user_id} service={service:?} day={day}{at_least}"),
        )
    }

    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        self.line(rejection.row, "rejected", &format!("{}: {}", rejection.field, rejection.reason))
    }
}

/// The fields of a record that are set.
fn written(record: &Record) -> String {
    let mut out = String::new();
    if let Some(time) = record.recorded_at {
        let date = Day::from_epoch_days(i32::try_from(time.seconds.div_euclid(86_400)).unwrap()).unwrap();
        write!(out, "[{date} +{}.{:03}] ", time.seconds.rem_euclid(86_400), time.nanos / 1_000_000).unwrap();
    }
    if record.precedence() != Precedence::Unspecified {
        out.push(' ');
        out.push_str(record.precedence().as_str_name().trim_start_matches("PRECEDENCE_"));
    }
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            write!(out, " {name}={value}").unwrap();
        }
    };
    let text = |text: &str| Some(format!("{text:?}")).filter(|text| text != "\"\"");
    let maybe = |it: &Option<String>| it.as_ref().map(|it| format!("{it:?}"));
    let number = |number: Option<i64>| number.map(|number| number.to_string());
    let flag = |flag: bool| flag.then(|| "yes".to_owned());
    let why = |all: &[Attribution]| {
        let one = |it: &Attribution| {
            format!("{}:{}", it.location_id.as_deref().unwrap_or("-"), it.r#type.as_deref().unwrap_or("-"))
        };
        Some(all.iter().map(one).collect::<Vec<_>>().join(", ")).filter(|it| !it.is_empty()).map(|it| format!("[{it}]"))
    };
    let kind = match record.kind.as_ref().unwrap() {
        Kind::Location(it) => {
            put("id", text(&it.location_id));
            put("name", text(&it.name));
            put("country", text(&it.country));
            "location"
        }
        Kind::Sku(it) => {
            put("id", text(&it.sku_id));
            put("name", text(&it.name));
            put("product", text(&it.product));
            put("services", text(&it.services.join("+")));
            put("free", flag(it.free));
            "sku"
        }
        Kind::Customer(it) => {
            put("id", text(&it.customer_id));
            put("name", maybe(&it.name));
            put("country", maybe(&it.country));
            put("tenant_country", maybe(&it.tenant_country));
            put("segment", maybe(&it.segment));
            put("industry", maybe(&it.industry));
            put("domain", maybe(&it.domain));
            "customer"
        }
        Kind::Subscription(it) => {
            put("id", text(&it.subscription_id));
            put("customer", text(&it.customer_id));
            put("sku", text(&it.sku_id));
            put("channel", maybe(&it.sales_channel));
            put("seller", maybe(&it.seller));
            put("trial", flag(it.trial));
            put("auto_renew", it.auto_renew.map(|it| it.to_string()));
            put("start", maybe(&it.start));
            put("end", maybe(&it.end));
            put("attributions", why(&it.attributions));
            put("paid_by_use", flag(it.paid_by_use));
            "subscription"
        }
        Kind::SubscriptionState(it) => {
            put("id", text(&it.subscription_id));
            put("effective", text(&it.effective));
            put("status", text(&it.status));
            put("seats", number(it.seats));
            put("sku", maybe(&it.sku_id));
            put("trial", it.trial.map(|it| it.to_string()));
            "state"
        }
        Kind::Licensed(it) => {
            put("customer", text(&it.customer_id));
            put("user", text(&it.user_id));
            put("service", text(&it.service));
            put("from", text(&it.from_day));
            put("to", maybe(&it.to_day));
            put("listed", flag(it.listed));
            "licensed"
        }
        Kind::Revenue(it) => {
            put("subscription", maybe(&it.subscription_id));
            put("customer", maybe(&it.customer_id));
            put("sku", maybe(&it.sku_id));
            put("month", text(&it.month));
            put("amount", text(&it.amount));
            put("currency", text(&it.currency));
            put("seller", maybe(&it.seller));
            "revenue"
        }
        Kind::ReportedSeats(it) => {
            put("subscription", maybe(&it.subscription_id));
            put("customer", maybe(&it.customer_id));
            put("sku", maybe(&it.sku_id));
            put("month", text(&it.month));
            put("available", number(it.available));
            put("assigned", number(it.assigned));
            put("active", number(it.active));
            put("status", maybe(&it.status));
            put("seller", maybe(&it.seller));
            put("attributions", why(&it.attributions));
            put("grace", number(it.grace));
            put("report", maybe(&it.report));
            put("of_customer", flag(it.of_customer));
            "seats"
        }
        Kind::ReportedUsage(it) => {
            put("customer", text(&it.customer_id));
            put("service", text(&it.service));
            put("month", text(&it.month));
            put("units", number(it.paid_available_units));
            put("users", number(it.monthly_active_users));
            put("attributions", why(&it.attributions));
            "usage"
        }
        Kind::LicenceList(it) => {
            put("customer", text(&it.customer_id));
            put("service", text(&it.service));
            put("day", text(&it.day));
            "licence_list"
        }
        Kind::WholeList(it) => {
            put("source", text(&it.source));
            put("what", text(&it.what));
            put("customer", text(&it.customer_id));
            put("day", text(&it.day));
            put("ids", text(&it.ids.join("+")));
            put("part", flag(it.part));
            "whole_list"
        }
        Kind::CompleteThrough(it) => {
            put("day", text(&it.day));
            "complete_through"
        }
        other => {
            write!(out, " {other:?}").unwrap();
            "other"
        }
    };
    match out.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((time, rest)) => format!("{kind} [{time}]{}", rest.strip_prefix(' ').unwrap_or(rest)),
        None => format!("{kind}{out}"),
    }
}

fn golden(name: &str, format: Format) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let bytes = fs::read(folder.join(name)).unwrap();
    let mut text = Text::default();
    let notes = read(format, &mut bytes.as_slice(), &options(format), &mut text).unwrap();
    let mut note = |what: &str, items: Vec<&String>| {
        for item in items {
            writeln!(text.0, "    {what}: {item}").unwrap();
        }
    };
    note("unknown column", notes.unknown_columns.iter().collect());
    note("unmapped service", notes.unmapped_services.iter().collect());
    note("unknown status", notes.unknown_statuses.iter().collect());
    note("unknown country", notes.unknown_countries.iter().collect());
    note("perhaps free", notes.perhaps_free.iter().collect());
    note("free without end", notes.free_without_end.iter().collect());
    for ((field, what), MendedRows { rows, first }) in &notes.mended {
        writeln!(text.0, "    mended: {field}: {what}: {rows}, the first is {first}").unwrap();
    }
    for remark in notes.remarks {
        writeln!(text.0, "    remark: {remark}").unwrap();
    }
    text.0
}

#[test]
fn every_file_becomes_what_is_written_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/expected");
    let write = std::env::var("INSIGHTS_GOLDEN").is_ok_and(|it| it == "write");
    let mut wrong = String::new();
    for (name, format) in FILES {
        let found = golden(name, *format);
        let path = folder.join(format!("{name}.txt"));
        if write {
            fs::create_dir_all(&folder).unwrap();
            fs::write(path, found).unwrap();
            continue;
        }
        let expected = fs::read_to_string(path).unwrap();
        if found != expected {
            let lines = found.lines().filter(|line| !expected.contains(line)).collect::<Vec<_>>().join("\n");
            write!(wrong, "{name} becomes, among other things:\n{lines}\n").unwrap();
        }
    }
    assert!(!write, "written anew: read them");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_file_is_recognised_by_its_content() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for (name, format) in FILES {
        let bytes = fs::read(folder.join(name)).unwrap();
        let found = recognise(&mut bytes.as_slice(), None);
        let day = (*format == Format::GraphUserDetail).then(|| Day::from_ymd(2024, 6, 18).unwrap());
        assert_eq!(found, Ok(Recognised { format: *format, day }), "{name}");
    }
    for strange in ["", "hello\nworld\n", "{\"a\": 1}", "[1, 2]", "{\"value\": []}", "Month,Name\n1,2\n", "\0\0", "{"] {
        assert!(recognise(&mut strange.as_bytes(), None).is_err(), "{strange:?}");
    }
    let template = "# a comment\n# another\ncustomer_id,name,country\nC,One,PT\n";
    let own = |format| Ok(Recognised { format, day: None });
    assert_eq!(recognise(&mut template.as_bytes(), None), own(Format::Csv));
    let parquet = fs::read(folder.join("own/sku.parquet")).unwrap();
    assert_eq!(recognise(&mut parquet.as_slice(), None), own(Format::Parquet));
    // PowerBIUsage has the columns of DynamicsUsage.
    let power_bi = fs::read_to_string(folder.join("insights-dynamics-usage.tsv")).unwrap();
    let power_bi = power_bi.replace("Dynamics 365 Sales", "Power BI Pro");
    assert!(recognise(&mut power_bi.as_bytes(), None).is_err());
}
