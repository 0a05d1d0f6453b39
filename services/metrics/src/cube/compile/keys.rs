//! Keys of groups: the codes of a query's `group_by` as the digits of one integer.

use insights_proto::metrics::v1::Dimension;

use crate::cube::MAX_GROUP_BY;

/// The codes of up to four dimensions, each below 2^32, the first lowest.
pub type Key = u128;

/// Where each dimension stands in the keys of a query.
#[derive(Clone, Debug)]
pub struct Places {
    /// By dimension: what a code is multiplied by; 0 when the query does not split by it.
    place: [Key; Dimension::Subscription as usize + 1],
    /// By position in `group_by`: its place and how many codes it has.
    digits: [(Key, Key); MAX_GROUP_BY],
    /// Keys are below this.
    pub end: Key,
}

impl Places {
    /// `codes`: how many codes a dimension has, at most 2^32.
    pub fn new(group_by: &[Dimension], codes: impl Fn(Dimension) -> usize) -> Self {
        let mut places = Self { place: [0; _], digits: [(1, 1); _], end: 1 };
        for (digit, dimension) in places.digits.iter_mut().zip(group_by) {
            let codes = codes(*dimension).max(1) as Key;
            *digit = (places.end, codes);
            places.place[*dimension as usize] = places.end;
            // Four dimensions of 2^32 codes would fill the whole integer, and the key after the last does not fit.
            places.end = places.end.saturating_mul(codes);
        }
        places
    }

    /// A dimension's part of the key; 0 when the query does not split by it.
    pub fn part(&self, dimension: Dimension, code: u32) -> Key {
        self.place[dimension as usize] * Key::from(code)
    }

    /// The code of the dimension at a position of `group_by`.
    pub fn code(&self, key: Key, at: usize) -> u32 {
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
            let places = Places::new(&group_by, |dimension| if dimension == Dimension::Trial { 3 } else { most });
            let codes = [u32::try_from(most - 1).unwrap(), 2, 5, 6];
            let parts = group_by.iter().zip(codes).map(|(dimension, code)| places.part(*dimension, code));
            let key = parts.sum();
            assert_eq!([0, 1, 2, 3].map(|at| places.code(key, at)), codes);
            assert_eq!(places.part(Dimension::Country, 9), 0);
        }
    }
}
