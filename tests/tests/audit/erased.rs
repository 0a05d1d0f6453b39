//! Who is erased leaves no trace in any table or file, and the figures are those of a product that never knew them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use insights_access::Role;
use insights_database::{
    Database,
    sea_orm::{ConnectionTrait, Statement},
};
use insights_proto::ingestion::v1::{
    ActivityColumns, IngestBatchRequest, IngestBatchResponse, SubscriptionState, record::Kind,
};
use insights_proto::metrics::v1::{Dimension, DimensionValue, Filter, Measure, Result as Rows};
use insights_proto::reporting::v1 as wire;
use insights_service::fail_point;
use insights_testkit::{TempDatabase, insights, traces, until};
use insights_tests::product::Product;
use insights_tests::records::{assignment, batch, customer, revenue, smallest, state, subscription, text};
use tonic::Code;

use crate::reads::{PARTNER, path, query, token_of};

const CUSTOMER: &str = "Erased-Customer-77";
const SUBSCRIPTION: &str = "Erased-Subscription-77";
const NAME: &str = "Vanishing Example Works";
const DOMAIN: &str = "vanishing.example";
const USER: &str = "vanishing.user@erased.example";
const INGEST: &str = "/insights.ingestion.v1.IngestionService/IngestBatch";

/// What is looked for, apart from the hash of the user.
const TEXTS: [&str; 4] = [CUSTOMER, SUBSCRIPTION, NAME, DOMAIN];

fn erased_customer() -> Vec<Kind> {
    vec![
        customer(CUSTOMER, |it| (it.name, it.domain, it.country) = (text(NAME), text(DOMAIN), text("DE"))),
        subscription(SUBSCRIPTION, CUSTOMER, "SKU-1", |it| it.seller = text("own")),
        state(SUBSCRIPTION, "2025-01-01", "Active", 20),
        assignment(SUBSCRIPTION, USER, "2025-01-01"),
        revenue(SUBSCRIPTION, "2025-02", "77.00", "USD"),
    ]
}

/// A product with a customer who stays, and one who goes.
struct Filled {
    product: Product,
    database: Option<TempDatabase>,
    token: String,
    version: i64,
    /// As stored, and as text.
    hash: (Vec<u8>, String),
}

impl Filled {
    async fn start(postgres: bool) -> Self {
        let database = postgres.then(TempDatabase::postgres);
        let product = match &database {
            Some(database) => Product::postgres(database).await,
            None => Product::sqlite().await,
        };
        product.ingest(PARTNER, smallest(10)).await;
        let token = token_of(&product, "ada", PARTNER, &[Role::GlobalAdmin], &[]);
        let mut filled = Self { product, database, token, version: 0, hash: Default::default() };
        let mut facts = batch("second", erased_customer());
        facts.activity = Some(ActivityColumns {
            customers: vec![CUSTOMER.into(), "C-1".into()],
            users: vec![USER.into()],
            services: vec!["Dynamics".into()],
            customer: vec![0, 1],
            user: vec![0, 0],
            service: vec![0, 0],
            day: vec![20_160, 20_160],
            lower_bound: Vec::new(),
        });
        let bad = SubscriptionState { subscription_id: SUBSCRIPTION.into(), ..SubscriptionState::default() };
        facts.records.extend(batch("", [Kind::SubscriptionState(bad)]).records);
        let stored = filled.ingest(facts).await;
        assert_eq!(stored.rejected, 1);
        filled.version = stored.version;
        let (_, found) = filled.preview("", USER).await;
        assert!(found.counts.iter().any(|count| count.kind == "activity" && count.count == 2), "{found:?}");
        filled.hash = filled.hash_of_user().await;
        filled
    }

    async fn ingest(&self, facts: IngestBatchRequest) -> IngestBatchResponse {
        let source = token_of(&self.product, "feed", PARTNER, &[Role::DataSource], &[]);
        let (answer, stored) = self.product.ask::<IngestBatchResponse>(INGEST, &source, &facts).await;
        assert_eq!(answer.code(), Code::Ok, "{answer:?}");
        stored
    }

    fn url(&self, service: &str) -> String {
        self.database.as_ref().map_or_else(|| self.product.sqlite_url(service), |it| it.url().to_owned())
    }

    async fn hash_of_user(&self) -> (Vec<u8>, String) {
        let database = Database::connect(&self.url("ingestion")).await.unwrap();
        let sql = "SELECT u.hash FROM ingestion_user u JOIN ingestion_customer c ON c.customer_no = u.customer_no \
                   WHERE c.customer_id = 'C-1'";
        let ask = Statement::from_string(database.reader().get_database_backend(), sql);
        let bytes: Vec<u8> = database.reader().query_one_raw(ask).await.unwrap().unwrap().try_get_by_index(0).unwrap();
        database.close().await.unwrap();
        let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        (bytes, hex)
    }

    /// Where one of the values is: in files of the data directory, and in tables.
    fn traces(&self, values: &[&[u8]]) -> BTreeSet<String> {
        let folder = PathBuf::from(self.product.sqlite_url("x").trim_start_matches("sqlite:"));
        let mut found = traces::in_files(folder.parent().unwrap(), values);
        if let Some(database) = &self.database {
            found.extend(traces::in_postgres(database.url(), values));
        }
        found
    }

    async fn preview(&self, customer: &str, user: &str) -> (Code, wire::PreviewErasureResponse) {
        let request = wire::PreviewErasureRequest { customer_id: customer.into(), user_id: user.into() };
        let (answer, found) = self.product.ask(&path("PreviewErasure"), &self.token, &request).await;
        (answer.code(), found)
    }

    async fn erase(&self, customer: &str, user: &str, confirmation: &str) -> (Code, wire::EraseResponse) {
        let (customer_id, user_id) = (customer.into(), user.into());
        let request = wire::EraseRequest { customer_id, user_id, confirmation: confirmation.into() };
        let (answer, erased) = self.product.ask(&path("Erase"), &self.token, &request).await;
        (answer.code(), erased)
    }

    async fn rows(&self, by: &[Dimension], min_version: i64) -> Rows {
        let query = query(&[Measure::Customers, Measure::Available, Measure::ActiveUsers], by);
        let request = wire::QueryRequest { query: Some(query), min_version, max_bytes: 0 };
        let (answer, found) = self.product.ask::<wire::QueryResponse>(&path("Query"), &self.token, &request).await;
        assert_eq!(answer.code(), Code::Ok, "{answer:?}");
        found.result.unwrap()
    }

    async fn verify(&self) {
        let asked = self.product.person(&self.token).await;
        let request = asked.request(wire::VerifyRequest {});
        let mut answers = asked.client.clone().verify(request).await.unwrap().into_inner();
        let mut last = None;
        while let Some(answer) = answers.message().await.unwrap() {
            last = Some(answer);
        }
        let last = last.unwrap();
        assert_eq!((last.done, last.differences), (true, 0), "{:?}", last.samples);
    }

    /// Exports by customer, of one customer, of a report, and by country, all done.
    async fn export_all(&self) {
        let csv = wire::ExportFormat::Csv;
        let of = |by: &[Dimension], named: Option<&str>, format: wire::ExportFormat, report: wire::ExportReport| {
            let mut asked = query(&[Measure::Available], by);
            asked.filters.extend(named.map(|customer| Filter {
                dimension: Dimension::Customer.into(),
                values: vec![DimensionValue { value: text(customer) }],
            }));
            if report != wire::ExportReport::Unspecified {
                asked.measures.clear();
            }
            let (format, report) = (format.into(), report.into());
            wire::ExportOrder { query: Some(asked), format, report, ..wire::ExportOrder::default() }
        };
        let none = wire::ExportReport::Unspecified;
        let orders = [
            of(&[Dimension::Customer], None, csv, none),
            of(&[Dimension::Country], Some(CUSTOMER), csv, none),
            of(&[], None, wire::ExportFormat::Xlsx, wire::ExportReport::Subscriptions),
            of(&[Dimension::Country], None, csv, none),
        ];
        let mut person = self.product.person(&self.token).await;
        for order in orders {
            let request =
                wire::CreateExportRequest { order: Some(order), min_version: self.version, ..Default::default() };
            let request = person.request(request);
            person.client.create_export(request).await.unwrap();
        }
        until("all exports are done", async || {
            let request = person.request(wire::ListExportsRequest::default());
            let exports = person.client.list_exports(request).await.unwrap().into_inner().exports;
            exports.len() == 4 && exports.iter().all(|export| export.state() == wire::ExportState::Done)
        })
        .await;
    }

    /// Questions that name the customer and leave other entries beside them.
    async fn ask_about(&self) {
        for search in [NAME, "somebody else"] {
            let dimension = Dimension::Customer.into();
            let request = wire::ListFilterValuesRequest { dimension, search: search.into(), min_version: self.version };
            let (answer, _) = self
                .product
                .ask::<wire::ListFilterValuesResponse>(&path("ListFilterValues"), &self.token, &request)
                .await;
            assert_eq!(answer.code(), Code::Ok);
        }
        let request = wire::GetLicenceAdoptionDashboardRequest { customer_id: CUSTOMER.into(), ..Default::default() };
        let asked = path("GetLicenceAdoptionDashboard");
        let (answer, _) =
            self.product.ask::<wire::GetLicenceAdoptionDashboardResponse>(&asked, &self.token, &request).await;
        assert_eq!(answer.code(), Code::Ok);
    }
}

async fn a_customer_is_erased_everywhere(postgres: bool) {
    let filled = Filled::start(postgres).await;
    filled.export_all().await;
    filled.ask_about().await;
    let values: Vec<&[u8]> = TEXTS.map(str::as_bytes).into();
    assert!(filled.traces(&values).len() > values.len());
    let (_, stale) = filled.preview(CUSTOMER, "").await;
    let (_, of_another) = filled.preview("C-1", "").await;
    filled.ingest(batch("third", [customer("C-3", |_| {})])).await;
    for (confirmation, code) in [
        (stale.confirmation.as_str(), Code::Aborted),
        (of_another.confirmation.as_str(), Code::InvalidArgument),
        ("", Code::InvalidArgument),
        ("AAAA", Code::InvalidArgument),
    ] {
        assert_eq!(filled.erase(CUSTOMER, "", confirmation).await.0, code, "{confirmation}");
    }
    let (_, found) = filled.preview(CUSTOMER, "").await;
    let count = |place: &str, kind: &str| {
        found.counts.iter().find(|it| it.place == place && it.kind == kind).map_or(0, |it| it.count)
    };
    for (place, kind, expected) in [
        ("ingestion", "customer", 1),
        ("ingestion", "assignment", 1),
        ("ingestion", "rejected_records", 1),
        ("metrics", "rolled_up_months", 3),
        ("reporting", "exports", 3),
    ] {
        assert_eq!(count(place, kind), expected, "{place} {kind}: {found:?}");
    }
    assert!(count("reporting", "audit_entries") >= 3, "{found:?}");

    // Twice at the same time, and once more later: it is one erasure.
    let confirmation = found.confirmation.as_str();
    let (one, other) = tokio::join!(filled.erase(CUSTOMER, "", confirmation), filled.erase(CUSTOMER, "", confirmation));
    let again = filled.erase(CUSTOMER, "", confirmation).await;
    assert_eq!(one.0, Code::Ok);
    assert!(one.1.done && one == other && one == again, "{one:?} {other:?} {again:?}");
    assert_eq!(filled.traces(&values), BTreeSet::new(), "nothing is left");
    assert_eq!(filled.product.export_files().len(), 1, "the figures by country tell of nobody");
    filled.verify().await;

    let never = Product::sqlite().await;
    never.ingest(PARTNER, smallest(10)).await;
    let mut facts = batch("third", [customer("C-3", |_| {})]);
    facts.activity = Some(ActivityColumns {
        customers: vec!["C-1".into()],
        users: vec![USER.into()],
        services: vec!["Dynamics".into()],
        customer: vec![0],
        user: vec![0],
        service: vec![0],
        day: vec![20_160],
        lower_bound: Vec::new(),
    });
    let token = token_of(&never, "ada", PARTNER, &[Role::GlobalAdmin], &[]);
    let never = Filled { product: never, database: None, token, version: 0, hash: Default::default() };
    let version = never.ingest(facts).await.version;
    for by in [&[][..], &[Dimension::Customer], &[Dimension::Country], &[Dimension::Sku]] {
        let (found, expected) = (filled.rows(by, one.1.version).await, never.rows(by, version).await);
        assert_eq!(found.rows, expected.rows, "by {by:?}");
    }
    what_the_audit_says(&filled).await;
}

/// The entries are all there, and name the mark alone.
async fn what_the_audit_says(filled: &Filled) {
    let entries = filled.product.reporting.audit().newest(PARTNER, 10_000).await.unwrap();
    let asked = |method: &str| -> Vec<String> {
        entries.iter().filter(|entry| entry.rpc == path(method)).map(|entry| entry.asked.clone()).collect()
    };
    let searches = asked("ListFilterValues");
    assert!(searches.iter().any(|asked| asked.contains("(erased)")), "{searches:?}");
    assert!(searches.iter().any(|asked| asked.contains("somebody else")), "{searches:?}");
    let previews = asked("PreviewErasure");
    assert_eq!(previews.len(), 4);
    let marks: BTreeSet<&str> =
        previews.iter().filter_map(|asked| asked.split_once("\"mark\":\"")?.1.split('"').next()).collect();
    assert!(marks.len() == 3 && marks.iter().all(|mark| mark.len() == 32), "{previews:?}");
    assert_eq!(asked("Erase").len(), 7);
    assert!(asked("Erase").iter().all(|asked| asked.contains("(erased)")), "{:?}", asked("Erase"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_erased_everywhere_on_sqlite() {
    a_customer_is_erased_everywhere(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_erased_everywhere_on_postgres() {
    a_customer_is_erased_everywhere(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_erased_everywhere() {
    for postgres in [false, true] {
        let filled = Filled::start(postgres).await;
        filled.export_all().await;
        let (bytes, hex) = filled.hash.clone();
        let values = [USER.as_bytes(), bytes.as_slice(), hex.as_bytes()];
        assert!(!filled.traces(&values).is_empty());
        let before = filled.rows(&[Dimension::Customer], filled.version).await;
        let (_, found) = filled.preview("", USER).await;
        let (code, erased) = filled.erase("", USER, &found.confirmation).await;
        assert!(code == Code::Ok && erased.done, "{code:?} {erased:?}");
        assert_eq!(filled.traces(&values), BTreeSet::new());
        assert_eq!(filled.product.export_files().len(), 4, "files have no rows of users");
        let after = filled.rows(&[Dimension::Customer], erased.version).await;
        assert_ne!(before.rows, after.rows, "the user is counted no longer");
        filled.verify().await;
    }
}

/// What is deleted stays in free pages and in the log of writes, unless the file is written anew.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_purge_a_file_tells() {
    let filled = Filled::start(false).await;
    filled.ask_about().await;
    let _unguarded = fail_point::arm("", "without:ingestion.purge,without:metrics.purge,without:reporting.purge");
    let (_, found) = filled.preview(CUSTOMER, "").await;
    assert!(filled.erase(CUSTOMER, "", &found.confirmation).await.1.done);
    let values: Vec<&[u8]> = TEXTS.map(str::as_bytes).into();
    let left = filled.traces(&values);
    for service in ["ingestion", "metrics", "reporting"] {
        assert!(left.iter().any(|trace| trace.contains(&format!("in {service}.db"))), "{service}: {left:?}");
    }
}

/// Without its guard, what was rolled up of a customer who has no facts any more is counted for ever.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_guard_rollups_tell() {
    let filled = Filled::start(false).await;
    let _unguarded = fail_point::arm("", "without:metrics.erased");
    let (_, found) = filled.preview(CUSTOMER, "").await;
    let (_, erased) = filled.erase(CUSTOMER, "", &found.confirmation).await;
    assert!(erased.done);
    let rows = filled.rows(&[Dimension::Customer], erased.version).await.rows;
    assert!(format!("{rows:?}").contains(CUSTOMER), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_erases_in_two_steps() {
    let filled = Filled::start(false).await;
    let folder = tempfile::tempdir().unwrap();
    insights_testkit::write_secret(folder.path().join("token"), &filled.token).unwrap();
    let run = async |args: &[&str]| {
        let mut command = tokio::process::Command::from(insights());
        command.env("INSIGHTS_DATA_DIR", folder.path()).env("INSIGHTS_TOKEN_FILE", folder.path().join("token"));
        command.env("INSIGHTS_SERVER", format!("http://{}", filled.product.address));
        let output = command.arg("erase").args(args).output().await.unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code(), said)
    };
    let (code, said) = run(&["--customer", CUSTOMER]).await;
    assert!(code == Some(0) && said.contains("Nothing was erased yet") && said.contains("backups"), "{said}");
    assert!(said.lines().any(|line| line.contains("metrics") && line.contains("rolled_up_months")), "{said}");
    let confirmation = said.split("--confirm ").nth(1).unwrap().trim();
    let (code, said) = run(&["--customer", CUSTOMER, "--confirm", confirmation]).await;
    assert!(code == Some(0) && said.contains("Erased; the figures are those of version"), "{said}");
    let again = filled.ingest(batch("again", erased_customer())).await;
    assert_eq!((again.rejected, again.erased), (5, 5), "{again:?}");
    let (_, said) = run(&["--customer", CUSTOMER, "--language", "pt"]).await;
    assert!(said.contains("Já foi apagado"), "{said}");
    let (code, said) = run(&["--allow", "--customer", CUSTOMER]).await;
    assert!(code == Some(0) && said.contains("may come again"), "{said}");
    let again = filled.ingest(batch("and again", erased_customer())).await;
    assert_eq!((again.rejected, again.accepted), (0, 5), "{again:?}");
    let (code, said) = run(&["--user", USER, "--yes", "--json"]).await;
    assert!(code == Some(0) && said.contains("\"version\""), "{said}");
    assert_eq!(run(&["--yes"]).await.0, Some(2), "nobody is named");
}
