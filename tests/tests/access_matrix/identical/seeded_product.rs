//! A seeded whose revenue and personal data are made of seeds, and whose everything else is always the same.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::DateTime;
use insights_access::{Clock, Role, TokenRequest};
use insights_proto::ingestion::v1::{
    ActivityColumns, Assignment, Attribution, CompleteThrough, Customer, IngestBatchRequest, IngestBatchResponse,
    Licensed, Location, Partner, Record, ReportedSeats, Revenue, Sku, Subscription, SupportCases, record::Kind,
};
use insights_tests::product::{How, Product};
use insights_tests::running::facts::state;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tonic::Code;

use super::callers::Caller;
use super::elsewhere;

pub const PARTNER: &str = "contoso";
pub const INGEST: &str = "/insights.ingestion.v1.IngestionService/IngestBatch";
pub const CUSTOMERS: usize = 12;
/// 15 April 2025, in seconds.
const BEGIN: i64 = 1_744_704_000;
const MONTHS: [&str; 8] = ["2023-05", "2024-12", "2025-01", "2025-02", "2025-03", "2025-04", "2025-06", "2026-01"];
const CURRENCIES: [&str; 3] = ["USD", "EUR", "BRL"];

/// What makes a seeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Makes amounts and currencies.
    pub revenue: u64,
    /// Makes users and domains.
    pub personal: u64,
    /// Makes what is attributed to L3 or to no location.
    pub elsewhere: u64,
}

/// A product with a seeded in it.
pub struct SeededProduct {
    pub product: Product,
    pub version: i64,
    now: Arc<AtomicI64>,
}

impl SeededProduct {
    /// On SQLite, at a time of its own that stands still.
    pub async fn start(variant: Variant) -> Self {
        let now = Arc::new(AtomicI64::new(BEGIN));
        let clock = {
            let now = Arc::clone(&now);
            Clock::new(move || DateTime::from_timestamp(now.load(Ordering::SeqCst), 0).unwrap_or_default())
        };
        let product = Product::sqlite_with(How { clock, user_key: Some("5a".repeat(32)), ..How::default() }).await;
        let records = records(variant).into_iter().map(|kind| Record { kind: Some(kind), ..Record::default() });
        let batch = IngestBatchRequest {
            batch_id: "batch-1".into(),
            records: records.collect(),
            activity: Some(activity(variant)),
            ..IngestBatchRequest::default()
        };
        let source = product.token(PARTNER, &[Role::DataSource], &[]);
        let (answer, stored) = product.ask::<IngestBatchResponse>(INGEST, &source, &batch).await;
        assert_eq!(answer.code(), Code::Ok, "{answer:?}");
        assert_eq!(stored.rejections.len(), 5, "{:?}", stored.rejections);
        assert_eq!(stored.waiting, 3, "{stored:?}");
        Self { version: stored.version, product, now }
    }

    /// One second later.
    pub fn tick(&self) {
        self.now.fetch_add(1, Ordering::SeqCst);
    }

    /// A token of a caller.
    pub fn token(&self, caller: &Caller) -> String {
        let request = TokenRequest {
            subject: caller.name.into(),
            roles: caller.roles.to_vec(),
            partner: PARTNER.into(),
            locations: caller.locations.iter().map(|&location| location.to_owned()).collect(),
            ttl: std::time::Duration::from_secs(24 * 3600),
        };
        self.product.issuer.mint(&request).unwrap()
    }
}

pub fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// A user, whose id is personal.
pub fn user(variant: Variant, number: usize) -> String {
    format!("{}-user-{number}@example.com", variant.personal * 7919 % 1009)
}

fn records(variant: Variant) -> Vec<Kind> {
    let mut records = vec![Kind::Partner(Partner { name: text("Contoso"), ..Partner::default() })];
    for (id, product, service, free) in [
        ("SKU-1", "Dynamics 365 Sales", "Dynamics", false),
        ("SKU-2", "Office 365", "Teams", false),
        ("SKU-3", "Office 365", "Exchange", true),
    ] {
        let services = vec![service.to_owned()];
        let (sku_id, name, product) = (id.to_owned(), format!("Name of {id}"), product.to_owned());
        records.push(Kind::Sku(Sku { sku_id, name, product, services, free }));
    }
    for id in ["L1", "L2"] {
        records.push(Kind::Location(Location {
            location_id: id.into(),
            name: format!("{id} office"),
            country: "BR".into(),
        }));
    }
    for number in 0..CUSTOMERS {
        records.extend(customer(variant, number));
    }
    // Data goes as far back in every seeded.
    records.push(state("S-1-0", "2023-01-01", "Pending", 0));
    // Rejections say where in the batch they stood: what there is more or less of comes after them.
    records.extend(troubles(variant));
    records.push(Kind::CompleteThrough(CompleteThrough { day: "2025-03-31".into() }));
    records.extend(elsewhere::records(variant));
    records.extend(revenue(variant));
    records
}

fn customer(variant: Variant, number: usize) -> Vec<Kind> {
    let id = format!("C-{number}");
    let domain = format!("d{}.example", (variant.personal * 31 + number as u64) % 97);
    let mut records = vec![Kind::Customer(Customer {
        customer_id: id.clone(),
        name: Some(format!("Customer {number}")),
        country: Some(["BR", "PT", "DE"][number % 3].to_owned()),
        segment: text(["Small", "Large"][number % 2]),
        domain: Some(domain).filter(|_| !(variant.personal + number as u64).is_multiple_of(5)),
        ..Customer::default()
    })];
    for half in 0..2 {
        let subscription = format!("S-{number}-{half}");
        let at = ["L1", "L2"][(number + half) % 2];
        let attribution = Attribution { location_id: text(at), r#type: text(["CSP", "DPOR"][half]) };
        records.push(Kind::Subscription(Subscription {
            subscription_id: subscription.clone(),
            customer_id: id.clone(),
            sku_id: ["SKU-1", "SKU-2", "SKU-3"][(number + half) % 3].into(),
            trial: number.is_multiple_of(7),
            attributions: if number.is_multiple_of(4) { Vec::new() } else { vec![attribution] },
            seller: text(["own", "other"][number % 2]),
            start: text("2024-04-01"),
            end: Some(format!("2025-04-{:02}", 10 + number)),
            ..Subscription::default()
        }));
        let status = ["Active", "Active", "Active", "Warning", "Suspended"][number % 5];
        let seats = i64::try_from(5 + (number * 37) % 40).unwrap();
        records.push(state(&subscription, &format!("2025-0{}-10", 1 + number % 3), status, seats));
        for seat in 0..4 {
            records.push(Kind::Assignment(Assignment {
                subscription_id: subscription.clone(),
                user_id: user(variant, number * 10 + seat),
                from_day: "2025-01-15".into(),
                to_day: Some("2025-03-20".to_owned()).filter(|_| seat == 3),
            }));
        }
    }
    if number.is_multiple_of(2) {
        records.push(support_cases(&id, 20, 10 + i64::try_from(number).unwrap()));
    }
    if number.is_multiple_of(3) {
        records.push(Kind::Licensed(Licensed {
            customer_id: id.clone(),
            user_id: user(variant, number * 10 + 7),
            service: "Teams".into(),
            from_day: "2025-02-01".into(),
            ..Licensed::default()
        }));
        records.push(Kind::ReportedSeats(ReportedSeats {
            customer_id: Some(id),
            sku_id: text("SKU-3"),
            month: "2025-02".into(),
            available: Some(9),
            active: Some(4),
            ..ReportedSeats::default()
        }));
    }
    records
}

/// Cases of March, many of them how-to.
pub fn support_cases(customer: &str, total: i64, how_to: i64) -> Kind {
    let (total, how_to) = (Some(total.max(how_to)), Some(how_to));
    Kind::SupportCases(SupportCases { customer_id: customer.into(), month: "2025-03".into(), total, how_to })
}

/// How much, in which currencies, of which months and whether at all: everything is of the seed.
fn revenue(variant: Variant) -> Vec<Kind> {
    let mut dice = ChaCha8Rng::seed_from_u64(variant.revenue);
    let mut records = Vec::new();
    for number in 0..CUSTOMERS {
        for (month, currency) in MONTHS.iter().flat_map(|month| CURRENCIES.map(|currency| (month, currency))) {
            for half in 0..2 {
                if dice.random_bool(0.5) {
                    let amount = format!("{}.{:02}", dice.random_range(-100..100_000), dice.random_range(0..100));
                    records.push(Kind::Revenue(Revenue {
                        subscription_id: Some(format!("S-{number}-{half}")),
                        month: (*month).into(),
                        amount,
                        currency: currency.into(),
                        ..Revenue::default()
                    }));
                }
            }
            // Of a SKU that the customer has by no subscription, too.
            if dice.random_bool(0.3) {
                records.push(Kind::Revenue(Revenue {
                    customer_id: Some(format!("C-{number}")),
                    sku_id: text(["SKU-1", "SKU-2", "SKU-3"][dice.random_range(0..3)]),
                    month: (*month).into(),
                    amount: dice.random_range(0..1_000).to_string(),
                    currency: currency.into(),
                    ..Revenue::default()
                }));
            }
        }
    }
    records
}

/// What waits and what is rejected: always as much, of other amounts and users.
fn troubles(variant: Variant) -> Vec<Kind> {
    let amount = |scale: u64| format!("{}.5", variant.revenue * scale + 12);
    let revenue = |subscription: &str, amount: String, month: &str| {
        let (subscription_id, currency) = (text(subscription), "USD".to_owned());
        Kind::Revenue(Revenue { subscription_id, month: month.into(), amount, currency, ..Revenue::default() })
    };
    let assignment = |subscription: &str, from: &str| {
        Kind::Assignment(Assignment {
            subscription_id: subscription.into(),
            user_id: user(variant, 900),
            from_day: from.into(),
            ..Assignment::default()
        })
    };
    vec![
        revenue("S-yet-to-come", amount(17), "2025-03"),
        assignment("S-yet-to-come", "2025-01-01"),
        revenue("S-1-0", amount(19), "2025-13"),
        revenue("S-1-0", format!("{}1234567", amount(23)), "2025-03"),
        assignment("S-1-0", "2025-02-30"),
        Kind::Customer(Customer {
            customer_id: String::new(),
            domain: Some(format!("d{}.example", variant.personal)),
            ..Customer::default()
        }),
        // Of a location that not everybody sees: one waits, one is rejected.
        revenue(&format!("S-late-{}", variant.elsewhere), "1".to_owned(), "2025-03"),
        state(&format!("S-elsewhere-{}", variant.elsewhere), "2025-02-30", "Active", 1),
    ]
}

/// Who did what when.
fn activity(variant: Variant) -> ActivityColumns {
    let mut columns =
        ActivityColumns { services: vec!["Dynamics".into(), "Teams".into()], ..ActivityColumns::default() };
    for number in 0..CUSTOMERS {
        columns.customers.push(format!("C-{number}"));
        for seat in 0..5 {
            let (user_no, customer_no) = (columns.users.len(), number);
            columns.users.push(user(variant, number * 10 + seat));
            if (number + seat) % 4 == 0 {
                continue;
            }
            columns.customer.push(u32::try_from(customer_no).unwrap());
            columns.user.push(u32::try_from(user_no).unwrap());
            columns.service.push(u32::try_from(seat % 2).unwrap());
            // Days of February and March 2025.
            columns.day.push(20_130 + i32::try_from((number * 5 + seat * 11) % 45).unwrap());
        }
    }
    elsewhere::activity(variant, &mut columns);
    columns
}
