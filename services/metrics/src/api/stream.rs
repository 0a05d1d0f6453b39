//! One answer of any size in parts, from one root: exports are written from it.
//!
//! What a query splits by customer or subscription is answered block of customers by block, so that memory holds one
//! block's rows. Everything else has as many groups as its dimensions have values and is answered at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::Stream;
use insights_access::{FieldClass, Policy, REPORTING_SERVICE, Role, RoleSet};
use insights_proto::metrics::v1::{self, Dimension, Measure, Query, StreamQueryResponse};
use insights_service::Error;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::parse::Asked;
use super::{Api, answer, take_rows};
use crate::cube::{Answer, Cube, View};
use crate::cubes::Root;

/// Rows of a message: some hundred kilobytes.
const ROWS: usize = 2_000;
/// Messages the reader may be behind.
const BUFFER: usize = 4;

/// Whose rights apply, as the service that took the order knew them.
#[derive(Clone, Debug)]
pub struct Viewer {
    partner: String,
    roles: RoleSet,
    locations: Option<BTreeSet<String>>,
}

impl TryFrom<Option<v1::Viewer>> for Viewer {
    type Error = Error;

    fn try_from(viewer: Option<v1::Viewer>) -> Result<Self, Error> {
        let viewer = viewer.filter(|viewer| !viewer.partner.is_empty());
        let viewer = viewer.ok_or_else(|| Error::invalid("viewer.partner", "is required"))?;
        Ok(Self {
            roles: viewer.roles.iter().filter_map(|role| Role::try_from(*role).ok()).collect(),
            locations: viewer.bound_to.map(|bound| bound.location_ids.into_iter().collect()),
            partner: viewer.partner,
        })
    }
}

impl Viewer {
    /// Whose figures are asked for.
    pub fn partner(&self) -> &str {
        &self.partner
    }

    /// The policy of the people's service, applied again.
    #[allow(clippy::result_large_err, reason = "Status is what handlers return")]
    pub fn authorise(&self, policy: &Policy, query: Option<&Query>) -> Result<(), Status> {
        let measures: Vec<Measure> = query.into_iter().flat_map(Query::named_measures).collect();
        policy.authorise_roles(self.roles, REPORTING_SERVICE, &measures).map(|_| ())
    }

    fn view(&self) -> View<'_> {
        View { locations: self.locations.as_ref(), revenue: self.roles.can_see(FieldClass::Revenue) }
    }
}

/// Answers part by part, until the reader is gone.
pub async fn stream(
    api: &Api,
    root: Arc<Root>,
    viewer: Viewer,
    asked: Asked,
) -> Result<impl Stream<Item = Result<StreamQueryResponse, Status>> + Send + use<>, Error> {
    let mut earlier = api.cubes_as_of(&viewer.partner, &root, std::iter::once(&asked)).await?;
    let cube = asked.as_of.and_then(|time| earlier.remove(&time)).unwrap_or_else(|| root.cube.clone());
    let (sender, receiver) = mpsc::channel(BUFFER);
    let answering = Answering {
        total_customers: i64::try_from(cube.customer_count()).unwrap_or(i64::MAX),
        freshness: Some(answer::freshness(&root.cube)),
        cores: Arc::clone(&api.cores),
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
    asked: Arc<Asked>,
    viewer: Arc<Viewer>,
    cores: Arc<Semaphore>,
    /// Of an answer that is not given in parts.
    most_rows: usize,
    freshness: Option<v1::Freshness>,
    sender: mpsc::Sender<Result<StreamQueryResponse, Status>>,
    customers: i64,
    total_customers: i64,
    begun: bool,
}

/// The reader wants no more.
struct Gone;

impl Answering {
    async fn run(mut self, cube: Cube) {
        let in_parts = self.asked.query.top.is_none()
            && self.asked.query.group_by.iter().any(|by| matches!(by, Dimension::Customer | Dimension::Subscription));
        let sent = if in_parts { self.parts(&cube).await } else { self.whole(cube).await };
        // What cannot be sent any more is not missed: whoever asked is gone.
        let _ = match sent {
            Ok(()) => self.send(Vec::new(), true).await,
            Err(Ending::Gone) => Ok(()),
            Err(Ending::Failed(error)) => self.sender.send(Err(error.into())).await.map_err(|_| Gone),
        };
    }

    async fn parts(&mut self, cube: &Cube) -> Result<(), Ending> {
        for part in cube.parts() {
            let customers = i64::try_from(part.customer_count()).unwrap_or_default();
            let answer = self.answer(part).await?;
            self.rows(answer, customers).await?;
        }
        Ok(())
    }

    async fn whole(&mut self, cube: Cube) -> Result<(), Ending> {
        let answer = self.answer(cube).await?;
        let mut left = self.most_rows;
        take_rows(&mut left, answer.rows.len(), self.most_rows)?;
        self.rows(answer, self.total_customers).await
    }

    async fn answer(&self, cube: Cube) -> Result<Answer, Error> {
        let core = self.cores.clone().acquire_owned().await.map_err(Error::internal)?;
        let (asked, viewer) = (Arc::clone(&self.asked), Arc::clone(&self.viewer));
        let work = move || {
            let _core = core;
            cube.query(&asked.query, viewer.view())
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }

    /// Sends rows in messages of bounded size, the last of which counts the customers in.
    async fn rows(&mut self, answer: Answer, mut customers: i64) -> Result<(), Ending> {
        if !self.begun {
            self.begin(answer.overlapping).await?;
        }
        let mut rows = answer.rows.into_iter().map(answer::row).peekable();
        while rows.peek().is_some() {
            let part = rows.by_ref().take(ROWS).collect();
            if rows.peek().is_none() {
                self.customers += customers;
                customers = 0;
            }
            self.send(part, false).await?;
        }
        self.customers += customers;
        Ok(())
    }

    async fn begin(&mut self, overlapping: bool) -> Result<(), Gone> {
        let hidden = self.asked.query.measures.contains(&Measure::BilledRevenue) && !self.viewer.view().revenue;
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

    async fn send(&mut self, rows: Vec<v1::Row>, done: bool) -> Result<(), Gone> {
        if !self.begun {
            self.begin(false).await?;
        }
        let (customers, total_customers) = (self.customers, self.total_customers);
        let part = StreamQueryResponse { rows, customers, total_customers, done, ..StreamQueryResponse::default() };
        self.sender.send(Ok(part)).await.map_err(|_| Gone)
    }
}

enum Ending {
    Gone,
    Failed(Error),
}

impl From<Gone> for Ending {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Error> for Ending {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
