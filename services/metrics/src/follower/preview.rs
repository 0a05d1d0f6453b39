//! What an import would do: the cube as it would be, rolled up from facts that were not stored. Nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use insights_domain::calendar::{Day, Month};
use insights_domain::facts::Catalogue;
use insights_domain::rollup::{history_floor, roll_up};
use insights_proto::ingestion::v1::{PreviewChanges, StreamFactsResponse};
use tokio::task::spawn_blocking;
use tonic::Status;

use super::apply::{ApplicationPlan, Applier, ApplyError, FactParts, next_customer};
use super::facts::{GatheredCustomer, PartnerNumbers, partner_model};
use super::pending::ChangesToApply;
use super::touched::carried_since;
use crate::cube::{Cube, CustomerUpdate};
use crate::feed::PreviewFeed;
use crate::rollups::header::PartnerHeader;
use crate::rollups::{RollupPartner, Store};

/// The cube in the making, and what is the same for all customers.
struct PreviewCube {
    cube: Cube,
    header: PartnerHeader,
    numbers: PartnerNumbers,
    catalogue: Arc<Catalogue>,
    complete_through: Day,
}

impl Applier {
    /// The cube as it would be after the changes. Customers that change are read as they would stand; all others that must be rolled up
    /// anew, because the catalogue or the end of the data moves, are read as they stand, after the preview is over and holds nobody
    /// up.
    pub async fn preview(
        &self,
        partner: &str,
        before: Cube,
        changes: PreviewChanges,
        mut feed: PreviewFeed,
    ) -> Result<Cube, ApplyError> {
        let row = Store::find_partner_in(self.store.database().reader(), partner).await?;
        let row = row.unwrap_or_else(|| RollupPartner::unseen(partner));
        let facts = changes.partner.unwrap_or_default();
        let touched: BTreeMap<i64, i32> =
            changes.customers.iter().map(|change| (change.customer, change.first_month)).collect();
        let to_apply = ChangesToApply {
            epoch: facts.epoch,
            first_version: changes.base_version + 1,
            last_version: facts.version,
            stamp: 0,
            rebuild: false,
            customers: touched.clone(),
        };
        let plan = self.plan(&row, Some(&to_apply), partner_model(&facts)?).await?;
        let to = &plan.to;
        let mut preview = PreviewCube {
            cube: before,
            header: to.model.header(to.epoch, to.version, to.complete_through),
            numbers: PartnerNumbers::of(&to.model),
            catalogue: Arc::new(to.model.catalogue()),
            complete_through: to.complete_through,
        };
        preview.apply(Vec::new()).await?;
        for group in in_groups(&touched, &plan, self.customers_per_group) {
            preview.touched(&mut feed, &group).await?;
        }
        drop(feed);
        if changes.known {
            self.others(partner, &mut preview, &touched, &plan).await?;
        }
        Ok(preview.cube)
    }

    /// Those who change only because something of the partner does.
    async fn others(
        &self,
        partner: &str,
        preview: &mut PreviewCube,
        touched: &BTreeMap<i64, i32>,
        plan: &ApplicationPlan,
    ) -> Result<(), ApplyError> {
        let named: BTreeMap<i64, Month> = plan
            .customers
            .iter()
            .filter(|(customer, _)| !touched.contains_key(customer))
            .map(|(customer, month)| (*customer, *month))
            .collect();
        if let Some(first) = named.values().min() {
            let stream = self.facts(partner, named.keys().copied().collect(), *first).await?;
            preview.take(stream, self.customers_per_group, |customer| named.get(&customer).copied()).await?;
        }
        if let Some(first) = plan.everybody {
            let stream = self.facts(partner, Vec::new(), first).await?;
            let other = |customer| {
                let done = touched.contains_key(&customer) || named.contains_key(&customer);
                (!done).then_some(first)
            };
            preview.take(stream, self.customers_per_group, other).await?;
        }
        Ok(())
    }
}

/// The customers that change, in groups of those that go back equally far.
fn in_groups(touched: &BTreeMap<i64, i32>, plan: &ApplicationPlan, size: usize) -> Vec<BTreeMap<i64, Month>> {
    let from = |customer: &i64| plan.customers.get(customer).copied().or(plan.everybody);
    let mut customers: Vec<(Month, i64)> =
        touched.keys().filter_map(|customer| Some((from(customer)?, *customer))).collect();
    customers.sort_unstable();
    let group = |group: &[(Month, i64)]| group.iter().map(|(month, customer)| (*customer, *month)).collect();
    customers.chunks(size.max(1)).map(group).collect()
}

impl PreviewCube {
    /// Rolls up a group as it would stand.
    async fn touched(&mut self, feed: &mut PreviewFeed, group: &BTreeMap<i64, Month>) -> Result<(), ApplyError> {
        let Some(first) = group.values().min() else { return Ok(()) };
        feed.ask_facts(group.keys().copied().collect(), first.previous().index()).await?;
        let floor = history_floor(self.complete_through.month());
        let (mut gathered, mut again) = (Vec::new(), BTreeMap::new());
        while let Some(customer) = next_customer(feed, &self.numbers).await? {
            let from = group.get(&customer.key.customer).copied().unwrap_or(*first);
            let since = carried_since(&customer.stored, from).max(floor);
            if since < *first {
                again.insert(customer.key.customer, since);
            } else {
                gathered.push((customer, since));
            }
        }
        self.apply(gathered).await?;
        // Those that turn out to go back further than the activity that was asked for come again.
        if again.is_empty() { Ok(()) } else { Box::pin(self.touched(feed, &again)).await }
    }

    /// Rolls up the customers of a stream, each from the month that `from` says, or not at all.
    async fn take(
        &mut self,
        mut stream: impl FactParts,
        size: usize,
        from: impl Fn(i64) -> Option<Month>,
    ) -> Result<(), ApplyError> {
        let mut group = Vec::new();
        while let Some(customer) = next_customer(&mut stream, &self.numbers).await? {
            group.extend(from(customer.key.customer).map(|month| (customer, month)));
            if group.len() >= size.max(1) {
                self.apply(std::mem::take(&mut group)).await?;
            }
        }
        self.apply(group).await
    }

    async fn apply(&mut self, customers: Vec<(GatheredCustomer, Month)>) -> Result<(), ApplyError> {
        let (cube, header) = (self.cube.clone(), self.header.clone());
        let (catalogue, complete_through) = (Arc::clone(&self.catalogue), self.complete_through);
        let work = move || {
            let updates = customers.into_iter().filter_map(|(customer, from)| {
                let months = roll_up(&customer.facts, &catalogue, complete_through, from);
                // Whom nothing is known of any more stays under the name it had.
                let kept = || cube.customer_header(customer.key.cell, customer.key.customer).cloned();
                let header = if customer.facts.known { Some(customer.stored.header) } else { kept() };
                Some(CustomerUpdate { header: header?, from, months })
            });
            let updates = updates.collect();
            cube.apply(header, updates)
        };
        self.cube = spawn_blocking(work).await?;
        Ok(())
    }
}

impl FactParts for PreviewFeed {
    async fn next_part(&mut self) -> Result<Option<StreamFactsResponse>, Status> {
        self.next_facts().await
    }
}
