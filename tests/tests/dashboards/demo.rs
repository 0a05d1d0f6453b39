//! A demo under way, and people who look at it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use insights_proto::metrics::v1::{Basis, Dimension, DimensionValue, Measure, Query, Scope, Value};
use insights_proto::reporting::v1::{
    GetCustomersDashboardRequest, GetCustomersDashboardResponse, GetDynamicsUsageDashboardRequest,
    GetDynamicsUsageDashboardResponse, GetLicenceAdoptionDashboardRequest, GetLicenceAdoptionDashboardResponse,
    ListFilterValuesRequest, PageFilters, QueryRequest, reporting_service_client::ReportingServiceClient,
};
use insights_testkit::insights_at_fixed_time;
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;

/// A demo under way, whose data ends on the same day whenever the test runs.
pub struct Demo {
    server: Child,
    folder: tempfile::TempDir,
    url: String,
}

impl Demo {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = insights_at_fixed_time()
            .args(["--json", "demo", "--port", "0", "--customers", "60", "--data-dir"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts");
        // It prints its figures, the address among them, once everything is in.
        let mut printed = String::new();
        let mut lines = BufReader::new(server.stdout.take().expect("stdout is piped"));
        let figures: serde_json::Value = loop {
            assert!(lines.read_line(&mut printed).expect("a line") > 0, "the demo ended: {printed}");
            if let Ok(figures) = serde_json::from_str(&printed) {
                break figures;
            }
        };
        let url = figures["url"].as_str().expect("a url").trim_end_matches('/').to_owned();
        Self { server, folder, url }
    }

    fn token(&self, arguments: &[&str]) -> String {
        let output = insights_at_fixed_time()
            .args(["token", "--partner", "demo", "--data-dir"])
            .arg(self.folder.path())
            .args(arguments)
            .output()
            .expect("a token");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    pub async fn person(&self, arguments: &[&str]) -> Person {
        let channel = Channel::from_shared(self.url.clone()).expect("a url").connect().await.expect("a channel");
        let client = ReportingServiceClient::new(channel).max_decoding_message_size(64 << 20);
        let token = format!("Bearer {}", self.token(arguments)).parse().expect("a header");
        Person { client, token }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A client with a token.
#[derive(Clone)]
pub struct Person {
    pub client: ReportingServiceClient<Channel>,
    token: AsciiMetadataValue,
}

impl Person {
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.token.clone());
        request
    }

    pub async fn customers(&mut self, page: &PageFilters) -> GetCustomersDashboardResponse {
        let request = GetCustomersDashboardRequest { page: Some(page.clone()), ..Default::default() };
        let request = self.request(request);
        self.client.get_customers_dashboard(request).await.expect("a page").into_inner()
    }

    /// The Customers dashboard with every group of its trends.
    pub async fn all_groups(&mut self, page: &PageFilters) -> GetCustomersDashboardResponse {
        let request = GetCustomersDashboardRequest { page: Some(page.clone()), all_groups: true, ..Default::default() };
        let request = self.request(request);
        self.client.get_customers_dashboard(request).await.expect("a page").into_inner()
    }

    pub async fn dynamics(&mut self, page: &PageFilters) -> GetDynamicsUsageDashboardResponse {
        let request = GetDynamicsUsageDashboardRequest { page: Some(page.clone()), ..Default::default() };
        let request = self.request(request);
        self.client.get_dynamics_usage_dashboard(request).await.expect("a page").into_inner()
    }

    pub async fn adoption(&mut self, page: &PageFilters, customer: &str) -> GetLicenceAdoptionDashboardResponse {
        let request = GetLicenceAdoptionDashboardRequest {
            page: Some(page.clone()),
            min_version: 0,
            customer_id: customer.to_owned(),
        };
        let request = self.request(request);
        self.client.get_licence_adoption_dashboard(request).await.expect("a page").into_inner()
    }

    pub async fn values(&mut self, dimension: Dimension) -> Vec<DimensionValue> {
        let request = ListFilterValuesRequest { dimension: dimension as i32, ..Default::default() };
        let request = self.request(request);
        let listed = self.client.list_filter_values(request).await.expect("values").into_inner();
        listed.values.into_iter().filter_map(|value| value.value).collect()
    }

    /// One figure of one month, through the general query.
    pub async fn ask(
        &mut self,
        measure: Measure,
        basis: Basis,
        page: &PageFilters,
        scope: Scope,
        month: &str,
    ) -> Value {
        let query = query(measure, basis, page, scope, month);
        let request = self.request(QueryRequest { query: Some(query), min_version: 0, max_bytes: 0 });
        let answer = self.client.query(request).await.expect("an answer").into_inner();
        answer.result.expect("a result").rows.first().expect("a row").values[0].clone()
    }
}

/// Asks for one measure in one month.
pub fn query(measure: Measure, basis: Basis, page: &PageFilters, scope: Scope, month: &str) -> Query {
    Query {
        measures: vec![measure as i32],
        from_month: month.to_owned(),
        to_month: month.to_owned(),
        filters: page.filters.clone(),
        basis: basis as i32,
        scope: scope as i32,
        include_grace: page.include_grace,
        include_free: page.include_free,
        ..Query::default()
    }
}
