//! Keys of groups: the codes of a query's `group_by` as the digits of one integer.

use insights_proto::metrics::v1::Dimension;

use crate::cube::MAX_GROUP_BY;

/// The codes of up to four dimensions, each below 2^32, the first lowest.
pub type GroupKey = u128;

/// Where each dimension stands in the keys of a query.
#[derive(Clone, Debug)]
pub struct KeyLayout {
    /// By dimension: what a code is multiplied by; 0 when the query does not split by it.
    place: [GroupKey; Dimension::Subscription as usize + 1],
    /// By position in `group_by`: its place and how many codes it has.
    digits: [(GroupKey, GroupKey); MAX_GROUP_BY],
    /// Keys are below this.
    pub end: GroupKey,
}

impl KeyLayout {
    /// `codes`: how many codes a dimension has, at most 2^32.
    pub fn new(group_by: &[Dimension], codes: impl Fn(Dimension) -> usize) -> Self {
        let mut layout = Self { place: [0; _], digits: [(1, 1); _], end: 1 };
        for (digit, dimension) in layout.digits.iter_mut().zip(group_by) {
            let codes = codes(*dimension).max(1) as GroupKey;
            *digit = (layout.end, codes);
            layout.place[*dimension as usize] = layout.end;
            // Four dimensions of 2^32 codes would fill the whole integer, and the key after the last does not fit.
            layout.end = layout.end.saturating_mul(codes);
        }
        layout
    }

    /// A dimension's part of the key; 0 when the query does not split by it.
    pub fn part(&self, dimension: Dimension, code: u32) -> GroupKey {
        self.place[dimension as usize] * GroupKey::from(code)
    }

    /// The code of the dimension at a position of `group_by`.
    pub fn code(&self, key: GroupKey, at: usize) -> u32 {
        let (place, codes) = self.digits[at];
        u32::try_from(key / place % codes).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_its_codes_back() {
        let group_by = [Dimension::Customer, Dimension::Trial, Dimension::Subscription, Dimension::Sku];
        for most in [7, 1 << 32] {
            let layout = KeyLayout::new(&group_by, |dimension| if dimension == Dimension::Trial { 3 } else { most });
            let codes = [u32::try_from(most - 1).unwrap(), 2, 5, 6];
            let parts = group_by.iter().zip(codes).map(|(dimension, code)| layout.part(*dimension, code));
            let key = parts.sum();
            assert_eq!([0, 1, 2, 3].map(|at| layout.code(key, at)), codes);
            assert_eq!(layout.part(Dimension::Country, 9), 0);
        }
    }
}
