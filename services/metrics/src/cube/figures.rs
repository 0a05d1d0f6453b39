//! What is counted for every group and month while the columns are read.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use insights_domain::amount::Amount;
use insights_domain::calendar::Month;
use insights_domain::usage::{Reasons, SeatFigures};

use super::keys::Key;

/// Figures of one group in one month.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub customers: u32,
    pub active_customers: u32,
    pub new: u32,
    pub existing: u32,
    pub churned: u32,
    pub returning: u32,
    pub subscriptions: u32,
    /// Something came from detail.
    pub from_detail: bool,
    /// Something came from a report.
    pub from_report: bool,
    /// Reported users stand in the way of a sum.
    pub active_users_unknown: bool,
    /// Reported units stand in the way of a sum.
    pub total_users_unknown: bool,
    pub available: u64,
    pub assigned: u64,
    pub active: u64,
    pub deployment_opportunity: u64,
    pub active_users: u64,
    pub total_users: u64,
}

impl Figures {
    pub(super) fn add_seats(&mut self, seats: SeatFigures) {
        self.available += u64::from(seats.available);
        self.assigned += u64::from(seats.assigned);
        self.active += u64::from(seats.active);
        self.deployment_opportunity += u64::from(seats.deployment_opportunity);
    }

    pub(super) fn add_source(&mut self, reported: bool) {
        self.from_detail |= !reported;
        self.from_report |= reported;
    }
}

/// One group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub key: Key,
    /// Which combination of product, SKU and service it is.
    pub what: u32,
    /// The part of the key that an attribution gives.
    pub pair: Key,
}

/// The groups of a query and their figures, from the month before the range on.
pub(super) struct Table {
    pub groups: Vec<Group>,
    positions: HashMap<Key, u32, BuildHasherDefault<KeyHasher>>,
    first: i32,
    months: usize,
    figures: Vec<Figures>,
    /// By group and month; only when somebody asks why.
    reasons: Option<Vec<Reasons>>,
    /// By group and month, then by currency.
    pub revenue: BTreeMap<(u32, Month), BTreeMap<u32, Amount>>,
}

impl Table {
    /// Months `first` … `last`; `explained`: reasons are wanted.
    pub(super) fn new(first: Month, last: Month, explained: bool) -> Self {
        Self {
            groups: Vec::new(),
            positions: HashMap::default(),
            first: first.index(),
            months: usize::try_from(last.index() - first.index() + 1).unwrap_or_default(),
            figures: Vec::new(),
            reasons: explained.then(Vec::new),
            revenue: BTreeMap::new(),
        }
    }

    /// The position of a group, made when it is new.
    pub(super) fn group(&mut self, key: Key, what: u32, pair: Key) -> u32 {
        let next = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        let position = *self.positions.entry(key).or_insert(next);
        if position == next {
            self.groups.push(Group { key, what, pair });
            self.figures.resize(self.groups.len() * self.months, Figures::default());
            if let Some(reasons) = &mut self.reasons {
                reasons.resize(self.groups.len() * self.months, Reasons::default());
            }
        }
        position
    }

    /// The figures of a group in a month; `None` outside the months.
    pub(super) fn figures(&mut self, group: u32, month: Month) -> Option<&mut Figures> {
        let at = self.at(group, month)?;
        self.figures.get_mut(at)
    }

    /// The figures of a group in a month, zero where there are none.
    pub(super) fn read(&self, group: u32, month: Month) -> Figures {
        self.at(group, month).and_then(|at| self.figures.get(at)).copied().unwrap_or_default()
    }

    /// Adds reasons, if somebody asks why.
    pub(super) fn explain(&mut self, group: u32, month: Month, more: Reasons) {
        let at = self.at(group, month);
        if let (Some(reasons), Some(at)) = (&mut self.reasons, at) {
            reasons[at] = reasons[at].plus(more);
        }
    }

    /// The reasons of a group in a month.
    pub(super) fn reasons(&self, group: u32, month: Month) -> Reasons {
        let reasons = self.reasons.as_ref().zip(self.at(group, month));
        reasons.map(|(reasons, at)| reasons[at]).unwrap_or_default()
    }

    fn at(&self, group: u32, month: Month) -> Option<usize> {
        let offset = usize::try_from(month.index() - self.first).ok().filter(|offset| *offset < self.months)?;
        Some(group as usize * self.months + offset)
    }
}

/// Keys are codes side by side: folding them is enough.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn write_u64(&mut self, key: u64) {
        let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write_u128(&mut self, key: u128) {
        let (low, high) = (key as u64, (key >> 64) as u64);
        let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}
