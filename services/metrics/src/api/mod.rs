//! MetricsService: context → parse → call → map.

mod answer;
mod as_of;
mod erasure;
mod look_up;
mod names;
mod parse;
mod preview;
mod stream;
mod verify;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::Stream;
use insights_access::{
    FieldClass, Policy, Principal, REPORTING_SERVICE, Redactor, Viewer, forbidden, on_behalf, service,
};
use insights_proto::metrics::v1::metrics_service_server::MetricsService;
use insights_proto::metrics::v1::{
    self, BatchQueryRequest, BatchQueryResponse, ExplainRequest, ExplainResponse, ExplanationList, GetFreshnessRequest,
    GetFreshnessResponse, LookUpNamesRequest, LookUpNamesResponse, LookUpSubscriptionsRequest,
    LookUpSubscriptionsResponse, LookUpSupportCasesRequest, LookUpSupportCasesResponse, Measure, PreviewImportRequest,
    PreviewImportResponse, StreamQueryRequest, StreamQueryResponse, VerifyRequest, VerifyResponse,
};
use insights_service::{Deadline, Error};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::config::QueryLimits;
use crate::cores::Cores;
use crate::cube::Visibility;
use crate::cubes::{Cubes, Root};
use crate::feed::Feed;
use crate::follower::Applier;
use crate::rollups::Store;
pub use erasure::FigureErasure;
use parse::{ParsedQuery, Parser};

/// The people's method that verifies; its policy is applied again here.
const VERIFY: &str = "/insights.reporting.v1.ReportingService/Verify";

/// The service.
#[derive(Clone)]
pub struct Api {
    /// Where answers come from.
    pub cubes: Cubes,
    /// Where facts come from.
    pub feed: Feed,
    /// Works out what an import would do.
    pub applier: Applier,
    /// Where rollups are.
    pub store: Store,
    /// Who may ask for what.
    pub policy: Arc<Policy>,
    /// What may be asked for.
    pub limits: QueryLimits,
    /// What is worked on at once, and whose.
    pub cores: Cores,
    /// Customers verified at a time.
    pub customers_per_group: usize,
}

#[tonic::async_trait]
impl MetricsService for Api {
    async fn batch_query(&self, request: Request<BatchQueryRequest>) -> Result<Response<BatchQueryResponse>, Status> {
        let (caller, deadline) = (on_behalf(&request)?, self.deadline(&request));
        let message = request.into_inner();
        self.authorise(&caller, message.queries.iter().chain(&message.explain))?;
        let mut parser = Parser::new(&self.limits);
        parser.min_version(message.min_version);
        let queries = parser.queries("queries", &message.queries);
        let explain = parser.explanations("explain", &message.explain);
        let (queries, explain) = parser.finish((queries, explain))?;
        let root = self.root_at(caller.partner(), message.min_version, deadline).await?;
        Ok(Response::new(self.compute(root, caller, queries, explain).await?))
    }

    async fn explain(&self, request: Request<ExplainRequest>) -> Result<Response<ExplainResponse>, Status> {
        let (caller, deadline) = (on_behalf(&request)?, self.deadline(&request));
        let message = request.into_inner();
        self.authorise(&caller, &message.query)?;
        let mut parser = Parser::new(&self.limits);
        parser.min_version(message.min_version);
        let query = parser.explanation("query", message.query.as_ref());
        let explain = parser.finish(query)?.into_iter().collect();
        let root = self.root_at(caller.partner(), message.min_version, deadline).await?;
        let mut answer = self.compute(root, caller, Vec::new(), explain).await?;
        let explanations = answer.explained.pop().unwrap_or_default().explanations;
        Ok(Response::new(ExplainResponse { explanations, freshness: answer.freshness }))
    }

    async fn look_up_names(
        &self,
        request: Request<LookUpNamesRequest>,
    ) -> Result<Response<LookUpNamesResponse>, Status> {
        let (caller, deadline) = (on_behalf(&request)?, self.deadline(&request));
        self.authorise(&caller, [])?;
        let wanted = names::parse(request.get_ref(), &self.limits)?;
        let root = self.root_at(caller.partner(), request.get_ref().min_version, deadline).await?;
        let partner = caller.partner().to_owned();
        let names = self.aside(&partner, move || wanted.find(&root.cube, view(&caller))).await?;
        Ok(Response::new(LookUpNamesResponse { names }))
    }

    async fn look_up_subscriptions(
        &self,
        request: Request<LookUpSubscriptionsRequest>,
    ) -> Result<Response<LookUpSubscriptionsResponse>, Status> {
        let (caller, deadline) = (on_behalf(&request)?, self.deadline(&request));
        self.policy.authorise_measures(&caller, REPORTING_SERVICE, &[Measure::Available])?;
        let wanted = look_up::subscriptions(request.get_ref(), &self.limits)?;
        let root = self.root_at(caller.partner(), request.get_ref().min_version, deadline).await?;
        let partner = caller.partner().to_owned();
        let find = move || shown(&caller, wanted.find(&root.cube, view(&caller)));
        Ok(Response::new(self.aside(&partner, find).await?))
    }

    async fn look_up_support_cases(
        &self,
        request: Request<LookUpSupportCasesRequest>,
    ) -> Result<Response<LookUpSupportCasesResponse>, Status> {
        let (caller, deadline) = (on_behalf(&request)?, self.deadline(&request));
        // Like users: what people of a customer do.
        self.policy.authorise_measures(&caller, REPORTING_SERVICE, &[Measure::ActiveUsers])?;
        let wanted = look_up::support_cases(request.get_ref(), &self.limits)?;
        let root = self.root_at(caller.partner(), request.get_ref().min_version, deadline).await?;
        let partner = caller.partner().to_owned();
        let find = move || shown(&caller, wanted.find(&root.cube, view(&caller)));
        Ok(Response::new(self.aside(&partner, find).await?))
    }

    async fn get_freshness(
        &self,
        request: Request<GetFreshnessRequest>,
    ) -> Result<Response<GetFreshnessResponse>, Status> {
        let (caller, deadline) = (on_behalf(&request)?, self.deadline(&request));
        let min_version = request.get_ref().min_version;
        let mut parser = Parser::new(&self.limits);
        parser.min_version(min_version);
        parser.finish(())?;
        let root = self.root_at(caller.partner(), min_version, deadline).await?;
        Ok(Response::new(GetFreshnessResponse { freshness: Some(answer::freshness(&root.cube)) }))
    }

    type StreamQueryStream = Pin<Box<dyn Stream<Item = Result<StreamQueryResponse, Status>> + Send>>;

    async fn stream_query(
        &self,
        request: Request<StreamQueryRequest>,
    ) -> Result<Response<Self::StreamQueryStream>, Status> {
        service(&request)?;
        let deadline = self.deadline(&request);
        let message = request.into_inner();
        let viewer = Viewer::from_message(message.viewer.clone());
        let viewer = viewer.ok_or_else(|| Error::invalid("viewer.partner", "is required"))?;
        self.authorise(&viewer, message.query.as_ref())?;
        let mut parser = Parser::new(&self.limits);
        parser.min_version(message.min_version);
        let asked = parser.one("query", message.query.as_ref());
        message.query.iter().for_each(|query| parser.no_further_rows("query", query));
        let asked = parser.finish(asked)?.ok_or_else(|| Error::invalid("query", "is required"))?;
        let rows = stream::StreamRequest::parse(&message, &asked.query)?;
        let root = self.root_at(viewer.partner(), message.min_version, deadline).await?;
        Ok(Response::new(Box::pin(stream::stream(self, root, viewer, asked, rows).await?)))
    }

    async fn preview_import(
        &self,
        request: Request<Streaming<PreviewImportRequest>>,
    ) -> Result<Response<PreviewImportResponse>, Status> {
        let caller = on_behalf(&request)?;
        Ok(Response::new(preview::preview(self, caller, request).await?))
    }

    type VerifyStream = Pin<Box<dyn Stream<Item = Result<VerifyResponse, Status>> + Send>>;

    async fn verify(&self, request: Request<VerifyRequest>) -> Result<Response<Self::VerifyStream>, Status> {
        let caller = on_behalf(&request)?;
        if !self.policy.may_call(&caller, VERIFY) {
            return Err(forbidden());
        }
        Ok(Response::new(Box::pin(verify::stream(self.clone(), caller.partner().to_owned()))))
    }
}

impl Api {
    /// The policy of the people's service, applied again. Before validation: who may not ask learns nothing.
    #[allow(clippy::result_large_err, reason = "Status is what handlers return")]
    fn authorise<'a>(&self, viewer: &Viewer, queries: impl IntoIterator<Item = &'a v1::Query>) -> Result<(), Status> {
        let measures: Vec<Measure> = queries.into_iter().flat_map(v1::Query::named_measures).collect();
        self.policy.authorise_measures(viewer, REPORTING_SERVICE, &measures).map(|_| ())
    }

    /// Until when to wait for a version: a little less than the call has, so that the answer says why.
    fn deadline<T>(&self, request: &Request<T>) -> Instant {
        const MARGIN: Duration = Duration::from_millis(100);
        let configured = Duration::from_millis(self.limits.wait_milliseconds);
        let left = request.extensions().get::<Deadline>().map(|deadline| deadline.left().saturating_sub(MARGIN));
        Instant::now() + left.map_or(configured, |left| left.min(configured))
    }

    /// A partner's figures at this version or a later one.
    async fn root_at(&self, partner: &str, min_version: i64, deadline: Instant) -> Result<Arc<Root>, Error> {
        let root = self.cubes.root(partner).await?;
        if root.version() >= min_version {
            return Ok(root);
        }
        let head = self.feed.head(partner).await.map_err(|status| {
            tracing::warn!(%status, "the head of the feed is not known");
            Error::unavailable("The head of the change feed is not known at the moment.")
        })?;
        if head < min_version {
            return Err(Error::out_of_range(format!(
                "min_version {min_version} lies beyond the newest version, {head}."
            )));
        }
        self.cubes.root_at(partner, min_version, deadline).await
    }

    /// Looks something up where no other call has to wait for it.
    async fn aside<T: Send + 'static>(
        &self,
        partner: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let core = self.cores.acquire(partner, 1).await;
        let work = move || {
            let _core = core;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }

    /// Answers everything from one root, off the threads that serve calls.
    async fn compute(
        &self,
        root: Arc<Root>,
        caller: Arc<Principal>,
        queries: Vec<ParsedQuery>,
        explain: Vec<ParsedQuery>,
    ) -> Result<BatchQueryResponse, Error> {
        let rows = self.limits.rows;
        let earlier = self.cubes_as_of(caller.partner(), &root, queries.iter().chain(&explain)).await?;
        let cost = queries.iter().chain(&explain).map(ParsedQuery::cost).sum();
        let core = self.cores.acquire(caller.partner(), cost).await;
        // A caller that is gone, or whose time is up, is not worked for any longer.
        let wanted = CancellationToken::new();
        let unwanted = wanted.clone();
        let _until_answered = wanted.drop_guard();
        let work = move || {
            let _core = core;
            let view = view(&caller);
            let mut left = rows;
            let mut response =
                BatchQueryResponse { freshness: Some(answer::freshness(&root.cube)), ..BatchQueryResponse::default() };
            let cube = |asked: &ParsedQuery| asked.as_of.and_then(|time| earlier.get(&time)).unwrap_or(&root.cube);
            for asked in &queries {
                if unwanted.is_cancelled() {
                    break;
                }
                let answer = cube(asked).query(&asked.query, view);
                take_rows(&mut left, answer.rows.len(), rows)?;
                response.results.push(answer::result(&asked.query, answer, view));
            }
            for asked in &explain {
                if unwanted.is_cancelled() {
                    break;
                }
                let rows_of_query = cube(asked).explain(&asked.query, view);
                take_rows(&mut left, rows_of_query.len(), rows)?;
                let explanations = rows_of_query.into_iter().map(answer::explanation).collect();
                response.explained.push(ExplanationList { explanations });
            }
            Ok(shown(&caller, response))
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

fn take_rows(left: &mut usize, rows: usize, limit: usize) -> Result<(), Error> {
    let message = || Error::exhausted(format!("The answer has more than {limit} rows; filter more, or group by less."));
    *left = left.checked_sub(rows).ok_or_else(message)?;
    Ok(())
}

/// An answer as the viewer may see it. Queries leave out what is hidden, so that nothing is left to be taken out here; a field that
/// was added without a thought of its class still does not show.
fn shown<M: prost::Message + prost::Name + Default>(viewer: &Viewer, answer: M) -> M {
    let (answer, redacted) = Redactor::product().redact(viewer, answer);
    if redacted {
        tracing::warn!(message = M::NAME, "an answer held fields that its reader may not see; they were taken out");
    }
    answer
}

/// What the cube shows a viewer.
fn view(viewer: &Viewer) -> Visibility<'_> {
    Visibility { locations: viewer.locations(), revenue: viewer.can_see(FieldClass::Revenue) }
}
