//! People who ask while records come in, and who compare the answers with what senders were promised.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use insights_access::Role;
use insights_proto::{
    metrics::v1::{Dimension, DimensionValue, Filter, Measure, Query, value},
    reporting::v1::{QueryRequest, QueryResponse, reporting_service_client::ReportingServiceClient},
};
use tonic::{Request, Status, transport::Channel};

use super::{Place, facts::WITNESS, ledger::Ledger};

/// A client that queries figures.
#[derive(Clone)]
pub struct Reader {
    /// Who asks.
    pub name: String,
    /// The replicas it asks.
    pub replicas: Vec<Channel>,
    /// The token of its calls.
    pub token: String,
    /// What was promised.
    pub ledger: Arc<Ledger>,
    /// How long a call may take.
    pub deadline: Duration,
}

impl Reader {
    /// A reader that sees every location and measure.
    #[must_use]
    pub fn new(place: &Place, name: &str, replicas: &[Channel], ledger: &Arc<Ledger>) -> Self {
        let token = place.token(name, Role::GlobalAdmin, &[]);
        let deadline = Duration::from_secs(10);
        Self { name: name.to_owned(), replicas: replicas.to_vec(), token, ledger: Arc::clone(ledger), deadline }
    }

    /// One question to one replica: how many witnesses there are.
    pub async fn call(&self, replica: usize, min_version: i64) -> Result<QueryResponse, Status> {
        let query = Query {
            measures: vec![Measure::Customers as i32],
            filters: vec![Filter { dimension: Dimension::Sku as i32, values: vec![named(WITNESS)] }],
            from_month: "2024-03".into(),
            to_month: "2024-03".into(),
            ..Query::default()
        };
        let mut request = Request::new(QueryRequest { query: Some(query), min_version, max_bytes: 64 << 20 });
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().expect("a header"));
        request.set_timeout(self.deadline);
        let channel = self.replicas[replica % self.replicas.len()].clone();
        ReportingServiceClient::new(channel).query(request).await.map(tonic::Response::into_inner)
    }

    /// Asks and compares. `None`: no answer came.
    pub async fn ask(&self, replica: usize) -> Option<i64> {
        let (version, least) = {
            let ledger = self.ledger.lock();
            (ledger.version, ledger.acknowledged.len())
        };
        let answer = match self.call(replica, version).await {
            Ok(answer) => answer,
            Err(status) => {
                self.ledger.failed("readers", &status);
                return None;
            }
        };
        let mut ledger = self.ledger.lock();
        *ledger.answers.entry(self.name.clone()).or_default() += 1;
        let most = ledger.sent.len();
        let found = witnesses(&answer);
        let of = answer.freshness.as_ref().map_or(0, |freshness| freshness.version);
        if !(least..=most).contains(&usize::try_from(found).unwrap_or(usize::MAX)) || of < version {
            ledger.broken.push(format!(
                "{found} witnesses at version {of}, after {least} were acknowledged at version {version} and {most} sent"
            ));
        }
        Some(found)
    }

    /// Asks one replica after the other until told to stop.
    pub async fn run(self, stop: Arc<AtomicBool>) {
        let mut turn = 0;
        while !stop.load(Ordering::SeqCst) {
            turn += 1;
            self.ask(turn).await;
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

/// The one figure of an answer; 0 when there is no row.
#[must_use]
pub fn witnesses(answer: &QueryResponse) -> i64 {
    let rows = answer.result.iter().flat_map(|result| &result.rows);
    let counts = rows.flat_map(|row| &row.values).filter_map(|value| match value.kind {
        Some(value::Kind::Count(count)) => Some(count),
        _ => None,
    });
    counts.sum()
}

fn named(value: &str) -> DimensionValue {
    DimensionValue { value: Some(value.to_owned()) }
}
