//! What writers send: batches by number, each as messages and as lines for the naive implementation. Every record has a time of its own,
//! so that they give one state in whatever order they come.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use insights_proto::ingestion::v1::{
    ActivityColumns, Attribution, Customer, IngestBatchRequest, Licensed, Record, ReportedSeats, Sku, record::Kind,
};
use prost_types::Timestamp;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::records::{self, complete_through, sku, state, text};

/// The SKU of the witnesses: every batch brings one customer who holds a seat of it from the beginning to the end.
pub const WITNESS: &str = "K-W";

/// The months that there are facts of.
pub const MONTHS: (&str, &str) = ("2024-01", "2024-04");

/// Customers that all writers write about.
const CUSTOMERS: usize = 12;
const SKUS: usize = 4;
const SERVICES: [&str; 3] = ["Exchange", "Teams", "Sales"];

/// A batch of records.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    records: Vec<Record>,
    activity: Vec<(String, String, &'static str, NaiveDate)>,
    lines: Vec<String>,
    /// Records that are rejected.
    pub bad: usize,
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

impl Batch {
    /// The batch of a number; always the same.
    #[must_use]
    pub fn make(number: u64) -> Self {
        let mut batch = Self::default();
        let mut random = StdRng::seed_from_u64(number);
        if number == 0 {
            batch.add(number, complete_through("2024-04-20"));
        }
        batch.witness(number);
        // SKUs come late, and again in another shape: what names them waits.
        if random.random_range(0..6) == 0 || number % 10 == 7 {
            batch.sku(number, &mut random);
        }
        for _ in 0..2 {
            batch.contract(number, &mut random);
        }
        batch.activity(&mut random);
        if random.random_range(0..5) == 0 {
            // A record that is rejected: it names no customer.
            batch.add(number, Kind::Customer(Customer { country: Some("DE".into()), ..Customer::default() }));
            batch.bad += 1;
        }
        batch
    }

    fn add(&mut self, number: u64, kind: Kind) {
        let start: DateTime<Utc> = "2024-05-01T00:00:00Z".parse().expect("a time");
        let at = start + TimeDelta::seconds(i64::try_from(number).unwrap_or(0));
        let at = at + TimeDelta::milliseconds(i64::try_from(self.records.len()).unwrap_or(0));
        let mut line = line(&kind);
        line["recorded_at"] = json!(at.to_rfc3339());
        self.lines.push(line.to_string());
        let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0);
        let recorded_at = Some(Timestamp { seconds: at.timestamp(), nanos });
        self.records.push(Record { recorded_at, kind: Some(kind), ..Record::default() });
    }

    fn witness(&mut self, number: u64) {
        let (customer, subscription) = (format!("W-{number}"), format!("SW-{number}"));
        if number.is_multiple_of(5) {
            self.add(0, witness_sku());
        }
        self.add(number, records::customer(&customer, |it| it.country = text("BR")));
        self.add(number, records::subscription(&subscription, &customer, WITNESS, |_| {}));
        self.add(number, state(&subscription, "2024-01-05", "Active", 1));
    }

    fn sku(&mut self, number: u64, random: &mut StdRng) {
        let first = random.random_range(0..SERVICES.len());
        let services = SERVICES.iter().cycle().skip(first).take(random.random_range(1..=2));
        let sku = Sku {
            sku_id: format!("K-{}", random.random_range(0..SKUS)),
            name: "N".into(),
            product: ["Office 365", "Dynamics 365 Sales"][random.random_range(0..2)].into(),
            services: services.map(|&service| service.to_owned()).collect(),
            free: random.random_range(0..8) == 0,
        };
        self.add(number, Kind::Sku(sku));
    }

    /// A customer, a subscription of its, or of another's a moment ago, and who uses it.
    fn contract(&mut self, number: u64, random: &mut StdRng) {
        let which = random.random_range(0..CUSTOMERS);
        let customer = format!("C-{which}");
        let country = ["BR", "US", "DE"][random.random_range(0..3)];
        let known = |it: &mut Customer| (it.country, it.segment) = (text(country), text("SMB"));
        self.add(number, records::customer(&customer, known));
        // Sometimes it changes hands.
        let subscription =
            format!("S-{}", if random.random_range(0..6) == 0 { (which + 1) % CUSTOMERS } else { which });
        let attributions = match random.random_range(0..3) {
            0 => vec![records::attribution("L0", "CSP")],
            _ => Vec::new(),
        };
        let sku = format!("K-{}", random.random_range(0..SKUS));
        self.add(number, records::subscription(&subscription, &customer, &sku, |it| it.attributions = attributions));
        let effective = some_day(random);
        let status = ["Active", "Active", "Suspended", "Warning"][random.random_range(0..4)];
        let seats = random.random_range(0..20);
        self.add(number, state(&subscription, &effective.to_string(), status, seats));
        let user = format!("u{}@{which}.example", random.random_range(0..5));
        self.add(number, records::assignment(&subscription, &user, &some_day(random).to_string()));
        self.beside(number, which, subscription, random);
    }

    /// What is said now and then of a customer and its subscription.
    fn beside(&mut self, number: u64, which: usize, subscription: String, random: &mut StdRng) {
        if random.random_range(0..4) == 0 {
            self.add(
                number,
                Kind::Licensed(Licensed {
                    listed: false,
                    customer_id: format!("C-{which}"),
                    user_id: format!("u{}@{which}.example", random.random_range(0..5)),
                    service: "Teams".into(),
                    from_day: some_day(random).to_string(),
                    to_day: None,
                }),
            );
        }
        if random.random_range(0..5) == 0 {
            self.add(
                number,
                Kind::ReportedSeats(ReportedSeats {
                    subscription_id: Some(subscription),
                    month: "2024-01".into(),
                    available: Some(random.random_range(0..30)),
                    ..ReportedSeats::default()
                }),
            );
        }
    }

    fn activity(&mut self, random: &mut StdRng) {
        for _ in 0..6 {
            let which = random.random_range(0..CUSTOMERS);
            let user = format!("u{}@{which}.example", random.random_range(0..5));
            let service = SERVICES[random.random_range(0..SERVICES.len())];
            let day = some_day(random);
            self.lines.push(
                json!({"kind": "activity", "customer_id": format!("C-{which}"), "user_id": user, "service": service,
                    "day": day.to_string()})
                .to_string(),
            );
            self.activity.push((format!("C-{which}"), user, service, day));
        }
    }

    /// As a message.
    #[must_use]
    pub fn request(&self, batch_id: &str) -> IngestBatchRequest {
        let mut columns = ActivityColumns::default();
        for (place, (customer, user, service, day)) in (0..).zip(&self.activity) {
            columns.customers.push(customer.clone());
            columns.users.push(user.clone());
            columns.services.push((*service).to_owned());
            columns.customer.push(place);
            columns.user.push(place);
            columns.service.push(place);
            columns.day.push(i32::try_from((*day - NaiveDate::default()).num_days()).unwrap_or(0));
        }
        IngestBatchRequest {
            batch_id: batch_id.to_owned(),
            records: self.records.clone(),
            activity: Some(columns),
            validate_only: false,
        }
    }

    /// As lines.
    #[must_use]
    pub fn lines(&self) -> String {
        self.lines.join("\n")
    }

    /// How many of its facts are accepted.
    #[must_use]
    pub fn good(&self) -> i64 {
        i64::try_from(self.records.len() + self.activity.len() - self.bad).unwrap_or(0)
    }
}

fn some_day(random: &mut StdRng) -> NaiveDate {
    day("2024-01-01") + Days::new(random.random_range(0..110))
}

/// The SKU of the witnesses.
#[must_use]
pub fn witness_sku() -> Kind {
    sku(WITNESS, "Witness", "Office 365", &["Exchange"])
}

/// A record as a line of our own format, without its time.
fn line(kind: &Kind) -> Value {
    match kind {
        Kind::CompleteThrough(through) => json!({"kind": "complete_through", "day": through.day}),
        Kind::Sku(sku) => json!({"kind": "sku", "sku_id": sku.sku_id, "name": sku.name, "product": sku.product,
            "services": sku.services, "free": sku.free}),
        Kind::Customer(customer) => json!({"kind": "customer", "customer_id": customer.customer_id,
            "country": customer.country, "segment": customer.segment}),
        Kind::Subscription(subscription) => {
            let attribution = |one: &Attribution| json!({"location_id": one.location_id, "type": one.r#type});
            json!({"kind": "subscription", "subscription_id": subscription.subscription_id,
                "customer_id": subscription.customer_id, "sku_id": subscription.sku_id,
                "attributions": subscription.attributions.iter().map(attribution).collect::<Vec<_>>()})
        }
        Kind::SubscriptionState(state) => json!({"kind": "subscription_state",
            "subscription_id": state.subscription_id, "effective": state.effective, "status": state.status,
            "seats": state.seats}),
        Kind::Assignment(assignment) => json!({"kind": "assignment", "subscription_id": assignment.subscription_id,
            "user_id": assignment.user_id, "from": assignment.from_day}),
        Kind::Licensed(licence) => json!({"kind": "licensed", "customer_id": licence.customer_id,
            "user_id": licence.user_id, "service": licence.service, "from": licence.from_day}),
        Kind::ReportedSeats(row) => json!({"kind": "reported_seats", "subscription_id": row.subscription_id,
            "month": row.month, "available": row.available}),
        other => panic!("nobody makes {other:?}"),
    }
}
