//! Where customers and subscriptions stand in the keys of a query, and which of them it is limited to.

use std::collections::HashSet;

use insights_proto::metrics::v1::Dimension;

use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::keys::GroupKey;
use crate::cube::data::chunk::CustomerChunk;
use crate::cube::data::cube::Cube;
use crate::rollups::header::CustomerHeader;

/// A chunk, and how many customers and subscriptions stand before it: their codes in keys go on from there, from 1.
#[derive(Clone, Copy, Debug)]
pub struct PlacedChunk<'a> {
    pub chunk: &'a CustomerChunk,
    pub customers: u32,
    pub subscriptions: u32,
}

/// The chunks of a cube, and how many customers and subscriptions there are.
pub fn placed(cube: &Cube) -> (Vec<PlacedChunk<'_>>, u32, u32) {
    let (mut customers, mut subscriptions) = (0, 0);
    let mut chunks = Vec::with_capacity(cube.chunks.len());
    for chunk in cube.chunks.values() {
        chunks.push(PlacedChunk { chunk, customers, subscriptions });
        customers += u32::try_from(chunk.customers.len()).unwrap_or_default();
        subscriptions += u32::try_from(chunk.subscriptions.len()).unwrap_or_default();
    }
    (chunks, customers, subscriptions)
}

/// The groups a query is limited to.
pub struct GroupLimit {
    pub keys: HashSet<GroupKey>,
    /// Codes of the customers that may be in one of them, sorted; none: any.
    customers: Option<Vec<u32>>,
}

impl GroupLimit {
    /// The positions of a chunk's customers that may be in one of the groups.
    pub fn customers_of(&self, placed: &PlacedChunk<'_>) -> Option<impl Iterator<Item = usize>> {
        let customers = self.customers.as_ref()?;
        let first = placed.customers + 1;
        let end = first + u32::try_from(placed.chunk.customers.len()).unwrap_or_default();
        let of_chunk = customers.partition_point(|code| *code < first)..customers.partition_point(|code| *code < end);
        Some(customers[of_chunk].iter().map(move |code| (code - first) as usize))
    }
}

impl CompiledQuery<'_> {
    /// Limits the query to some of its groups.
    pub fn limit_to(&mut self, keys: HashSet<GroupKey>) {
        let at = |dimension| self.query.group_by.iter().position(|group| *group == dimension);
        let customers = match (at(Dimension::Customer), at(Dimension::Subscription)) {
            (Some(at), _) => Some(keys.iter().map(|key| self.layout.code(*key, at)).collect()),
            (None, Some(at)) => Some(keys.iter().filter_map(|key| self.owner_of(self.layout.code(*key, at))).collect()),
            (None, None) => None,
        };
        let customers = customers.map(|mut customers: Vec<u32>| {
            customers.sort_unstable();
            customers.dedup();
            customers
        });
        self.limit = Some(GroupLimit { keys, customers });
    }

    /// The customer a code stands for.
    pub fn customer_at(&self, code: u32) -> Option<&CustomerHeader> {
        let at = self.chunks.partition_point(|placed| placed.customers < code).checked_sub(1)?;
        let placed = &self.chunks[at];
        let customer = placed.chunk.customers.get((code - placed.customers) as usize - 1)?;
        Some(&customer.header)
    }

    /// The id of the subscription a code stands for.
    pub fn subscription_at(&self, code: u32) -> Option<String> {
        let (placed, position) = self.find_subscription(code)?;
        let customer = &placed.chunk.customers[*placed.chunk.customer_of.get(position)? as usize];
        let subscription = customer.header.subscriptions.get(position - customer.first_subscription as usize)?;
        Some(subscription.id.clone())
    }

    /// The code of the customer of the subscription a code stands for.
    fn owner_of(&self, subscription: u32) -> Option<u32> {
        let (placed, position) = self.find_subscription(subscription)?;
        Some(placed.customers + 1 + placed.chunk.customer_of.get(position)?)
    }

    fn find_subscription(&self, code: u32) -> Option<(&PlacedChunk<'_>, usize)> {
        let at = self.chunks.partition_point(|placed| placed.subscriptions < code).checked_sub(1)?;
        let placed = &self.chunks[at];
        Some((placed, (code - placed.subscriptions) as usize - 1))
    }
}
