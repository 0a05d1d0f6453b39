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

    /// The months that are read of those whose bits are counted from the chunk's first.
    pub(super) const fn cut(&self, months: Months) -> Months {
        let shift = self.in_chunk.unsigned_abs();
        let from_first = if self.in_chunk < 0 { months.unbounded_shl(shift) } else { months.unbounded_shr(shift) };
        from_first & (Months::MAX >> (128 - self.length))
    }

    /// Consecutive months among those that are read.
    pub(super) fn spans(&self, months: Months) -> impl Iterator<Item = Span> {
        let mut left = months;
        let in_chunk = self.in_chunk;
        std::iter::from_fn(move || {
            let from = left.trailing_zeros();
            let length = (!left.unbounded_shr(from)).trailing_zeros();
            left &= Months::MAX.unbounded_shl(from + length);
            let offset = usize::try_from(i32::try_from(from).ok()? + in_chunk).ok()?;
            (from < 128).then(|| Span { from: from as usize, to: (from + length) as usize, offset })
        })
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
    fn months_are_cut_to_those_that_are_read() {
        let months = 0b1101_1000;
        for first in 90..110 {
            let chunk = Chunk { first: 100, ..Chunk::default() };
            let window = Window::new(&chunk, first, first + 5).unwrap();
            let expected: Vec<i32> =
                (first..first + 6).filter(|month| *month >= 100 && months >> (month - 100) & 1 == 1).collect();
            let cut = window.cut(months);
            assert_eq!(set_bits(cut, 0..128).map(|bit| first + bit as i32).collect::<Vec<_>>(), expected);
            let spans: Vec<Span> = window.spans(cut).collect();
            let of_spans: Vec<i32> =
                spans.iter().flat_map(|span| (span.from..span.to).map(|bit| first + bit as i32)).collect();
            assert_eq!(of_spans, expected);
            assert!(spans.iter().all(|span| span.offset as i32 + 100 == first + span.from as i32));
            assert!(spans.windows(2).all(|pair| pair[0].to < pair[1].from), "stretches are as long as they can be");
        }
        let all = Window::new(&Chunk::default(), 0, 127).unwrap();
        assert_eq!(all.cut(Months::MAX), Months::MAX);
        assert_eq!(all.spans(Months::MAX).map(|span| (span.from, span.to)).collect::<Vec<_>>(), [(0, 128)]);
    }

    #[test]
    fn bits_are_found_in_their_range() {
        assert_eq!(set_bits(0b1_0110, 0..128).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(set_bits(0b1_0110, 2..4).collect::<Vec<_>>(), [2]);
        assert_eq!(set_bits(Months::MAX, 127..128).collect::<Vec<_>>(), [127]);
        assert_eq!(set_bits(Months::MAX, 3..3).count(), 0);
        assert_eq!(set_bits(Months::MAX, 0..128).count(), 128);
    }
}
