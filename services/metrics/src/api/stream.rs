//! One answer of any size in parts, from one root: exports are written from it.
//!
//! What a query splits by customer or subscription is answered block of customers by block, so that memory holds one
//! block's rows. Everything else has as many groups as its dimensions have values and is answered at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::Stream;
use insights_access::{FieldClass, Viewer};
use insights_domain::ids::name_begins;
use insights_proto::metrics::v1::{
    Dimension, Freshness, Measure, ReportGrain, StreamQueryRequest, StreamQueryResponse,
};
use insights_service::Error;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::parse::ParsedQuery;
use super::{Api, answer, shown, take_rows, view};
use crate::cores::Cores;
use crate::cube::{Blocks, Cube, QueryAnswer, ReportRequest};
use crate::cubes::Root;
use crate::query::Filter;

/// StreamRequest of a message: some hundred kilobytes, and by column fewer.
const ROWS: usize = 2_000;
const ROWS_BY_COLUMN: usize = 16_384;
/// The least that a part of an answer costs, among what a partner waits for.
const EXPORT: u64 = 100_000;
/// Messages the reader may be behind.
const BUFFER: usize = 4;

/// What the rows of an answer are about, and of which products.
#[derive(Clone, Debug)]
pub struct StreamRequest {
    grain: ReportGrain,
    product_prefix: String,
    by_column: bool,
}

impl StreamRequest {
    /// Checks that the query is split as its rows are.
    pub fn parse(request: &StreamQueryRequest, query: &crate::query::Query) -> Result<Self, Error> {
        let grain = ReportGrain::try_from(request.grain).map_err(|_| Error::invalid("grain", "is not known"))?;
        let by: &[Dimension] = match grain {
            ReportGrain::Unspecified => &query.group_by,
            ReportGrain::Subscriptions | ReportGrain::CustomerSkus => &[],
            ReportGrain::CustomerServices => &[Dimension::Customer, Dimension::Service],
        };
        if query.group_by != by || grain != ReportGrain::Unspecified && query.top.is_some() {
            return Err(Error::invalid("query.group_by", "does not go with the grain"));
        }
        Ok(Self { grain, product_prefix: request.product_prefix.clone(), by_column: request.by_column })
    }

    /// The query, of these products alone.
    fn narrow(&self, query: &mut crate::query::Query, cube: &Cube) {
        if self.product_prefix.is_empty() {
            return;
        }
        let products: BTreeSet<&String> = cube.partner().skus.values().map(|sku| &sku.product).collect();
        let products = products.into_iter().filter(|product| name_begins(product, &self.product_prefix));
        let mut values: Vec<Option<String>> = products.cloned().map(Some).collect();
        if let Some(filter) = query.filter(Dimension::Product) {
            values.retain(|value| filter.values.contains(value));
        }
        query.filters.retain(|filter| filter.dimension != Dimension::Product);
        query.filters.push(Filter { dimension: Dimension::Product, values });
    }
}

/// Answers part by part, until the reader is gone.
pub async fn stream(
    api: &Api,
    root: Arc<Root>,
    viewer: Viewer,
    mut asked: ParsedQuery,
    rows: StreamRequest,
) -> Result<impl Stream<Item = Result<StreamQueryResponse, Status>> + Send + use<>, Error> {
    let mut earlier = api.cubes_as_of(viewer.partner(), &root, std::iter::once(&asked)).await?;
    let cube = asked.as_of.and_then(|time| earlier.remove(&time)).unwrap_or_else(|| root.cube.clone());
    let (sender, receiver) = mpsc::channel(BUFFER);
    rows.narrow(&mut asked.query, &cube);
    let answering = Answering {
        grain: rows.grain,
        by_column: rows.by_column,
        total_customers: i64::try_from(cube.customer_count()).unwrap_or(i64::MAX),
        freshness: Some(answer::freshness(&root.cube)),
        cores: api.cores.clone(),
        most_rows: api.limits.rows,
        asked: Arc::new(asked),
        viewer: Arc::new(viewer),
        sender,
        customers: 0,
        begun: false,
    };
    tokio::spawn(answering.run(cube));
    Ok(ReceiverStream::new(receiver))
}

struct Answering {
    grain: ReportGrain,
    by_column: bool,
    asked: Arc<ParsedQuery>,
    viewer: Arc<Viewer>,
    cores: Cores,
    /// Of an answer that is not given in parts.
    most_rows: usize,
    freshness: Option<Freshness>,
    sender: mpsc::Sender<Result<StreamQueryResponse, Status>>,
    customers: i64,
    total_customers: i64,
    begun: bool,
}

/// A part of an answer in messages of bounded size.
struct AnswerPart {
    rows: usize,
    overlapping: bool,
    messages: Vec<StreamQueryResponse>,
}

impl From<Blocks> for AnswerPart {
    fn from(answer: Blocks) -> Self {
        let rows = answer.blocks.iter().map(|block| block.rows as usize).sum();
        let message = |block| StreamQueryResponse { block: Some(block), ..StreamQueryResponse::default() };
        Self { rows, overlapping: answer.overlapping, messages: answer.blocks.into_iter().map(message).collect() }
    }
}

impl From<QueryAnswer> for AnswerPart {
    fn from(answer: QueryAnswer) -> Self {
        let (all, overlapping) = (answer.rows.len(), answer.overlapping);
        let mut rows = answer.rows.into_iter().map(answer::row);
        let message = |_| StreamQueryResponse { rows: rows.by_ref().take(ROWS).collect(), ..Default::default() };
        Self { rows: all, overlapping, messages: (0..all.div_ceil(ROWS)).map(message).collect() }
    }
}

/// The reader wants no more.
struct Gone;

impl Answering {
    async fn run(mut self, cube: Cube) {
        let in_parts = self.asked.query.top.is_none()
            && self.asked.query.slice.is_none()
            && self.asked.query.group_by.iter().any(|by| matches!(by, Dimension::Customer | Dimension::Subscription));
        let sent = match self.grain {
            ReportGrain::Unspecified if in_parts => self.parts(&cube).await,
            ReportGrain::Unspecified => self.whole(cube).await,
            _ => self.report(&cube).await,
        };
        // Sending fails only when the caller is gone.
        let _ = match sent {
            Ok(()) => self.end().await,
            Err(StreamEnd::Gone) => Ok(()),
            Err(StreamEnd::Failed(error)) => self.sender.send(Err(error.into())).await.map_err(|_| Gone),
        };
    }

    async fn parts(&mut self, cube: &Cube) -> Result<(), StreamEnd> {
        for part in cube.parts() {
            let customers = i64::try_from(part.customer_count()).unwrap_or_default();
            let made = self.make(part).await?;
            self.send_made(made, customers).await?;
        }
        Ok(())
    }

    async fn whole(&mut self, cube: Cube) -> Result<(), StreamEnd> {
        let made = self.make(cube).await?;
        let mut left = self.most_rows;
        take_rows(&mut left, made.rows, self.most_rows)?;
        self.send_made(made, self.total_customers).await
    }

    /// Some thousand rows at a time: a core is held for as long as they take, and memory holds no more.
    async fn report(&mut self, cube: &Cube) -> Result<(), StreamEnd> {
        if !self.begun {
            self.begin(false).await?;
        }
        for part in cube.parts() {
            let mut from = 0;
            while from < part.customer_count() {
                let report = ReportRequest {
                    grain: self.grain,
                    personal: self.viewer.can_see(FieldClass::Personal),
                    from,
                    enough: ROWS,
                };
                let part = part.clone();
                let (mut rows, next) =
                    self.work(move |asked, viewer| part.report(&asked.query, view(viewer), report)).await?;
                self.customers += i64::try_from(next - from).unwrap_or_default();
                from = next;
                while !rows.is_empty() {
                    let rest = rows.split_off(rows.len().min(ROWS));
                    let report_rows = std::mem::replace(&mut rows, rest);
                    self.send_part(StreamQueryResponse { report_rows, ..StreamQueryResponse::default() }).await?;
                }
            }
        }
        Ok(())
    }

    async fn make(&self, cube: Cube) -> Result<AnswerPart, Error> {
        match self.by_column {
            true => {
                self.work(move |asked, viewer| cube.blocks(&asked.query, view(viewer), ROWS_BY_COLUMN).into()).await
            }
            false => self.work(move |asked, viewer| cube.query(&asked.query, view(viewer)).into()).await,
        }
    }

    /// Does something on a core of its own.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ParsedQuery, &Viewer) -> T + Send + 'static,
    ) -> Result<T, Error> {
        // An export: whoever waits for a page comes first.
        let core = self.cores.acquire(self.viewer.partner(), self.asked.cost().max(EXPORT)).await;
        let (asked, viewer) = (Arc::clone(&self.asked), Arc::clone(&self.viewer));
        let work = move || {
            let _core = core;
            work(&asked, &viewer)
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }

    /// Sends what was made; the last message counts the customers in.
    async fn send_made(&mut self, made: AnswerPart, customers: i64) -> Result<(), StreamEnd> {
        if !self.begun {
            self.begin(made.overlapping).await?;
        }
        let last = made.messages.len().checked_sub(1);
        if last.is_none() {
            self.customers += customers;
        }
        for (at, message) in made.messages.into_iter().enumerate() {
            self.customers += if Some(at) == last { customers } else { 0 };
            self.send_part(message).await?;
        }
        Ok(())
    }

    async fn begin(&mut self, overlapping: bool) -> Result<(), Gone> {
        let hidden =
            self.asked.query.measures.contains(&Measure::BilledRevenue) && !self.viewer.can_see(FieldClass::Revenue);
        let first = StreamQueryResponse {
            freshness: self.freshness.take(),
            redacted: hidden,
            overlapping,
            total_customers: self.total_customers,
            ..StreamQueryResponse::default()
        };
        self.begun = true;
        self.sender.send(Ok(first)).await.map_err(|_| Gone)
    }

    async fn end(&mut self) -> Result<(), Gone> {
        if !self.begun {
            self.begin(false).await?;
        }
        self.send_part(StreamQueryResponse { done: true, ..StreamQueryResponse::default() }).await
    }

    async fn send_part(&mut self, part: StreamQueryResponse) -> Result<(), Gone> {
        let (customers, total_customers) = (self.customers, self.total_customers);
        let part = shown(&self.viewer, StreamQueryResponse { customers, total_customers, ..part });
        self.sender.send(Ok(part)).await.map_err(|_| Gone)
    }
}

enum StreamEnd {
    Gone,
    Failed(Error),
}

impl From<Gone> for StreamEnd {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Error> for StreamEnd {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
