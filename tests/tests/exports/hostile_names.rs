//! A partner whose names are hostile, and people who export its figures.

use insights_access::Role;
use insights_proto::ingestion::v1::{ReportedSeats, record::Kind};
use insights_proto::metrics::v1::{Dimension, DimensionValue, Filter, Measure, Query};
use insights_proto::reporting::v1::{
    CreateExportRequest, DownloadExportRequest, Export, ExportFormat, ExportOrder, ExportState, GetExportRequest,
};
use insights_testkit::{TempDatabase, found};
use insights_tests::product::{How, Person, Product};
use insights_tests::records::{self, text};
use tonic::Status;

/// The partner.
pub const PARTNER: &str = "contoso";
/// Names that a spreadsheet, a CSV reader or a browser could misread; each is the segment of some customers.
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
        let version = product.ingest(PARTNER, all()).await;
        let database_url =
            database.as_ref().map_or_else(|| product.sqlite_url("reporting"), |database| database.url().to_owned());
        Self { product, version, database_url, _database: database }
    }

    /// A client with a token of the partner.
    pub async fn person(&self, roles: &[Role], locations: &[&str]) -> Person {
        self.product.person(&self.product.token(PARTNER, roles, locations)).await
    }
}

/// Forty customers, each with two subscriptions over three months, users, and revenue of two currencies.
fn all() -> Vec<Kind> {
    let mut all = vec![
        records::sku("SKU-1", "=name of SKU-1", "Dynamics 365 Sales", &["Teams"]),
        records::sku("SKU-2", "=name of SKU-2", "Microsoft 365", &["Teams"]),
    ];
    all.extend(["L1", "L2"].map(|id| records::location(id, id)));
    all.extend((0..40).flat_map(customer));
    all.push(records::complete_through("2025-03-31"));
    all
}

fn customer(number: usize) -> Vec<Kind> {
    let id = format!("C-{number}");
    let mut all = vec![records::customer(&id, |it| {
        it.name = text(NAMES[number % NAMES.len()]);
        it.country = text(["BR", "PT", "DE"][number % 3]);
        it.segment = text(NAMES[number % NAMES.len()]);
    })];
    for half in 0..2 {
        let subscription = format!("S-{number}-{half}");
        let location = ["L1", "L2"][(number + half) % 2];
        all.push(records::subscription(&subscription, &id, ["SKU-1", "SKU-2"][half], |it| {
            it.trial = number.is_multiple_of(7);
            it.attributions = vec![records::attribution(location, "CSP")];
        }));
        let (from, seats) = (format!("2025-0{}-10", 1 + number % 3), i64::try_from(10 + number).unwrap_or_default());
        all.push(records::state(&subscription, &from, "Active", seats));
        all.push(records::revenue(&subscription, "2025-03", "1234567.891234", "USD"));
        all.push(records::revenue(&subscription, "2025-03", "-0.5", "EUR"));
        all.push(records::assignment(&subscription, &format!("user-{number}"), "2025-01-01"));
    }
    if number.is_multiple_of(5) {
        all.push(Kind::ReportedSeats(ReportedSeats {
            subscription_id: Some(format!("S-{number}-0")),
            month: "2025-03".into(),
            available: Some(9),
            active: Some(4),
            ..ReportedSeats::default()
        }));
    }
    all
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
