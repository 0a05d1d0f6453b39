//! Writes records as our ndjson, one file per kind.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use insights_import::{ActivityDay, Rejection, Sink, Stopped};
use insights_proto::ingestion::v1::{Attribution, Record, record::Kind};
use serde_json::{Map, Value, json};

/// Kinds in an order in which nothing has to wait.
pub const KINDS: &[&str] = &[
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
    "complete_through",
];

/// Writes each kind into its own file of a directory.
pub struct Writer {
    folder: PathBuf,
    files: HashMap<&'static str, BufWriter<File>>,
    written: u64,
    fault: Option<io::Error>,
}

impl Writer {
    /// Makes the directory; files are made when their first record comes, over older ones.
    pub fn new(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), files: HashMap::new(), written: 0, fault: None })
    }

    /// Ends all files. The answer is how many records were written, and the files in an order in which nothing waits.
    pub fn finish(self) -> io::Result<(u64, Vec<PathBuf>)> {
        let Self { folder, mut files, written, fault } = self;
        fault.map_or(Ok(()), Err)?;
        let mut paths = Vec::new();
        for kind in KINDS {
            if let Some(mut file) = files.remove(kind) {
                file.flush()?;
                paths.push(path(&folder, kind));
            }
        }
        Ok((written, paths))
    }

    fn write(&mut self, kind: &'static str, fields: &Value) -> Result<(), Stopped> {
        self.written += 1;
        self.try_write(kind, fields).map_err(|error| {
            self.fault = Some(error);
            Stopped
        })
    }

    fn try_write(&mut self, kind: &'static str, fields: &Value) -> io::Result<()> {
        let file = match self.files.entry(kind) {
            std::collections::hash_map::Entry::Occupied(file) => file.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(BufWriter::with_capacity(1 << 16, File::create(path(&self.folder, kind))?))
            }
        };
        serde_json::to_writer(&mut *file, fields)?;
        file.write_all(b"\n")
    }
}

fn path(folder: &Path, kind: &str) -> PathBuf {
    folder.join(format!("{kind}.ndjson"))
}

impl Sink for Writer {
    fn record(&mut self, _row: u64, record: Record) -> Result<(), Stopped> {
        let Some(kind) = record.kind else { return Ok(()) };
        let (kind, fields) = fields(kind);
        self.write(kind, &fields)
    }

    fn activity(&mut self, _row: u64, activity: ActivityDay) -> Result<(), Stopped> {
        let ActivityDay { customer_id, user_id, service, day, lower_bound } = activity;
        let mut fact = json!({"kind": "activity", "customer_id": customer_id, "user_id": user_id, "service": service,
            "day": day.to_string()});
        if lower_bound {
            fact["lower_bound"] = Value::Bool(true);
        }
        self.write("activity", &fact)
    }

    fn rejected(&mut self, _rejection: Rejection) -> Result<(), Stopped> {
        Ok(())
    }
}

/// A record's kind and its fields as JSON, those without a value left out.
fn fields(kind: Kind) -> (&'static str, Value) {
    match kind {
        Kind::Partner(it) => {
            object("partner", json!({"name": it.name, "time_zone": it.time_zone, "currency": it.currency}))
        }
        Kind::Location(it) => {
            object("location", json!({"location_id": it.location_id, "name": it.name, "country": it.country}))
        }
        Kind::Sku(it) => object(
            "sku",
            json!({"sku_id": it.sku_id, "name": it.name, "product": it.product, "services": it.services, "free": it.free}),
        ),
        Kind::Customer(it) => object(
            "customer",
            json!({"customer_id": it.customer_id, "name": it.name, "country": it.country, "tenant_country": it.tenant_country,
                "segment": it.segment, "industry": it.industry, "domain": it.domain}),
        ),
        Kind::Subscription(it) => object(
            "subscription",
            json!({"subscription_id": it.subscription_id, "customer_id": it.customer_id, "sku_id": it.sku_id,
                "sales_channel": it.sales_channel, "pricing_model": it.pricing_model, "seller": it.seller, "trial": it.trial,
                "auto_renew": it.auto_renew, "start": it.start, "end": it.end, "attributions": attributions(&it.attributions)}),
        ),
        Kind::SubscriptionState(it) => object(
            "subscription_state",
            json!({"subscription_id": it.subscription_id, "effective": it.effective, "status": it.status, "seats": it.seats,
                "sku_id": it.sku_id, "trial": it.trial}),
        ),
        Kind::Assignment(it) => object(
            "assignment",
            json!({"subscription_id": it.subscription_id, "user_id": it.user_id, "from": it.from_day, "to": it.to_day}),
        ),
        Kind::Licensed(it) => object(
            "licensed",
            json!({"customer_id": it.customer_id, "user_id": it.user_id, "service": it.service, "from": it.from_day, "to": it.to_day}),
        ),
        kind => monthly_fields(kind),
    }
}

fn monthly_fields(kind: Kind) -> (&'static str, Value) {
    match kind {
        Kind::Revenue(it) => object(
            "revenue",
            json!({"subscription_id": it.subscription_id, "customer_id": it.customer_id, "sku_id": it.sku_id,
                "month": it.month, "amount": it.amount, "currency": it.currency, "seller": it.seller}),
        ),
        Kind::SupportCases(it) => object(
            "support_cases",
            json!({"customer_id": it.customer_id, "month": it.month, "total": it.total, "how_to": it.how_to}),
        ),
        Kind::ReportedSeats(it) => object(
            "reported_seats",
            json!({"subscription_id": it.subscription_id, "customer_id": it.customer_id, "sku_id": it.sku_id,
                "month": it.month, "available": it.available, "assigned": it.assigned, "active": it.active,
                "status": it.status, "seller": it.seller, "attributions": attributions(&it.attributions)}),
        ),
        Kind::ReportedUsage(it) => object(
            "reported_usage",
            json!({"customer_id": it.customer_id, "service": it.service, "month": it.month,
                "paid_available_units": it.paid_available_units, "monthly_active_users": it.monthly_active_users,
                "attributions": attributions(&it.attributions)}),
        ),
        Kind::Retract(it) => object(
            "retract",
            json!({"what": it.what, "customer_id": it.customer_id, "service": it.service, "from": it.from_day, "to": it.to_day}),
        ),
        Kind::CompleteThrough(it) => object("complete_through", json!({"day": it.day})),
        Kind::Unreadable(it) => object("unreadable", json!({"row": it.row, "field": it.field, "reason": it.reason})),
        other => fields(other),
    }
}

fn attributions(attributions: &[Attribution]) -> Value {
    if attributions.is_empty() {
        return Value::Null;
    }
    let one = |it: &Attribution| json!({"location_id": it.location_id, "type": it.r#type});
    Value::Array(attributions.iter().map(one).collect())
}

fn object(kind: &'static str, fields: Value) -> (&'static str, Value) {
    let mut map = Map::new();
    map.insert("kind".into(), kind.into());
    if let Value::Object(fields) = fields {
        map.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
    }
    (kind, Value::Object(map))
}
