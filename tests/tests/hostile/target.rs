//! A process of the product under attack, and an honest partner in it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use insights_access::{Issuer, Role, TokenRequest};
use insights_proto::ingestion::v1::record::Kind;
use insights_proto::reporting::v1::{GetCustomersDashboardRequest, PageFilters};
use insights_testkit::{Process, Spec};
use insights_tests::{
    records,
    wire::{Answer, Wire, frame},
};
use prost::Message;
use tempfile::TempDir;
use tonic::Code;

pub const INGEST: &str = "/insights.ingestion.v1.IngestionService/IngestBatch";
pub const CUSTOMERS: &str = "/insights.reporting.v1.ReportingService/GetCustomersDashboard";

/// The partner that means well.
const HONEST: &str = "honest";
/// The one that does not.
pub const STORM: &str = "storm";

/// A process, and who calls it.
pub struct Target {
    pub process: Process,
    data: PathBuf,
    _folder: TempDir,
}

impl Target {
    /// Starts it.
    pub async fn start(tune: impl FnOnce(Spec) -> Spec) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(tune(Spec::new("target", &[], folder.path()))).await;
        Self { process, data: folder.path().join("data"), _folder: folder }
    }

    /// A token of a partner's caller.
    pub fn token(&self, partner: &str, role: Role) -> String {
        let request = TokenRequest { roles: vec![role], partner: partner.into(), ..TokenRequest::default() };
        Issuer::open(&self.data).unwrap().mint(&request).unwrap()
    }

    /// Calls a method with a framed body.
    pub async fn send(&self, token: &str, path: &str, body: &[u8]) -> Option<Answer> {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str())];
        if body.first() == Some(&1) {
            headers.push(("grpc-encoding", "gzip"));
        }
        Wire::to(self.process.address()).call(path, &headers, body).await.ok()
    }

    /// A figure of the process, in KiB.
    pub fn memory(&self, figure: &str) -> usize {
        let path = format!("/proc/{}/status", self.process.id().unwrap());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Stores a small partner.
    pub async fn fill(&self, partner: &str, customers: usize) {
        let mut all: Vec<Kind> = vec![records::sku("SKU", "Sales", "Dynamics 365 Sales", &["Teams"])];
        for number in 0..customers {
            let (customer, subscription) = (format!("C-{number}"), format!("S-{number}"));
            all.push(records::customer(&customer, |_| {}));
            all.push(records::subscription(&subscription, &customer, "SKU", |_| {}));
            all.push(records::state(&subscription, "2025-01-10", "Active", 1 + number as i64 % 7));
        }
        all.push(records::complete_through("2025-03-31"));
        let body = frame(&records::batch("", all).encode_to_vec());
        let answer = self.send(&self.token(partner, Role::DataSource), INGEST, &body).await.unwrap();
        assert_eq!(answer.code(), Code::Ok, "{answer:?}");
    }

    /// The honest partner, with what it is answered while nobody attacks.
    pub async fn honest(&self) -> Honest {
        self.fill(HONEST, 40).await;
        let token = self.token(HONEST, Role::GlobalAdmin);
        let mut honest = Honest { wire: Wire::to(self.process.address()), token, right: Vec::new(), took: Vec::new() };
        let mut last = honest.ask().await;
        // Figures come a moment after the facts.
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let answer = honest.ask().await;
            if answer == last && answer.len() > 500 {
                break;
            }
            last = answer;
        }
        honest.right = last;
        honest.took.clear();
        honest
    }
}

/// Asks for a page again and again.
pub struct Honest {
    wire: Wire,
    token: String,
    right: Vec<u8>,
    took: Vec<Duration>,
}

impl Honest {
    async fn ask(&mut self) -> Vec<u8> {
        let bearer = format!("Bearer {}", self.token);
        let months = PageFilters { from_month: "2025-01".into(), to_month: "2025-03".into(), ..PageFilters::default() };
        let page = GetCustomersDashboardRequest { page: Some(months), ..GetCustomersDashboardRequest::default() };
        let body = frame(&page.encode_to_vec());
        let began = Instant::now();
        let answer = self.wire.call(CUSTOMERS, &[("authorization", &bearer)], &body).await.unwrap();
        self.took.push(began.elapsed());
        assert_eq!(answer.code(), Code::Ok, "{answer:?}");
        answer.body.to_vec()
    }

    /// Asks so often; every answer must be the one that it was while nobody attacked.
    pub async fn ask_and_compare(&mut self, times: usize) {
        for _ in 0..times {
            assert!(self.ask().await == self.right, "another answer than at rest");
        }
    }

    /// How long the slowest but one of a hundred took since this was asked last.
    pub fn p99(&mut self) -> Duration {
        let mut took = std::mem::take(&mut self.took);
        took.sort_unstable();
        took[(took.len() * 99).div_ceil(100) - 1]
    }
}
