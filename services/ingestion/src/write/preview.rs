//! Batches tried together without storing anything: one transaction for all of them, in which the facts can be read as they would
//! stand, and which is never committed.

use std::{collections::BTreeMap, sync::Arc};

use insights_database::Transaction;
use insights_proto::ingestion::v1::{
    CustomerChange, GetPartnerFactsResponse, IngestBatchRequest, IngestBatchResponse, PreviewChanges,
    StreamFactsRequest, StreamFactsResponse,
};

use super::{
    Ledger,
    answer::response,
    new_partner::create_partner,
    prepare::{check, check_limits},
    store::store_in,
};
use crate::{
    error::Error,
    feed::{FactsQuery, FeedSelection, group_in, partner_facts_in},
    tables::{feed, partner::StoredPartner},
};

/// Most records and facts of activity of one preview: they are stored while other writers of the partner wait.
const MOST_RECORDS: usize = 200_000;
const MOST_ACTIVITY: usize = 1_000_000;
/// Most customers of one preview, each counted once per version that changes it.
const MOST_CHANGES: usize = 200_000;

/// A preview under way. Dropped, it leaves nothing behind.
pub(crate) struct ImportPreview {
    ledger: Arc<Ledger>,
    transaction: Transaction,
    partner: StoredPartner,
    records: usize,
    activity: usize,
}

impl ImportPreview {
    pub(crate) async fn begin(ledger: Arc<Ledger>, id: &str) -> Result<Self, Error> {
        let transaction = ledger.database.begin().await?;
        let partner = match StoredPartner::find(&transaction, id).await? {
            Some(partner) => partner,
            None => create_partner(&transaction, id, ledger.nanoseconds()).await?,
        };
        Ok(Self { ledger, transaction, partner, records: 0, activity: 0 })
    }

    /// Stores a batch after those before it.
    pub(crate) async fn take(&mut self, request: IngestBatchRequest) -> Result<IngestBatchResponse, Error> {
        check_limits(&self.ledger, &request)?;
        self.records += request.records.len();
        self.activity += request.activity.as_ref().map_or(0, |activity| activity.day.len());
        if self.records > MOST_RECORDS || self.activity > MOST_ACTIVITY {
            return Err(Error::TooMuch("it has more than 200,000 records or 1,000,000 days of activity"));
        }
        let (ledger, transaction) = (&self.ledger, &self.transaction);
        let checked = check(ledger, &self.partner, request.records, request.activity, false).await?;
        let (stored, _, _) = store_in(ledger, transaction, &self.partner, &checked).await?;
        // Settings of the partner may have come with the batch.
        self.partner = StoredPartner::find(transaction, &self.partner.id).await?.ok_or(Error::NoPartner)?;
        Ok(response(self.partner.version, &checked.rejected, stored, checked.now))
    }

    /// Who changed, and what concerns the partner as a whole.
    pub(crate) async fn changes(&self) -> Result<PreviewChanges, Error> {
        // What others committed until now. Since this transaction took its first version it holds the partner's row, so that they
        // commit nothing more.
        let committed = StoredPartner::find(self.ledger.database.reader(), &self.partner.id).await?;
        let base = committed.as_ref().map_or(0, |partner| partner.version);
        // A row has a customer at least.
        let rows = feed::after(&self.transaction, &self.partner, base, MOST_CHANGES as i64).await?;
        if rows.iter().map(|row| row.customers.len()).sum::<usize>() >= MOST_CHANGES {
            return Err(Error::TooMuch("it changes more than 200,000 customers"));
        }
        let mut first: BTreeMap<i64, i32> = BTreeMap::new();
        let changed = rows.into_iter().flat_map(|row| row.customers);
        for (customer, first_month) in changed.filter(|(customer, _)| *customer != 0) {
            first.entry(customer).and_modify(|month| *month = first_month.min(*month)).or_insert(first_month);
        }
        let customers = first.into_iter().map(|(customer, first_month)| CustomerChange { customer, first_month });
        Ok(PreviewChanges {
            base_version: base,
            known: committed.is_some(),
            partner: Some(self.partner_facts().await?),
            customers: customers.collect(),
        })
    }

    async fn partner_facts(&self) -> Result<GetPartnerFactsResponse, Error> {
        partner_facts_in(&self.transaction, &self.partner.id, None).await
    }

    /// The next customers' facts, as they would stand; `None` when all were given.
    pub(crate) async fn facts(
        &self,
        selection: &mut FeedSelection,
        request: &StreamFactsRequest,
    ) -> Result<Option<Vec<StreamFactsResponse>>, Error> {
        let query = FactsQuery { first_activity_month: request.first_activity_month, as_of: None };
        group_in(&self.transaction, &self.partner, selection, query).await
    }

    /// Takes everything back.
    pub(crate) async fn end(self) -> Result<(), Error> {
        Ok(self.transaction.rollback().await?)
    }
}
