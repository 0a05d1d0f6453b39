//! Counts in a row, as narrow as the greatest of them allows.

use std::collections::HashMap;
use std::ops::Range;

use insights_domain::usage::SeatCounts;

/// A column of counts.
#[derive(Clone, Debug)]
pub enum Counts {
    /// None is above 65,535.
    Narrow(Vec<u16>),
    /// Some are.
    Wide(Vec<u32>),
}

impl Default for Counts {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl From<Vec<u32>> for Counts {
    fn from(counts: Vec<u32>) -> Self {
        let narrow: Result<Vec<u16>, _> = counts.iter().map(|count| u16::try_from(*count)).collect();
        narrow.map_or(Self::Wide(counts), Self::Narrow)
    }
}

impl Counts {
    pub fn at(&self, position: usize) -> u32 {
        match self {
            Self::Narrow(counts) => counts[position].into(),
            Self::Wide(counts) => counts[position],
        }
    }

    /// Adds the counts of `range` to `sums`, one to one.
    pub fn add_to(&self, range: Range<usize>, sums: &mut [u64]) {
        match self {
            Self::Narrow(counts) => add(&counts[range], sums),
            Self::Wide(counts) => add(&counts[range], sums),
        }
    }

    /// Adds to `sums` by how much each count of `range` exceeds that of `other`.
    pub fn add_excess_to(&self, other: &Self, range: Range<usize>, sums: &mut [u64]) {
        match (self, other) {
            (Self::Narrow(counts), Self::Narrow(other)) => add_excess(&counts[range.clone()], &other[range], sums),
            (Self::Narrow(counts), Self::Wide(other)) => add_excess(&counts[range.clone()], &other[range], sums),
            (Self::Wide(counts), Self::Narrow(other)) => add_excess(&counts[range.clone()], &other[range], sums),
            (Self::Wide(counts), Self::Wide(other)) => add_excess(&counts[range.clone()], &other[range], sums),
        }
    }
}

fn add<T: Copy + Into<u64>>(counts: &[T], sums: &mut [u64]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum += (*count).into();
    }
}

fn add_excess<T: Copy + Into<u64>, U: Copy + Into<u64>>(counts: &[T], other: &[U], sums: &mut [u64]) {
    for ((sum, count), other) in sums.iter_mut().zip(counts).zip(other) {
        *sum += (*count).into().saturating_sub((*other).into());
    }
}

/// Seats of subscriptions, a column for each count.
#[derive(Clone, Debug, Default)]
pub struct SeatColumns {
    pub sold: Counts,
    pub assigned: Counts,
    pub active: Counts,
    pub active_assigned: Counts,
    /// By position: those in grace; few have any.
    pub grace: HashMap<usize, u32>,
}

impl SeatColumns {
    /// The seats in grace at a position.
    pub fn grace(&self, position: usize) -> u32 {
        if self.grace.is_empty() { 0 } else { self.grace.get(&position).copied().unwrap_or_default() }
    }

    /// The counts at a position.
    pub fn at(&self, position: usize) -> SeatCounts {
        SeatCounts {
            seats: self.sold.at(position),
            grace: self.grace(position),
            assigned: self.assigned.at(position),
            active: self.active.at(position),
            active_assigned: self.active_assigned.at(position),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_narrow_columns_add_alike() {
        let (narrow, wide) = (vec![3, 0, 9, 65_535], vec![3, 0, 70_000, u32::MAX]);
        for left in [&narrow, &wide] {
            for right in [&narrow, &wide] {
                let (columns, others) = (Counts::from(left.clone()), Counts::from(right.clone()));
                let (mut sums, mut excess) = ([1, 1, 1], [0, 0, 0]);
                columns.add_to(1..4, &mut sums);
                columns.add_excess_to(&others, 1..4, &mut excess);
                for at in 1..4 {
                    assert_eq!(columns.at(at), left[at]);
                    assert_eq!(sums[at - 1], 1 + u64::from(left[at]));
                    assert_eq!(excess[at - 1], u64::from(left[at].saturating_sub(right[at])));
                }
            }
        }
        assert!(matches!(Counts::from(narrow), Counts::Narrow(_)));
        assert!(matches!(Counts::from(wide), Counts::Wide(_)));
    }
}
