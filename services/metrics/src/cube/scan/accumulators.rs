//! Accumulators: the sums, marks and amounts of every group and month while chunks are scanned. Only sums that the query's
//! measures need are kept.

use std::collections::BTreeMap;
use std::ops::Range;

use insights_domain::amount::Amount;
use insights_domain::calendar::Month;
use insights_domain::usage::Reasons;

use crate::cube::compile::keys::{GroupKey, KeyLayout};
use crate::cube::compile::projection::{SUMS, Sum};
use crate::cube::scan::group_values::GroupValues;

/// What is true or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Something came from detail.
    FromDetail,
    /// Something came from a report.
    FromReport,
    /// Reported users stand in the way of a sum.
    ActiveUsersUnknown,
    /// Reported units stand in the way of a sum.
    TotalUsersUnknown,
    /// A figure rests on use that may be greater than what is known of it.
    LowerBound,
    /// A figure rests on a month that a report does not cover.
    Carried,
    /// Nobody knows what was used of some seats.
    ActiveUnknown,
    /// Nobody knows what was used of some seats that are assigned and available.
    IdleUnknown,
    /// Nobody knows whether some customers were active.
    ActiveCustomersUnknown,
}

const MARKS: usize = Mark::ActiveCustomersUnknown as usize + 1;

/// One group.
#[derive(Clone, Copy, Debug)]
pub struct GroupIdentity {
    pub key: GroupKey,
    /// Which combination of product, SKU and service it is.
    pub product_key: u32,
    /// The part of the key that an attribution gives.
    pub attribution_part: GroupKey,
}

/// The groups of a query and their figures. Column 0 is the month before the range.
#[derive(Debug)]
pub struct Accumulators {
    pub groups: Vec<GroupIdentity>,
    positions: GroupValues,
    /// The index of the month of column 0.
    pub first: i32,
    pub columns: usize,
    wanted: [bool; SUMS],
    /// By group and column; empty when no measure needs it.
    sums: [Vec<u64>; SUMS],
    /// By group, a bit for each column after the first; groups at the end that have none may be missing.
    marks: [Vec<u128>; MARKS],
    /// By group and column; only where reasons are wanted.
    reasons: Option<Vec<Reasons>>,
    revenue: BTreeMap<u32, CurrencySums>,
}

/// Amounts in one currency.
#[derive(Debug, Default)]
struct CurrencySums {
    /// By group and column.
    amounts: Vec<Amount>,
    /// By group, a bit for each column after the first.
    known: Vec<u128>,
}

impl Accumulators {
    /// From the month before `range` to its last, at most 128 months; `explained`: reasons are wanted; `few`: there are far
    /// fewer groups at a time than there could be.
    pub fn new(layout: &KeyLayout, range: (Month, Month), wanted: &[Sum], explained: bool, few: bool) -> Self {
        let (first, last) = range;
        let mut of_sums = [false; SUMS];
        for sum in wanted {
            of_sums[*sum as usize] = true;
        }
        Self {
            groups: Vec::new(),
            positions: GroupValues::new(layout, few),
            first: first.index() - 1,
            columns: usize::try_from(last.index() - first.index() + 2).unwrap_or_default().max(1),
            wanted: of_sums,
            sums: Default::default(),
            marks: Default::default(),
            reasons: explained.then(Vec::new),
            revenue: BTreeMap::new(),
        }
    }

    /// The position of a group, made when it is new.
    pub fn group(&mut self, key: GroupKey, product_key: u32, attribution_part: GroupKey) -> u32 {
        let next = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        let position = self.positions.of(key, next);
        if position == next {
            self.groups.push(GroupIdentity { key, product_key, attribution_part });
            let size = self.groups.len() * self.columns;
            for (column, _) in self.sums.iter_mut().zip(self.wanted).filter(|(_, wanted)| *wanted) {
                column.resize(size, 0);
            }
            if let Some(reasons) = &mut self.reasons {
                reasons.resize(size, Reasons::default());
            }
        }
        position
    }

    /// The column of a month, if there is one.
    pub fn column(&self, month: i32) -> Option<usize> {
        usize::try_from(month - self.first).ok().filter(|column| *column < self.columns)
    }

    /// A sum of a group in these columns; `None` when no measure needs it.
    pub fn sums_between(&mut self, sum: Sum, group: u32, columns: &Range<usize>) -> Option<&mut [u64]> {
        let start = group as usize * self.columns;
        self.sums[sum as usize].get_mut(start + columns.start..start + columns.end)
    }

    /// Where customers of a group that begin and end to count are noted.
    pub fn flows(&mut self, group: u32) -> CustomerFlows<'_> {
        let start = group as usize * self.columns;
        let of_group = start..start + self.columns;
        let [customers, _, new, churned, returning, ..] = &mut self.sums;
        CustomerFlows {
            customers: customers.get_mut(of_group.clone()).unwrap_or_default(),
            new: new.get_mut(of_group.clone()).unwrap_or_default(),
            churned: churned.get_mut(of_group.clone()).unwrap_or_default(),
            returning: returning.get_mut(of_group).unwrap_or_default(),
        }
    }

    /// Adds to a sum, if a measure needs it.
    pub fn add(&mut self, sum: Sum, group: u32, column: usize, more: u64) {
        add_at(self.sums_between(sum, group, &(0..self.columns)).unwrap_or_default(), column, more);
    }

    /// Adds one in these columns to a sum that is kept as changes.
    pub fn add_between(&mut self, sum: Sum, group: u32, columns: Range<usize>) {
        self.add(sum, group, columns.start, 1);
        self.add(sum, group, columns.end, 1_u64.wrapping_neg());
    }

    /// Marks columns of a group; bit 0 is column 1.
    pub fn mark(&mut self, mark: Mark, group: u32, columns: u128) {
        mark_in(&mut self.marks[mark as usize], group, self.groups.len(), columns);
    }

    /// Adds reasons, if they are wanted.
    pub fn explain(&mut self, group: u32, column: usize, more: Reasons) {
        let at = group as usize * self.columns + column;
        if let Some(reasons) = self.reasons.as_mut().and_then(|reasons| reasons.get_mut(at)) {
            *reasons = reasons.plus(more);
        }
    }

    /// Adds revenue.
    pub fn bill(&mut self, currency: u32, group: u32, column: usize, amount: Amount) {
        let revenue = self.revenue.entry(currency).or_default();
        let at = group as usize * self.columns + column;
        if revenue.known.len() <= group as usize {
            revenue.known.resize(self.groups.len(), 0);
            revenue.amounts.resize(self.groups.len() * self.columns, Amount::default());
        }
        revenue.known[group as usize] |= bit_of(column);
        revenue.amounts[at] = plus(revenue.amounts[at], amount);
    }

    /// Forgets every group.
    pub fn clear(&mut self) {
        self.positions.clear(self.groups.iter().map(|group| group.key));
        self.groups.clear();
        self.sums.iter_mut().for_each(Vec::clear);
        self.marks.iter_mut().for_each(Vec::clear);
        self.reasons.iter_mut().for_each(Vec::clear);
        self.revenue.clear();
    }

    /// Adds the accumulators of the same query that another thread filled.
    pub fn merge(&mut self, other: &Self) {
        for (of, position) in other.groups.iter().zip(0..) {
            let group = self.group(of.key, of.product_key, of.attribution_part);
            let (to, from) = (group as usize * self.columns, position * self.columns);
            for (mine, theirs) in self.sums.iter_mut().zip(&other.sums).filter(|(_, theirs)| !theirs.is_empty()) {
                for (sum, more) in mine[to..to + self.columns].iter_mut().zip(&theirs[from..from + self.columns]) {
                    *sum = sum.wrapping_add(*more);
                }
            }
            for (mine, theirs) in self.marks.iter_mut().zip(&other.marks) {
                if let Some(columns) = theirs.get(position) {
                    mark_in(mine, group, self.groups.len(), *columns);
                }
            }
            for column in 0..other.reasons.as_ref().map_or(0, |_| self.columns) {
                self.explain(group, column, other.reasons_at(position, column));
            }
            for (currency, revenue) in &other.revenue {
                for column in (1..self.columns).filter(|column| revenue.is_known(position, *column)) {
                    self.bill(*currency, group, column, revenue.amounts[from + column]);
                }
            }
        }
    }

    /// Makes stocks of what was added as changes.
    pub fn finish(&mut self) {
        for sum in [Sum::Customers, Sum::Subscriptions] {
            for group in self.sums[sum as usize].chunks_mut(self.columns) {
                for column in 1..group.len() {
                    group[column] = group[column].wrapping_add(group[column - 1]);
                }
            }
        }
    }

    /// A sum of a group in a month; 0 outside the months.
    pub fn sum(&self, sum: Sum, group: u32, month: Month) -> u64 {
        let column = self.column(month.index());
        let at = column.map(|column| group as usize * self.columns + column);
        at.and_then(|at| self.sums[sum as usize].get(at)).copied().unwrap_or_default()
    }

    /// Whether a mark is set for a group in a month of the range.
    pub fn is_marked(&self, mark: Mark, group: u32, month: Month) -> bool {
        let column = self.column(month.index()).unwrap_or_default();
        self.marks[mark as usize].get(group as usize).is_some_and(|marks| marks & bit_of(column) != 0)
    }

    /// The reasons of a group in a month.
    pub fn reasons(&self, group: u32, month: Month) -> Reasons {
        let column = self.column(month.index());
        column.map(|column| self.reasons_at(group as usize, column)).unwrap_or_default()
    }

    /// The amounts of a group in a month of the range, by the currency's code.
    pub fn revenue(&self, group: u32, month: Month) -> impl Iterator<Item = (u32, Amount)> {
        let column = self.column(month.index()).unwrap_or_default();
        self.revenue
            .iter()
            .filter(move |(_, revenue)| revenue.is_known(group as usize, column))
            .map(move |(currency, revenue)| (*currency, revenue.amounts[group as usize * self.columns + column]))
    }

    fn reasons_at(&self, group: usize, column: usize) -> Reasons {
        self.reasons.as_ref().map(|reasons| reasons[group * self.columns + column]).unwrap_or_default()
    }
}

/// Sums of one group by column; empty where no measure needs it.
pub struct CustomerFlows<'t> {
    customers: &'t mut [u64],
    new: &'t mut [u64],
    churned: &'t mut [u64],
    returning: &'t mut [u64],
}

impl CustomerFlows<'_> {
    /// A customer begins to count, for the first time or again.
    pub fn begin(&mut self, column: usize, again: bool) {
        add_at(self.customers, column, 1);
        add_at(self.new, column, 1);
        add_at(self.returning, column, u64::from(again));
    }

    /// A customer no longer counts.
    pub fn end(&mut self, column: usize) {
        add_at(self.customers, column, 1_u64.wrapping_neg());
        add_at(self.churned, column, 1);
    }
}

fn mark_in(marks: &mut Vec<u128>, group: u32, groups: usize, columns: u128) {
    if marks.len() <= group as usize {
        marks.resize(groups, 0);
    }
    marks[group as usize] |= columns;
}

fn add_at(sums: &mut [u64], column: usize, more: u64) {
    if let Some(sum) = sums.get_mut(column) {
        *sum = sum.wrapping_add(more);
    }
}

impl CurrencySums {
    fn is_known(&self, group: usize, column: usize) -> bool {
        self.known.get(group).is_some_and(|known| known & bit_of(column) != 0)
    }
}

/// The bit of a column in marks; none of the first.
pub const fn bit_of(column: usize) -> u128 {
    if column == 0 { 0 } else { 1 << (column - 1) }
}

fn plus(left: Amount, right: Amount) -> Amount {
    Amount::from_micros(left.micros().saturating_add(right.micros()))
}
