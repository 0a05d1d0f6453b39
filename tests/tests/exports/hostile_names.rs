//! A partner whose names are hostile, and people who export its figures.

use insights_access::Role;
use insights_proto::ingestion::v1::{
    Assignment, Attribution, CompleteThrough, Customer, Location, ReportedSeats, Revenue, Sku, Subscription,
    SubscriptionState, record::Kind,
};
use insights_proto::metrics::v1::{Dimension, DimensionValue, Filter, Measure, Query};
use insights_proto::reporting::v1::{
    CreateExportRequest, DownloadExportRequest, Export, ExportFormat, ExportOrder, ExportState, GetExportRequest,
};
use insights_testkit::{TempDatabase, found};
use insights_tests::product::{How, Person, Product};
use tonic::Status;

/// The partner.
pub const PARTNER: &str = "contoso";
/// Names as nobody would choose them; each is the segment of some customers.
pub const NAMES: [&str; 8] = [
    "=HYPERLINK(\"http://x\",\"y\")",
    "+1",
    "-2",
    "@SUM(1)",
    "\ttab",
    "two\r\nlines, \"quoted\"",
    "plain",
    "<b>&amp;</b>",
];

/// A product on one of the engines.
pub struct FilledProduct {
    pub product: Product,
    pub version: i64,
    /// Where reporting's tables are.
    pub database_url: String,
    _database: Option<TempDatabase>,
}

impl FilledProduct {
    /// With the partner in it.
    pub async fn start(postgres: bool, how: How) -> Self {
        let (product, database) = match postgres {
            true => {
                let database = TempDatabase::postgres();
                (Product::postgres_with(&database, how).await, Some(database))
            }
            false => (Product::sqlite_with(how).await, None),
        };
        let version = product.ingest(PARTNER, records()).await;
        let database_url =
            database.as_ref().map_or_else(|| product.sqlite_url("reporting"), |database| database.url().to_owned());
        Self { product, version, database_url, _database: database }
    }

    /// Somebody of the partner.
    pub async fn person(&self, roles: &[Role], locations: &[&str]) -> Person {
        self.product.person(&self.product.token(PARTNER, roles, locations)).await
    }
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// Forty customers, each with two subscriptions over three months, users, and revenue of two currencies.
fn records() -> Vec<Kind> {
    let mut records = vec![];
    for (id, product) in [("SKU-1", "Dynamics 365 Sales"), ("SKU-2", "Microsoft 365")] {
        records.push(Kind::Sku(Sku {
            sku_id: id.into(),
            name: format!("=name of {id}"),
            product: product.into(),
            services: vec!["Teams".into()],
            free: false,
        }));
    }
    for id in ["L1", "L2"] {
        records.push(Kind::Location(Location { location_id: id.into(), name: id.into(), country: "BR".into() }));
    }
    for number in 0..40_usize {
        records.extend(customer(number));
    }
    records.push(Kind::CompleteThrough(CompleteThrough { day: "2025-03-31".into() }));
    records
}

fn customer(number: usize) -> Vec<Kind> {
    let id = format!("C-{number}");
    let mut records = vec![Kind::Customer(Customer {
        customer_id: id.clone(),
        name: text(NAMES[number % NAMES.len()]),
        country: Some(["BR", "PT", "DE"][number % 3].to_owned()),
        segment: text(NAMES[number % NAMES.len()]),
        ..Customer::default()
    })];
    for half in 0..2 {
        let subscription = format!("S-{number}-{half}");
        let location = ["L1", "L2"][(number + half) % 2];
        records.push(Kind::Subscription(Subscription {
            subscription_id: subscription.clone(),
            customer_id: id.clone(),
            sku_id: ["SKU-1", "SKU-2"][half].into(),
            trial: number.is_multiple_of(7),
            attributions: vec![Attribution { location_id: text(location), r#type: text("CSP") }],
            ..Subscription::default()
        }));
        records.push(Kind::SubscriptionState(SubscriptionState {
            subscription_id: subscription.clone(),
            effective: format!("2025-0{}-10", 1 + number % 3),
            status: "Active".into(),
            seats: i64::try_from(10 + number).ok(),
            ..SubscriptionState::default()
        }));
        for (currency, amount) in [("USD", "1234567.891234"), ("EUR", "-0.5")] {
            records.push(Kind::Revenue(Revenue {
                subscription_id: Some(subscription.clone()),
                month: "2025-03".into(),
                amount: amount.into(),
                currency: currency.into(),
                ..Revenue::default()
            }));
        }
        records.push(Kind::Assignment(Assignment {
            subscription_id: subscription,
            user_id: format!("user-{number}"),
            from_day: "2025-01-01".into(),
            ..Assignment::default()
        }));
    }
    if number.is_multiple_of(5) {
        records.push(Kind::ReportedSeats(ReportedSeats {
            subscription_id: Some(format!("S-{number}-0")),
            month: "2025-03".into(),
            available: Some(9),
            active: Some(4),
            ..ReportedSeats::default()
        }));
    }
    records
}

/// A question about the first three months of 2025.
pub fn query(measures: &[Measure], by: &[Dimension]) -> Query {
    Query {
        measures: measures.iter().map(|&measure| measure.into()).collect(),
        group_by: by.iter().map(|&dimension| dimension.into()).collect(),
        from_month: "2025-01".into(),
        to_month: "2025-03".into(),
        ..Query::default()
    }
}

/// Rows of one value alone.
pub fn only(query: Query, dimension: Dimension, value: &str) -> Query {
    let values = vec![DimensionValue { value: text(value) }];
    Query { filters: vec![Filter { dimension: dimension.into(), values }], ..query }
}

pub fn order(query: Query, format: ExportFormat) -> ExportOrder {
    ExportOrder { query: Some(query), format: format.into(), ..ExportOrder::default() }
}

/// Orders an export.
pub async fn create(person: &mut Person, order: ExportOrder, min_version: i64) -> Result<Export, Status> {
    let request = CreateExportRequest { request_id: String::new(), order: Some(order), min_version };
    let request = person.request(request);
    Ok(person.client.create_export(request).await?.into_inner().export.expect("an export"))
}

pub async fn get(person: &mut Person, id: &str) -> Result<Export, Status> {
    let request = person.request(GetExportRequest { id: id.to_owned() });
    Ok(person.client.get_export(request).await?.into_inner().export.expect("an export"))
}

/// The export once it has ended.
pub async fn ended(person: &mut Person, id: &str) -> Export {
    found("the end of the export", async || {
        let export = get(person, id).await.expect("an export");
        (!matches!(export.state(), ExportState::Waiting | ExportState::Running)).then_some(export)
    })
    .await
}

/// Orders an export and waits until its file is there.
pub async fn done(person: &mut Person, order: ExportOrder, version: i64) -> Export {
    let export = create(person, order, version).await.expect("an order");
    let export = ended(person, &export.id).await;
    assert_eq!(export.state(), ExportState::Done, "{export:?}");
    export
}

/// The bytes of a file from an offset on, and what is said of it in the end.
pub async fn download(person: &mut Person, id: &str, offset: i64) -> Result<(Vec<u8>, Export), Status> {
    let request = person.request(DownloadExportRequest { id: id.to_owned(), offset });
    let mut pieces = person.client.download_export(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.message().await? {
        assert_eq!(piece.offset, offset + i64::try_from(bytes.len()).expect("a size"));
        if let Some(export) = piece.export {
            return Ok((bytes, export));
        }
        bytes.extend_from_slice(&piece.data);
    }
    panic!("the download ends without saying what it was");
}

/// A checksum, as exports state it.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
