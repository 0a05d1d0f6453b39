//! A seeded whose revenue and personal data are made of seeds, and whose everything else is always the same.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::DateTime;
use insights_access::{Clock, Role, TokenRequest};
use insights_proto::ingestion::v1::{
    ActivityColumns, Assignment, IngestBatchRequest, IngestBatchResponse, Licensed, Partner, ReportedSeats, Revenue,
    Sku, SupportCases, record::Kind,
};
use insights_tests::product::{How, Product};
use insights_tests::records::{self, state, text};
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
        let batch = IngestBatchRequest { activity: Some(activity(variant)), ..records::batch("batch-1", all(variant)) };
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

/// A user, whose id is personal.
pub fn user(variant: Variant, number: usize) -> String {
    format!("{}-user-{number}@example.com", variant.personal * 7919 % 1009)
}

/// What is stored of the first variant, to guess at.
pub fn guess() -> Vec<Kind> {
    all(Variant { revenue: 0, personal: 0, elsewhere: 0 })
}

fn all(variant: Variant) -> Vec<Kind> {
    let mut all = vec![
        Kind::Partner(Partner { name: text("Contoso"), ..Partner::default() }),
        records::sku("SKU-1", "Name of SKU-1", "Dynamics 365 Sales", &["Dynamics"]),
        records::sku("SKU-2", "Name of SKU-2", "Office 365", &["Teams"]),
        Kind::Sku(Sku {
            sku_id: "SKU-3".into(),
            name: "Name of SKU-3".into(),
            product: "Office 365".into(),
            services: vec!["Exchange".into()],
            free: true,
        }),
    ];
    all.extend(["L1", "L2"].map(|id| records::location(id, &format!("{id} office"))));
    for number in 0..CUSTOMERS {
        all.extend(customer(variant, number));
    }
    // Data goes as far back in every product.
    all.push(state("S-1-0", "2023-01-01", "Pending", 0));
    // Rejections say where in the batch they stood: what there is more or less of comes after them.
    all.extend(troubles(variant));
    all.push(records::complete_through("2025-03-31"));
    all.extend(elsewhere::records(variant));
    all.extend(revenue(variant));
    all
}

fn customer(variant: Variant, number: usize) -> Vec<Kind> {
    let id = format!("C-{number}");
    let domain = format!("d{}.example", (variant.personal * 31 + number as u64) % 97);
    let mut all = vec![records::customer(&id, |it| {
        it.name = Some(format!("Customer {number}"));
        it.country = text(["BR", "PT", "DE"][number % 3]);
        it.segment = text(["Small", "Large"][number % 2]);
        it.domain = Some(domain).filter(|_| !(variant.personal + number as u64).is_multiple_of(5));
    })];
    for half in 0..2 {
        let subscription = format!("S-{number}-{half}");
        let attribution = records::attribution(["L1", "L2"][(number + half) % 2], ["CSP", "DPOR"][half]);
        let sku = ["SKU-1", "SKU-2", "SKU-3"][(number + half) % 3];
        all.push(records::subscription(&subscription, &id, sku, |it| {
            it.trial = number.is_multiple_of(7);
            it.attributions = if number.is_multiple_of(4) { Vec::new() } else { vec![attribution] };
            it.seller = text(["own", "other"][number % 2]);
            it.start = text("2024-04-01");
            it.end = Some(format!("2025-04-{:02}", 10 + number));
        }));
        let status = ["Active", "Active", "Active", "Warning", "Suspended"][number % 5];
        let seats = i64::try_from(5 + (number * 37) % 40).unwrap();
        all.push(state(&subscription, &format!("2025-0{}-10", 1 + number % 3), status, seats));
        for seat in 0..4 {
            all.push(Kind::Assignment(Assignment {
                subscription_id: subscription.clone(),
                user_id: user(variant, number * 10 + seat),
                from_day: "2025-01-15".into(),
                to_day: Some("2025-03-20".to_owned()).filter(|_| seat == 3),
            }));
        }
    }
    if number.is_multiple_of(2) {
        all.push(support_cases(&id, 20, 10 + i64::try_from(number).unwrap()));
    }
    if number.is_multiple_of(3) {
        all.push(Kind::Licensed(Licensed {
            customer_id: id.clone(),
            user_id: user(variant, number * 10 + 7),
            service: "Teams".into(),
            from_day: "2025-02-01".into(),
            ..Licensed::default()
        }));
        all.push(Kind::ReportedSeats(ReportedSeats {
            customer_id: Some(id),
            sku_id: text("SKU-3"),
            month: "2025-02".into(),
            available: Some(9),
            active: Some(4),
            ..ReportedSeats::default()
        }));
    }
    all
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
                    records.push(records::revenue(&format!("S-{number}-{half}"), month, &amount, currency));
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
    let revenue =
        |subscription: &str, amount: String, month: &str| records::revenue(subscription, month, &amount, "USD");
    let assignment = |subscription: &str, from: &str| records::assignment(subscription, &user(variant, 900), from);
    vec![
        revenue("S-yet-to-come", amount(17), "2025-03"),
        assignment("S-yet-to-come", "2025-01-01"),
        revenue("S-1-0", amount(19), "2025-13"),
        revenue("S-1-0", format!("{}1234567", amount(23)), "2025-03"),
        assignment("S-1-0", "2025-02-30"),
        records::customer("", |it| it.domain = Some(format!("d{}.example", variant.personal))),
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
