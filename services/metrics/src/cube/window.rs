//! The months a query reads of a chunk, as bits of one integer.

use std::ops::Range;

use super::chunk::{Chunk, Run};

/// Months as bits; bit 0 is the first month read.
pub(super) type Months = u128;

/// At most 128 months.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// The index of the month of bit 0.
    pub first: i32,
    pub length: usize,
    /// The offset of bit 0 in the chunk's months; below 0 when the chunk begins later.
    in_chunk: i32,
}

/// Months of a run that are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Bits.
    pub from: usize,
    pub to: usize,
    /// The first's offset in the chunk's months.
    pub offset: usize,
}

impl Window {
    /// Months `first` … `last`; `None` when there are none.
    pub(super) fn new(chunk: &Chunk, first: i32, last: i32) -> Option<Self> {
        let length = usize::try_from(last - first + 1).ok().filter(|length| (1..=128).contains(length))?;
        Some(Self { first, length, in_chunk: first - chunk.first })
    }

    /// The months of a run that are read.
    pub(super) fn span(&self, run: &Run) -> Option<Span> {
        let from = (i32::from(run.from) - self.in_chunk).max(0);
        let to = (i32::from(run.to) - self.in_chunk).min(i32::try_from(self.length).unwrap_or(i32::MAX));
        (from < to).then(|| Span {
            from: from.cast_unsigned() as usize,
            to: to.cast_unsigned() as usize,
            offset: (from + self.in_chunk).cast_unsigned() as usize,
        })
    }
}

impl Span {
    pub(super) const fn bits(&self) -> Months {
        Months::MAX >> (128 - (self.to - self.from)) << self.from
    }
}

/// The positions of the bits that are set, from `from` on.
pub(super) fn set_bits(months: Months, range: Range<usize>) -> impl Iterator<Item = usize> {
    let mut left = if range.is_empty() { 0 } else { months & (Months::MAX >> (128 - range.len()) << range.start) };
    std::iter::from_fn(move || {
        let bit = left.trailing_zeros() as usize;
        left &= left.wrapping_sub(1);
        (bit < 128).then_some(bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_found_in_their_range() {
        assert_eq!(set_bits(0b1_0110, 0..128).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(set_bits(0b1_0110, 2..4).collect::<Vec<_>>(), [2]);
        assert_eq!(set_bits(Months::MAX, 127..128).collect::<Vec<_>>(), [127]);
        assert_eq!(set_bits(Months::MAX, 3..3).count(), 0);
        assert_eq!(set_bits(Months::MAX, 0..128).count(), 128);
    }
}
