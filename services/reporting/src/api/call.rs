//! Context of a call: the caller, the language, metrics, and the record in the audit.

use std::sync::Arc;

use insights_access::{Principal, Redactor, principal};
use insights_messages::Language;
use insights_proto::reporting::v1::{
    Breakdown, Coverage, ExplainResponse, GetCustomersDashboardResponse, GetDynamicsUsageDashboardResponse,
    GetLicenceAdoptionDashboardResponse, ListAdviceResponse, ListFilterValuesResponse,
    ListSubscriptionPerformanceResponse, QueryResponse,
};
use insights_service::{Deadline, Error, LARGEST_ANSWER, PageToken, fail_point};
use prost::{Message, Name};
use serde::{Serialize, de::DeserializeOwned};
use tonic::{Code, Request, Response, Status, metadata::MetadataMap};

use super::ReportingApi;
use crate::audit::{Audit, CallOutcome, asked};
use crate::metrics::CallerMetrics;

/// A call under way.
pub struct AuditedCall {
    /// The caller.
    pub caller: Arc<Principal>,
    /// The language of the answer.
    pub language: Language,
    /// Metrics with the caller's token and deadline.
    pub metrics: CallerMetrics,
    audit: Audit,
    rpc: &'static str,
    asked: String,
}

/// What the audit records of an answer.
pub trait Audited {
    /// What to do about an answer that is too large.
    const NARROWER: &'static str = "narrow the filters, or ask for fewer months";
    /// Rows in the answer.
    fn rows(&self) -> usize;
    /// Whether something was left out because of the caller's roles.
    fn redacted(&self) -> bool {
        false
    }
}

impl AuditedCall {
    /// Begins a call.
    pub fn begin<T: Message>(api: &ReportingApi, rpc: &'static str, request: &Request<T>) -> Result<Self, Status> {
        let caller = principal(request)?;
        let deadline = request.extensions().get::<Deadline>().copied();
        Ok(Self {
            metrics: api.metrics.on_behalf(&caller, deadline),
            audit: api.audit.clone(),
            asked: asked(rpc, request.get_ref()),
            language: language(request.metadata()),
            caller,
            rpc,
        })
    }

    /// What the audit keeps of the question, in the place of the question itself.
    pub fn keep_as_asked(&mut self, asked: String) {
        self.asked = asked;
    }

    /// The page tokens of the list that the caller asks for.
    pub fn list_tokens<P, R>(&self, request: &R) -> PageToken<P>
    where
        P: Serialize + DeserializeOwned,
        R: Message + Name,
    {
        PageToken::of(self.audit.list_token_key(), self.caller.subject(), &self.caller, request)
    }

    /// Redacts and audits the answer; an answer that cannot be audited is not sent, and none that clients do not take.
    pub async fn answer<T>(self, answer: Result<T, Status>) -> Result<Response<T>, Status>
    where
        T: Audited + Message + Name + Default,
    {
        self.answer_within(LARGEST_ANSWER, answer).await
    }

    /// The same for a client that takes answers of so many bytes.
    pub async fn answer_within<T>(self, most: usize, answer: Result<T, Status>) -> Result<Response<T>, Status>
    where
        T: Audited + Message + Name + Default,
    {
        let answer = answer.map(|answer| Redactor::product().redact(&self.caller, answer).0);
        let answer = answer.and_then(|answer| match answer.encoded_len() {
            bytes if bytes > most => Err(too_large(bytes, most, T::NARROWER)),
            _ => Ok(answer),
        });
        self.audited(answer).await
    }

    /// Audits a stream, whose messages were redacted by the service that made them.
    pub async fn audited<T: Audited>(self, answer: Result<T, Status>) -> Result<Response<T>, Status> {
        let ending = match &answer {
            Ok(answer) => CallOutcome { outcome: Code::Ok, rows: answer.rows(), redacted: answer.redacted() },
            Err(status) => CallOutcome { outcome: status.code(), rows: 0, redacted: false },
        };
        let rpc = format!("/insights.reporting.v1.ReportingService/{}", self.rpc);
        let recorded = self.audit.record(&self.caller, &rpc, &self.asked, ending).await;
        let answer = answer?;
        if fail_point::guard_holds("reporting.audit") {
            recorded?;
        }
        Ok(Response::new(answer))
    }
}

/// The language that the `accept-language` of a call asks for.
pub fn language(metadata: &MetadataMap) -> Language {
    let wish = metadata.get("accept-language").and_then(|wish| wish.to_str().ok());
    Language::wanted(wish.unwrap_or_default())
}

fn redacted(coverage: Option<&Coverage>) -> bool {
    coverage.is_some_and(|coverage| coverage.redacted)
}

fn groups(sections: &[&Option<Breakdown>]) -> usize {
    sections.iter().filter_map(|section| section.as_ref()).map(|section| section.groups.len()).sum()
}

fn too_large(bytes: usize, most: usize, narrower: &str) -> Status {
    let (bytes, most) = (grouped(bytes), grouped(most));
    Error::exhausted(format!("The answer has {bytes} bytes, more than the {most} that the client takes: {narrower}."))
        .into()
}

/// A number in groups of three digits.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const IN_PARTS: &str = "ask for it in parts with `query.slice`, or for fewer months, set `max_bytes` where the client takes \
                        more, or order an export";

impl Audited for QueryResponse {
    const NARROWER: &'static str = IN_PARTS;

    fn rows(&self) -> usize {
        self.result.as_ref().map_or(0, |result| result.rows.len())
    }

    fn redacted(&self) -> bool {
        self.result.as_ref().is_some_and(|result| result.redacted)
    }
}

impl Audited for ExplainResponse {
    const NARROWER: &'static str = IN_PARTS;

    fn rows(&self) -> usize {
        self.explanations.len()
    }
}

impl Audited for GetCustomersDashboardResponse {
    fn rows(&self) -> usize {
        let lists = [&self.distributions, &self.distribution_trends];
        let skus = self.skus.iter().filter_map(|product| product.by_sku.as_ref());
        let breakdowns = lists.into_iter().flatten().chain(skus);
        self.cards.len()
            + self.movements.len()
            + self.activity.len()
            + groups(&[&self.by_product, &self.by_country])
            + breakdowns.map(|breakdown| breakdown.groups.len()).sum::<usize>()
    }

    fn redacted(&self) -> bool {
        redacted(self.coverage.as_ref())
    }
}

impl Audited for GetDynamicsUsageDashboardResponse {
    fn rows(&self) -> usize {
        self.cards.len() + groups(&[&self.by_sku, &self.by_country])
    }

    fn redacted(&self) -> bool {
        redacted(self.coverage.as_ref())
    }
}

impl Audited for GetLicenceAdoptionDashboardResponse {
    fn rows(&self) -> usize {
        self.cards.len() + groups(&[&self.by_product, &self.by_service, &self.by_customer])
    }

    fn redacted(&self) -> bool {
        redacted(self.coverage.as_ref())
    }
}

impl Audited for ListSubscriptionPerformanceResponse {
    fn rows(&self) -> usize {
        self.subscriptions.len()
    }

    fn redacted(&self) -> bool {
        redacted(self.coverage.as_ref())
    }
}

impl Audited for ListAdviceResponse {
    fn rows(&self) -> usize {
        self.advice.len()
    }

    fn redacted(&self) -> bool {
        redacted(self.coverage.as_ref())
    }
}

impl Audited for ListFilterValuesResponse {
    fn rows(&self) -> usize {
        self.values.len()
    }
}
