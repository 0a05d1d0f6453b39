//! The rollups of one partner in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use insights_domain::calendar::Month;
use insights_domain::rollup::MonthRollup;

use crate::cube::data::builder::ChunkBuilder;
use crate::cube::data::chunk::CustomerChunk;
use crate::cube::data::dictionary::Dictionaries;
use crate::cube::data::subscriptions::{ListedSubscription, subscriptions};
use crate::rollups::header::{CustomerHeader, PartnerHeader};

/// Customers of a shard (cell) whose numbers share all but this many low bits stand in one chunk: some 256 of 16 cells.
const CHUNK_BITS: u32 = 12;

/// What changed of one customer.
#[derive(Clone, Debug)]
pub struct CustomerUpdate {
    /// Who it is now.
    pub header: CustomerHeader,
    /// Months before this one stay as they are.
    pub from: Month,
    /// Every month from then on of which something is known.
    pub months: Vec<(Month, MonthRollup)>,
}

/// What a caller sees.
#[derive(Clone, Copy, Debug, Default)]
pub struct Visibility<'a> {
    /// Sees what is attributed to these partner locations only.
    pub locations: Option<&'a BTreeSet<String>>,
    /// Sees amounts of money.
    pub revenue: bool,
}

type ChunkKey = (i32, i64);

/// All rollups of one partner at one version.
#[derive(Clone, Debug)]
pub struct Cube {
    pub(in crate::cube) partner: Arc<PartnerHeader>,
    pub(in crate::cube) dictionaries: Arc<Dictionaries>,
    pub(in crate::cube) chunks: BTreeMap<ChunkKey, Arc<CustomerChunk>>,
}

impl Cube {
    /// A partner without customers.
    pub fn new(partner: PartnerHeader) -> Self {
        Self { partner: Arc::new(partner), dictionaries: Arc::default(), chunks: BTreeMap::new() }
    }

    /// The partner as of this version.
    pub fn partner(&self) -> &PartnerHeader {
        &self.partner
    }

    /// The next version: `partner` replaces what was known of the partner, `updates` what was known of these customers.
    #[must_use]
    pub fn apply(&self, partner: PartnerHeader, updates: Vec<CustomerUpdate>) -> Self {
        let mut by_chunk: BTreeMap<ChunkKey, HashMap<i64, CustomerUpdate>> = BTreeMap::new();
        for update in updates {
            let key = (update.header.cell, update.header.number >> CHUNK_BITS);
            by_chunk.entry(key).or_default().insert(update.header.number, update);
        }
        let mut next =
            Self { partner: Arc::new(partner), dictionaries: self.dictionaries.clone(), chunks: self.chunks.clone() };
        let mut dictionaries = (*next.dictionaries).clone();
        for (key, updates) in by_chunk {
            let chunk = ChunkBuilder::rebuilt(self.chunks.get(&key).map(Arc::as_ref), updates, &mut dictionaries);
            next.chunks.insert(key, Arc::new(chunk));
        }
        next.dictionaries = Arc::new(dictionaries);
        next
    }

    /// The same version in parts of some hundred customers. Customers never meet, so what a query splits by customer or by
    /// subscription is answered by the parts as by the whole.
    pub fn parts(&self) -> impl Iterator<Item = Self> + use<> {
        let (partner, dictionaries) = (self.partner.clone(), self.dictionaries.clone());
        self.chunks.clone().into_iter().map(move |chunk| Self {
            partner: partner.clone(),
            dictionaries: dictionaries.clone(),
            chunks: BTreeMap::from([chunk]),
        })
    }

    /// The earliest month of which anything is known.
    pub fn first_month(&self) -> Option<Month> {
        self.chunks.values().filter_map(|chunk| chunk.first_month()).min()
    }

    /// How many customers it holds, counted or not.
    pub fn customer_count(&self) -> usize {
        self.chunks.values().map(|chunk| chunk.customers.len()).sum()
    }

    /// The customers, with those attributed to one of `locations` alone when a caller is bound to some.
    pub fn customers<'a>(&'a self, view: Visibility<'a>) -> impl Iterator<Item = &'a CustomerHeader> {
        self.chunks.values().flat_map(|chunk| &chunk.customers).map(|customer| customer.header.as_ref()).filter(
            move |header| {
                view.locations.is_none_or(|bound| {
                    let mut attributions =
                        header.subscriptions.iter().flat_map(|subscription| &subscription.attributions);
                    attributions.any(|attribution| {
                        attribution.location.as_ref().is_some_and(|location| bound.contains(location))
                    })
                })
            },
        )
    }

    /// The subscriptions as of a month, for a caller bound to locations those alone that were ever attributed to one.
    pub fn subscriptions<'a>(
        &'a self,
        view: Visibility<'a>,
        month: Option<Month>,
    ) -> impl Iterator<Item = ListedSubscription<'a>> {
        subscriptions(self, view, month)
    }

    /// What is shown of a customer beside its months.
    pub fn customer_header(&self, cell: i32, number: i64) -> Option<&CustomerHeader> {
        let chunk = self.chunks.get(&(cell, number >> CHUNK_BITS))?;
        let position = chunk.customers.binary_search_by_key(&number, |customer| customer.header.number).ok()?;
        chunk.customers.get(position).map(|customer| customer.header.as_ref())
    }

    /// One customer's rollups, as they stand in the columns.
    pub fn customer_months(&self, cell: i32, number: i64) -> Option<Vec<(Month, MonthRollup)>> {
        self.chunks.get(&(cell, number >> CHUNK_BITS))?.months_of(number, &self.dictionaries)
    }
}
