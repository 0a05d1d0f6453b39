//! The months a query reads of a chunk, as bits of one integer, and the columns of the accumulators they belong to.

use std::ops::Range;

use crate::cube::data::chunk::{AttributeRun, CustomerChunk};
use crate::cube::scan::accumulators::Accumulators;

/// Months as bits, counted from the chunk's first; where that is too long ago, from 127 months before the last that is read.
pub type Months = u128;

/// At most 128 months.
#[derive(Clone, Debug)]
pub struct ScanWindow {
    /// How many months of the chunk come before bit 0.
    skipped: usize,
    /// The bits that are read.
    read: Range<usize>,
    /// The column of bit 0; below 0 when it comes before the accumulators' first.
    first_column: i32,
}

/// Months of a run that are read.
#[derive(Clone, Copy, Debug)]
pub struct RunMonths {
    /// Bits.
    pub from: usize,
    pub to: usize,
    /// The first's offset in the chunk's months.
    pub offset: usize,
}

impl ScanWindow {
    /// Months from `first` to the accumulators' last; `None` when all of them come before the chunk's.
    pub fn new(chunk: &CustomerChunk, first: i32, accumulators: &Accumulators) -> Option<Self> {
        let end = accumulators.first + i32::try_from(accumulators.columns).ok()?;
        let origin = chunk.first.max(end - 128);
        let bit = |month: i32| usize::try_from(month - origin).unwrap_or_default();
        let read = bit(first)..bit(end);
        let skipped = usize::try_from(origin - chunk.first).ok()?;
        (!read.is_empty()).then(|| Self { skipped, read, first_column: origin - accumulators.first })
    }

    /// The months that are read of a constant run's.
    pub fn cut(&self, months: u64) -> u64 {
        let months = months.unbounded_shr(u32::try_from(self.skipped).unwrap_or(u32::MAX));
        months & bits(&self.read) as u64
    }

    /// Those that have a column.
    pub fn in_columns(&self, months: u64) -> u64 {
        months & u64::MAX.unbounded_shl((-self.first_column).max(0).unsigned_abs())
    }

    /// The months of a run that are read.
    pub fn run(&self, run: &AttributeRun) -> Option<RunMonths> {
        let from = usize::from(run.from).saturating_sub(self.skipped).max(self.read.start);
        let to = usize::from(run.to).saturating_sub(self.skipped).min(self.read.end);
        (from < to).then(|| RunMonths { from, to, offset: from + self.skipped })
    }

    /// The columns of a span, and the offset of their first month in the chunk.
    pub fn columns_of(&self, span: RunMonths) -> Option<(Range<usize>, usize)> {
        let skipped = usize::try_from(-self.first_column).unwrap_or_default().saturating_sub(span.from);
        let columns = self.column(span.from + skipped)..self.column(span.to);
        (!columns.is_empty()).then_some((columns, span.offset + skipped))
    }

    /// Bits as marks: those of columns after the first.
    pub fn marks(&self, months: Months) -> Months {
        let shift = (self.first_column - 1).unsigned_abs();
        if self.first_column > 0 { months.unbounded_shl(shift) } else { months.unbounded_shr(shift) }
    }

    /// The bits of the columns after the first.
    pub fn in_range(&self) -> Range<usize> {
        usize::try_from(1 - self.first_column).unwrap_or_default()..self.read.end
    }

    /// The column of a bit that has one; 0 of others.
    pub fn column(&self, bit: usize) -> usize {
        usize::try_from(self.first_column + i32::try_from(bit).unwrap_or_default()).unwrap_or_default()
    }

    /// The columns of bits that have some.
    pub fn columns(&self, bits: Range<usize>) -> Range<usize> {
        let column = |bit: usize| bit.wrapping_add_signed(self.first_column as isize);
        column(bits.start)..column(bits.end)
    }

    /// The offset of a bit's month in the chunk.
    pub const fn offset(&self, bit: usize) -> usize {
        bit + self.skipped
    }
}

impl RunMonths {
    pub fn bits(&self) -> Months {
        bits(&(self.from..self.to))
    }
}

/// A range of at most 128 bits.
fn bits(range: &Range<usize>) -> Months {
    if range.is_empty() { 0 } else { Months::MAX >> (128 - range.len()) << range.start }
}

/// The positions of the bits that are set in a range.
pub fn set_bits(months: Months, range: Range<usize>) -> impl Iterator<Item = usize> {
    let left = months & bits(&range);
    // Most histories end within the lower half.
    let (mut low, mut high) = (left as u64, (left >> 64) as u64);
    std::iter::from_fn(move || {
        let (half, first) = if low == 0 { (&mut high, 64) } else { (&mut low, 0) };
        let bit = half.trailing_zeros() as usize;
        *half &= half.wrapping_sub(1);
        (bit < 64).then_some(first + bit)
    })
}

#[cfg(test)]
mod tests {
    use insights_domain::calendar::Month;

    use super::*;
    use crate::cube::compile::keys::KeyLayout;
    use crate::cube::data::months::stretches;

    /// The month of the chunk's first.
    const FIRST: i32 = 24_000;

    /// A table of six months after that of its first column.
    fn accumulators(first: i32) -> Accumulators {
        let month = |index| Month::from_index(index).unwrap();
        Accumulators::new(&KeyLayout::new(&[], |_| 1), (month(first + 1), month(first + 6)), &[], false, false)
    }

    #[test]
    fn months_are_cut_to_those_that_are_read() {
        let months = 0b1101_1000_u64;
        let known = |month: i32| (FIRST..FIRST + 64).contains(&month) && months >> (month - FIRST) & 1 == 1;
        for start in FIRST - 20..FIRST + 140 {
            for earlier in [0, 3, 200] {
                let (chunk, accumulators) =
                    (CustomerChunk { first: FIRST, ..CustomerChunk::default() }, accumulators(start));
                let first = (start - earlier).max(FIRST - 100);
                let Some(window) = ScanWindow::new(&chunk, first, &accumulators) else {
                    assert!(start + 6 < FIRST);
                    continue;
                };
                let cut = window.cut(months);
                let month = |bit: usize| FIRST + window.offset(bit) as i32;
                let read: Vec<i32> = set_bits(cut.into(), 0..128).map(month).collect();
                let earliest = first.max(start + 7 - 128);
                assert_eq!(read, (earliest..start + 7).filter(|month| known(*month)).collect::<Vec<_>>());
                let tabled: Vec<i32> = stretches(window.in_columns(cut))
                    .flat_map(|bits| bits.map(|bit| start + window.column(bit) as i32))
                    .collect();
                assert_eq!(tabled, (start..start + 7).filter(|month| known(*month)).collect::<Vec<_>>());
                let marked = set_bits(window.marks(cut.into()), 0..128).map(|mark| start + 1 + mark as i32);
                assert_eq!(
                    marked.collect::<Vec<_>>(),
                    (start + 1..start + 7).filter(|it| known(*it)).collect::<Vec<_>>()
                );
            }
        }
    }

    #[test]
    fn runs_are_cut_like_months() {
        let run = AttributeRun { from: 3, to: 9, sku: 1, attributions: 0, seller: 0, flags: 0, reported: 0 };
        for start in FIRST - 10..FIRST + 140 {
            for first in [start, start - 2, start - 60] {
                let (chunk, accumulators) =
                    (CustomerChunk { first: FIRST, ..CustomerChunk::default() }, accumulators(start));
                let Some(window) = ScanWindow::new(&chunk, first, &accumulators) else { continue };
                let expected: Vec<i32> = (first.max(FIRST + 3)..(start + 7).min(FIRST + 9)).collect();
                let span = window.run(&run);
                let read = span.map(|span| (span.offset as i32 + FIRST..).take(span.to - span.from).collect());
                assert_eq!(read.unwrap_or_else(Vec::new), expected);
                let columns = span.and_then(|span| window.columns_of(span));
                let tabled = columns.map(|(columns, offset)| {
                    assert_eq!(offset as i32 + FIRST, start + columns.start as i32);
                    columns.map(|column| start + column as i32).collect()
                });
                let expected: Vec<i32> = expected.into_iter().filter(|month| *month >= start).collect();
                assert_eq!(tabled.unwrap_or_else(Vec::new), expected);
            }
        }
    }

    #[test]
    fn bits_are_found_in_their_range() {
        assert_eq!(set_bits(0b1_0110, 0..128).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(set_bits(0b1_0110, 2..4).collect::<Vec<_>>(), [2]);
        assert_eq!(set_bits(1 << 127 | 1 << 64 | 1 << 63, 0..128).collect::<Vec<_>>(), [63, 64, 127]);
        assert_eq!(set_bits(Months::MAX, 127..128).collect::<Vec<_>>(), [127]);
        assert_eq!(set_bits(Months::MAX, 3..3).count(), 0);
        assert_eq!(set_bits(Months::MAX, 0..128).count(), 128);
    }
}
