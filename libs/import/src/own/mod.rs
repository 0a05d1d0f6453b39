//! The shape of our own records: which kinds there are, which fields each has, and how a field is read.
//!
//! This is the one place that knows. A line of JSON is such an object already; rows of CSV and Parquet are made into one
//! first. Here only the shape is judged: names and types. What the values mean is judged by the server, for every client
//! alike.

pub(crate) mod columns;
pub(crate) mod csv;
mod fields;
pub(crate) mod ndjson;
pub(crate) mod parquet;
pub mod template;

use std::sync::LazyLock;

use clap::ValueEnum as _;
use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{
    Assignment, CompleteThrough, Customer, LicenceList, Licensed, Location, Partner, Record, ReportedSeats,
    ReportedUsage, Retract, Revenue, Sku, Subscription, SubscriptionState, SupportCases, WholeList, record::Kind,
};
use serde_json::{Map, Value};

use self::fields::RecordFields;
use crate::reader::{ActivityDay, Notes, RecordKind, Sink, Stopped};

/// The fields of a kind, `recorded_at` first.
pub(crate) fn fields(kind: RecordKind) -> &'static [RecordField] {
    static FIELDS: LazyLock<Vec<Vec<RecordField>>> =
        LazyLock::new(|| RecordKind::value_variants().iter().map(|kind| probe(*kind)).collect());
    FIELDS.get(kind as usize).map_or(&[], Vec::as_slice)
}

/// A field of a kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordField {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) shape: FieldShape,
    /// Whether it must be there.
    pub(crate) need: Need,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldShape {
    Text,
    Day,
    Month,
    /// RFC 3339.
    Time,
    Count,
    Flag,
    /// A list of texts.
    Texts,
    /// A list of attributions.
    Attributions,
}

/// Whether a field must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Optional,
    Required,
    /// The subscription, or else the customer and the SKU.
    Subscription,
    CustomerAndSku,
}

/// The field at fault and the reason.
pub(crate) type FieldFault = (String, String);

/// What a record says.
pub(crate) enum Parsed {
    Record(Box<Record>),
    Activity(ActivityDay),
}

impl Parsed {
    /// Hands it on.
    pub(crate) fn give(self, row: u64, sink: &mut dyn Sink) -> Result<(), Stopped> {
        match self {
            Self::Record(record) => sink.record(row, *record),
            Self::Activity(activity) => sink.activity(row, activity),
        }
    }
}

/// Reads a record of a kind from its fields; what was done to them so that it could be taken is noted.
pub(crate) fn parse(
    kind: RecordKind,
    map: Map<String, Value>,
    row: u64,
    notes: &mut Notes,
) -> Result<Parsed, FieldFault> {
    let mut fields = RecordFields::new(kind, map);
    let recorded_at = fields.time("recorded_at");
    if kind == RecordKind::Activity {
        let activity = activity(&mut fields);
        fields.finish(row, notes)?;
        return activity.map(Parsed::Activity).ok_or_else(|| ("record".into(), "is not valid".into()));
    }
    let precedence = fields.precedence().into();
    let kind = Some(record(&mut fields));
    fields.finish(row, notes)?;
    Ok(Parsed::Record(Box::new(Record { recorded_at, precedence, kind })))
}

/// The fields a kind asks for when it is read.
fn probe(kind: RecordKind) -> Vec<RecordField> {
    let mut fields = RecordFields::recording(kind);
    fields.time("recorded_at");
    if kind == RecordKind::Activity {
        activity(&mut fields);
    } else {
        fields.precedence();
        record(&mut fields);
    }
    fields.seen()
}

fn activity(fields: &mut RecordFields) -> Option<ActivityDay> {
    let (customer_id, user_id) = (fields.required("customer_id"), fields.required("user_id"));
    let (service, text) = (fields.required("service"), fields.day("day"));
    let lower_bound = fields.flag("lower_bound").unwrap_or(false);
    let day =
        text.trim().parse::<Day>().inspect_err(|fault| fields.blame("day", format!("\"{text}\" {fault}"))).ok()?;
    Some(ActivityDay { customer_id, user_id, service, day, lower_bound })
}

fn record(fields: &mut RecordFields) -> Kind {
    match fields.kind {
        RecordKind::Partner => Kind::Partner(Partner {
            name: fields.text("name"),
            time_zone: fields.text("time_zone"),
            currency: fields.text("currency"),
        }),
        RecordKind::Location => Kind::Location(Location {
            location_id: fields.required("location_id"),
            name: fields.required("name"),
            country: fields.required("country"),
        }),
        RecordKind::Sku => Kind::Sku(Sku {
            sku_id: fields.required("sku_id"),
            name: fields.required("name"),
            product: fields.required("product"),
            services: fields.texts("services"),
            free: fields.flag("free").unwrap_or(false),
        }),
        RecordKind::Customer => Kind::Customer(Customer {
            customer_id: fields.required("customer_id"),
            name: fields.text("name"),
            country: fields.text("country"),
            tenant_country: fields.text("tenant_country"),
            segment: fields.text("segment"),
            industry: fields.text("industry"),
            domain: fields.text("domain"),
        }),
        RecordKind::Subscription => Kind::Subscription(subscription(fields)),
        RecordKind::SubscriptionState => Kind::SubscriptionState(SubscriptionState {
            subscription_id: fields.required("subscription_id"),
            effective: fields.day("effective"),
            status: fields.required("status"),
            seats: fields.seats("seats"),
            sku_id: fields.text("sku_id"),
            trial: fields.flag("trial"),
        }),
        RecordKind::Assignment => Kind::Assignment(Assignment {
            subscription_id: fields.required("subscription_id"),
            user_id: fields.required("user_id"),
            from_day: fields.day("from"),
            to_day: fields.optional_day("to"),
        }),
        RecordKind::Licensed => Kind::Licensed(Licensed {
            customer_id: fields.required("customer_id"),
            user_id: fields.required("user_id"),
            service: fields.required("service"),
            from_day: fields.day("from"),
            to_day: fields.optional_day("to"),
            listed: fields.flag("listed").unwrap_or(false),
        }),
        RecordKind::LicenceList => Kind::LicenceList(LicenceList {
            customer_id: fields.required("customer_id"),
            service: fields.required("service"),
            day: fields.day("day"),
        }),
        _ => monthly_or_other(fields),
    }
}

fn subscription(fields: &mut RecordFields) -> Subscription {
    Subscription {
        subscription_id: fields.required("subscription_id"),
        customer_id: fields.required("customer_id"),
        sku_id: fields.required("sku_id"),
        sales_channel: fields.text("sales_channel"),
        pricing_model: fields.text("pricing_model"),
        seller: fields.text("seller"),
        trial: fields.flag("trial").unwrap_or(false),
        auto_renew: fields.flag("auto_renew"),
        start: fields.spare_day("start"),
        end: fields.spare_day("end"),
        attributions: fields.attributions(),
        paid_by_use: fields.flag("paid_by_use").unwrap_or(false),
    }
}

fn monthly_or_other(fields: &mut RecordFields) -> Kind {
    match fields.kind {
        RecordKind::Revenue => Kind::Revenue(Revenue {
            subscription_id: fields.one_of("subscription_id", Need::Subscription),
            customer_id: fields.one_of("customer_id", Need::CustomerAndSku),
            sku_id: fields.one_of("sku_id", Need::CustomerAndSku),
            month: fields.month("month"),
            amount: fields.amount("amount"),
            currency: fields.required("currency"),
            seller: fields.text("seller"),
        }),
        RecordKind::SupportCases => Kind::SupportCases(SupportCases {
            customer_id: fields.required("customer_id"),
            month: fields.month("month"),
            total: fields.needed_count("total"),
            how_to: fields.count("how_to"),
        }),
        RecordKind::ReportedSeats => Kind::ReportedSeats(ReportedSeats {
            subscription_id: fields.one_of("subscription_id", Need::Subscription),
            customer_id: fields.one_of("customer_id", Need::CustomerAndSku),
            sku_id: fields.one_of("sku_id", Need::CustomerAndSku),
            month: fields.month("month"),
            available: fields.seats("available"),
            assigned: fields.count("assigned"),
            active: fields.count("active"),
            status: fields.text("status"),
            seller: fields.text("seller"),
            attributions: fields.attributions(),
            report: fields.text("report"),
            of_customer: fields.flag("of_customer").unwrap_or(false),
            grace: fields.count("grace"),
        }),
        RecordKind::ReportedUsage => Kind::ReportedUsage(ReportedUsage {
            customer_id: fields.required("customer_id"),
            service: fields.required("service"),
            month: fields.month("month"),
            paid_available_units: fields.needed_count("paid_available_units"),
            monthly_active_users: fields.needed_count("monthly_active_users"),
            attributions: fields.attributions(),
        }),
        RecordKind::WholeList => Kind::WholeList(WholeList {
            source: fields.required("source"),
            what: fields.required("what"),
            customer_id: fields.text("customer_id").unwrap_or_default(),
            day: fields.day("day"),
            ids: fields.texts("ids"),
            part: fields.flag("part").unwrap_or(false),
        }),
        RecordKind::Retract => Kind::Retract(Retract {
            what: fields.required("what"),
            customer_id: fields.text("customer_id").unwrap_or_default(),
            service: fields.text("service"),
            from_day: fields.day("from"),
            to_day: fields.day("to"),
            report: fields.text("report"),
            recorded_before: fields.time("recorded_before"),
        }),
        _ => Kind::CompleteThrough(CompleteThrough { day: fields.day("day") }),
    }
}
