//! Keys of groups: the codes of a query's `group_by` as the digits of one integer.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use insights_proto::metrics::v1::Dimension;

use super::MAX_GROUP_BY;

/// The codes of up to four dimensions, each below 2^32, the first lowest.
pub(super) type Key = u128;

/// As many groups as may have a place of their own without being looked up.
const DENSE: Key = 1 << 20;

/// Where each dimension stands in the keys of a query.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// By dimension: what a code is multiplied by; 0 when the query does not split by it.
    place: [Key; Dimension::Subscription as usize + 1],
    /// By position in `group_by`: its place and how many codes it has.
    digits: [(Key, Key); MAX_GROUP_BY],
    /// Keys are below this.
    end: Key,
}

impl Places {
    /// `codes`: how many codes a dimension has, at most 2^32.
    pub(super) fn new(group_by: &[Dimension], codes: impl Fn(Dimension) -> usize) -> Self {
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
    pub(super) fn part(&self, dimension: Dimension, code: u32) -> Key {
        self.place[dimension as usize] * Key::from(code)
    }

    /// The code of the dimension at a position of `group_by`.
    pub(super) fn code(&self, key: Key, at: usize) -> u32 {
        let (place, codes) = self.digits[at];
        u32::try_from(key / place % codes).unwrap_or(u32::MAX)
    }
}

/// Positions of groups by their keys.
#[derive(Debug)]
pub(super) enum Positions {
    /// By key; 0 is none, else one more than the position.
    Dense(Vec<u32>),
    /// There may be too many keys for that.
    Hashed(HashMap<Key, u32, BuildHasherDefault<KeyHasher>>),
}

impl Positions {
    /// `few`: there are far fewer groups at a time than keys.
    pub(super) fn new(places: &Places, few: bool) -> Self {
        match usize::try_from(places.end) {
            Ok(end) if places.end <= DENSE && !few => Self::Dense(vec![0; end]),
            _ => Self::Hashed(HashMap::default()),
        }
    }

    /// Forgets keys, which must be all of those that have a position.
    pub(super) fn clear(&mut self, keys: impl Iterator<Item = Key>) {
        match self {
            Self::Dense(positions) => keys.for_each(|key| positions[key as usize] = 0),
            Self::Hashed(positions) => positions.clear(),
        }
    }

    /// The position of a key; `next` when it is new.
    pub(super) fn of(&mut self, key: Key, next: u32) -> u32 {
        match self {
            Self::Dense(positions) => {
                let position = &mut positions[key as usize];
                if *position == 0 {
                    *position = next + 1;
                }
                *position - 1
            }
            Self::Hashed(positions) => *positions.entry(key).or_insert(next),
        }
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

    fn write_u128(&mut self, key: u128) {
        let (low, high) = (key as u64, (key >> 64) as u64);
        let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
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
            let mut positions = Positions::new(&places, false);
            assert_eq!(matches!(positions, Positions::Dense(_)), most == 7);
            assert_eq!([positions.of(key, 0), positions.of(0, 1), positions.of(key, 2)], [0, 1, 0]);
        }
    }
}
