//! Figures with reported rows as they stood at an earlier time: the customers of whom other rows stood then are rolled up
//! again from facts, over the cube as it is now.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use insights_domain::calendar::Month;
use insights_domain::facts::Catalogue;
use insights_domain::rollup::{history_floor, roll_up};
use insights_proto::ingestion::v1::StreamFactsRequest;
use insights_service::Error;
use prost_types::Timestamp;

use super::Api;
use super::parse::ParsedQuery;
use crate::cube::{Cube, CustomerUpdate};
use crate::cubes::Root;
use crate::follower::{ApplyError, GatheredCustomer, PartnerChanges, PartnerNumbers, coverage, next_customer};
use crate::rollups::Store;

/// Different times in one call.
const TIMES: usize = 4;

/// A cube for every time asked for.
pub type CubesAsOf = BTreeMap<DateTime<Utc>, Cube>;

impl Api {
    /// The cubes that queries with `as_of` are answered from.
    pub async fn cubes_as_of<'a>(
        &self,
        partner: &str,
        root: &Root,
        asked: impl Iterator<Item = &'a ParsedQuery>,
    ) -> Result<CubesAsOf, Error> {
        let mut cubes = CubesAsOf::new();
        for time in asked.filter_map(|asked| asked.as_of) {
            if cubes.contains_key(&time) {
                continue;
            }
            if cubes.len() == TIMES {
                return Err(Error::invalid("as_of", format!("names more than {TIMES} different times in one call")));
            }
            let cube =
                if root.partner_no == 0 { root.cube.clone() } else { self.cube_as_of(partner, root, time).await? };
            cubes.insert(time, cube);
        }
        Ok(cubes)
    }

    async fn cube_as_of(&self, partner: &str, root: &Root, time: DateTime<Utc>) -> Result<Cube, Error> {
        let row = Store::find_partner_in(self.store.database().reader(), partner).await?;
        let Some(row) = row else { return Ok(root.cube.clone()) };
        let (mut catalogue, numbers) = (row.model.catalogue(), PartnerNumbers::of(&row.model));
        let floor = history_floor(root.cube.partner().complete_through.month());
        let time = Timestamp {
            seconds: time.timestamp(),
            nanos: time.timestamp_subsec_nanos().cast_signed().min(999_999_999),
        };
        let then = self.feed.partner_facts(partner, Some(time)).await.map_err(unavailable)?;
        catalogue.coverage = coverage(&then.coverage).map_err(Error::internal)?;
        let changes =
            PartnerChanges { carried: catalogue.coverage.changes(&row.model.coverage), ..PartnerChanges::default() };
        let carried = changes.customers(&self.store, row.number, floor).await?;
        let request = |customers: Vec<i64>| StreamFactsRequest {
            partner: partner.to_owned(),
            customers,
            first_activity_month: floor.previous().index(),
            as_of: Some(time),
        };
        // None named: those of whom other rows stood then.
        let mut cube = self.rolled_over(root.cube.clone(), request(Vec::new()), &numbers, &catalogue).await?;
        if !carried.is_empty() {
            cube = self.rolled_over(cube, request(carried.into_keys().collect()), &numbers, &catalogue).await?;
        }
        Ok(cube)
    }

    /// The cube with the customers of a stream of facts rolled up anew.
    async fn rolled_over(
        &self,
        mut cube: Cube,
        request: StreamFactsRequest,
        numbers: &PartnerNumbers,
        catalogue: &Catalogue,
    ) -> Result<Cube, Error> {
        let floor = history_floor(cube.partner().complete_through.month());
        let partner = request.partner.clone();
        let mut stream = self.feed.facts(request).await.map_err(unavailable)?;
        let mut group = Vec::new();
        loop {
            let next = next_customer(&mut stream, numbers).await.map_err(from_feed)?;
            let ended = next.is_none();
            group.extend(next);
            if group.len() >= self.customers_per_group.max(1) || ended {
                let (customers, catalogue) = (std::mem::take(&mut group), catalogue.clone());
                let before = cube;
                let over = move || over(&before, customers, &catalogue, floor);
                cube = self.aside(&partner, over).await?;
            }
            if ended {
                return Ok(cube);
            }
        }
    }
}

/// The cube with these customers rolled up anew.
fn over(cube: &Cube, customers: Vec<GatheredCustomer>, catalogue: &Catalogue, floor: Month) -> Cube {
    let partner = cube.partner().clone();
    let known = customers.into_iter().filter(|customer| customer.facts.known);
    let updates = known.map(|customer| CustomerUpdate {
        months: roll_up(&customer.facts, catalogue, partner.complete_through, floor),
        header: customer.stored.header,
        from: floor,
    });
    let updates = updates.collect();
    cube.apply(partner, updates)
}

fn from_feed(error: ApplyError) -> Error {
    match error {
        ApplyError::Feed(status) => unavailable(*status),
        ApplyError::Store(error) => error.into(),
        other => Error::internal(other),
    }
}

fn unavailable(status: tonic::Status) -> Error {
    if status.code() == tonic::Code::InvalidArgument {
        return Error::invalid("as_of", "lies further back than superseded rows are kept");
    }
    tracing::warn!(%status, "facts as of an earlier time cannot be read");
    Error::unavailable("Reported rows as of an earlier time cannot be read at the moment.")
}
