//! Months of a chunk as bits of one integer.

use std::ops::Range;

/// Stretches of bits that are set.
pub fn stretches(months: u64) -> impl Iterator<Item = Range<usize>> {
    let mut left = months;
    std::iter::from_fn(move || {
        let from = left.trailing_zeros();
        let length = (!left.unbounded_shr(from)).trailing_zeros();
        left &= u64::MAX.unbounded_shl(from + length);
        (from < 64).then_some(from as usize..(from + length) as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::stretches;

    #[test]
    fn stretches_are_runs_of_bits() {
        assert_eq!(stretches(u64::MAX).map(|bits| (bits.start, bits.end)).collect::<Vec<_>>(), [(0, 64)]);
        assert_eq!(stretches(0b1011_0110).collect::<Vec<_>>(), [1..3, 4..6, 7..8]);
        assert_eq!(stretches(1 << 63 | 1).collect::<Vec<_>>(), [0..1, 63..64]);
    }
}
