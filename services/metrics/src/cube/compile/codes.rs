//! The codes that stand for customers and subscriptions in the keys of a query.

use std::collections::HashSet;

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

impl PlacedChunk<'_> {
    /// The code of a customer of the chunk.
    #[inline]
    pub fn customer_code(&self, position: usize) -> u32 {
        self.customers + 1 + u32::try_from(position).unwrap_or_default()
    }

    /// The code of a subscription of the chunk.
    #[inline]
    pub fn subscription_code(&self, position: usize) -> u32 {
        // Parts of a subscription have its code.
        let position = u32::try_from(position).unwrap_or_default();
        let whole = if self.chunk.has_parts { self.chunk.subscriptions[position as usize].whole } else { position };
        self.subscriptions + 1 + whole
    }
}

/// The chunks of a cube in the order of their codes.
#[derive(Debug)]
pub struct PlacedChunks<'a> {
    chunks: Vec<PlacedChunk<'a>>,
    customers: u32,
    subscriptions: u32,
    /// Something comes from reports.
    have_reports: bool,
}

impl<'a> PlacedChunks<'a> {
    pub fn of(cube: &'a Cube) -> Self {
        let (mut customers, mut subscriptions) = (0, 0);
        let mut chunks = Vec::with_capacity(cube.chunks.len());
        for chunk in cube.chunks.values() {
            chunks.push(PlacedChunk { chunk, customers, subscriptions });
            customers += u32::try_from(chunk.customers.len()).unwrap_or_default();
            subscriptions += u32::try_from(chunk.subscriptions.len()).unwrap_or_default();
        }
        let have_reports = chunks.iter().any(|placed| placed.chunk.reported);
        Self { chunks, customers, subscriptions, have_reports }
    }

    pub fn as_slice(&self) -> &[PlacedChunk<'a>] {
        &self.chunks
    }

    /// Codes of customers, with the one that stands for none.
    pub const fn customer_codes(&self) -> usize {
        self.customers as usize + 1
    }

    /// Codes of subscriptions, with the one that stands for none.
    pub const fn subscription_codes(&self) -> usize {
        self.subscriptions as usize + 1
    }

    /// Something comes from reports.
    pub const fn have_reports(&self) -> bool {
        self.have_reports
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
    pub fn owner_of(&self, subscription: u32) -> Option<u32> {
        let (placed, position) = self.find_subscription(subscription)?;
        Some(placed.customers + 1 + placed.chunk.customer_of.get(position)?)
    }

    fn find_subscription(&self, code: u32) -> Option<(&PlacedChunk<'_>, usize)> {
        let at = self.chunks.partition_point(|placed| placed.subscriptions < code).checked_sub(1)?;
        let placed = &self.chunks[at];
        Some((placed, (code - placed.subscriptions) as usize - 1))
    }
}

/// The groups a query is limited to.
#[derive(Debug)]
pub struct GroupLimit {
    keys: HashSet<GroupKey>,
    /// Codes of the customers that may be in one of them, sorted; none: any.
    customers: Option<Vec<u32>>,
}

impl GroupLimit {
    pub fn new(keys: HashSet<GroupKey>, customers: Option<Vec<u32>>) -> Self {
        let customers = customers.map(|mut customers| {
            customers.sort_unstable();
            customers.dedup();
            customers
        });
        Self { keys, customers }
    }

    pub fn has(&self, key: GroupKey) -> bool {
        self.keys.contains(&key)
    }

    /// The positions of a chunk's customers that may be in one of the groups; none: any.
    pub fn customers_of(&self, placed: &PlacedChunk<'_>) -> Option<impl Iterator<Item = usize>> {
        let customers = self.customers.as_ref()?;
        let first = placed.customers + 1;
        let end = first + u32::try_from(placed.chunk.customers.len()).unwrap_or_default();
        let of_chunk = customers.partition_point(|code| *code < first)..customers.partition_point(|code| *code < end);
        Some(customers[of_chunk].iter().map(move |code| (code - first) as usize))
    }
}
