//! Gathers the rows of a report by subscription and month.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use insights_domain::calendar::Month;
use insights_proto::ingestion::v1::{Attribution, Customer, Location, Sku};

use super::row::{ParsedRow, RowStubs};

/// A subscription in a month.
pub(super) struct Group {
    /// The row that decides what differs: the first one that is no duplicate, else the first.
    pub(super) first: ParsedRow,
    /// Of all rows, in their order, each once.
    pub(super) attributions: Vec<Attribution>,
}

/// A thing the file names: where it was named last, in which month, and what the file knows about it.
type Named<T> = BTreeMap<String, (u64, Month, T)>;

/// What the file names without being its source.
#[derive(Default)]
pub(super) struct Stubs {
    pub(super) customers: Named<Customer>,
    pub(super) skus: Named<Sku>,
    pub(super) locations: Named<Location>,
}

/// The file by subscription and month.
#[derive(Default)]
pub(super) struct Gathered {
    /// In the order of the file.
    pub(super) groups: Vec<Group>,
    pub(super) stubs: Stubs,
    places: HashMap<(String, Month), usize>,
}

impl Gathered {
    pub(super) fn take(&mut self, mut row: ParsedRow, stubs: RowStubs) {
        self.stubs.take(&row, stubs);
        let attribution = row.attribution.take();
        let key = (row.subscription.clone(), row.month);
        let group = match self.places.get(&key) {
            Some(&at) => &mut self.groups[at],
            None => {
                self.places.insert(key, self.groups.len());
                self.groups.push(Group { first: row, attributions: attribution.into_iter().collect() });
                return;
            }
        };
        if let Some(attribution) = attribution
            && !group.attributions.contains(&attribution)
        {
            group.attributions.push(attribution);
        }
        if group.first.duplicate && !row.duplicate {
            group.first = row;
        }
    }
}

impl Stubs {
    fn take(&mut self, row: &ParsedRow, RowStubs { customer, sku, location }: RowStubs) {
        remember(&mut self.customers, customer.customer_id.clone(), row, customer);
        remember(&mut self.skus, sku.sku_id.clone(), row, sku);
        if let Some(location) = location {
            remember(&mut self.locations, location.location_id.clone(), row, location);
        }
    }
}

/// A later month knows better; within a month the first row does.
fn remember<T>(named: &mut Named<T>, id: String, row: &ParsedRow, thing: T) {
    match named.entry(id) {
        Entry::Occupied(mut known) if known.get().1 < row.month => {
            known.insert((row.line, row.month, thing));
        }
        Entry::Occupied(_) => {}
        Entry::Vacant(place) => {
            place.insert((row.line, row.month, thing));
        }
    }
}
