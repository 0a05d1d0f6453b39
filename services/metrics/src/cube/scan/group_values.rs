//! Positions of groups by their keys.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::cube::compile::keys::{GroupKey, KeyLayout};

/// As many groups as may have a place of their own without being looked up.
const DENSE: GroupKey = 1 << 20;

/// Positions of groups by their keys.
#[derive(Debug)]
pub enum GroupValues {
    /// By key; 0 is none, else one more than the position.
    Dense(Vec<u32>),
    /// There may be too many keys for that.
    Hashed(HashMap<GroupKey, u32, BuildHasherDefault<KeyHasher>>),
}

impl GroupValues {
    /// `few`: there are far fewer groups at a time than keys.
    pub fn new(layout: &KeyLayout, few: bool) -> Self {
        match usize::try_from(layout.end()) {
            Ok(end) if layout.end() <= DENSE && !few => Self::Dense(vec![0; end]),
            _ => Self::Hashed(HashMap::default()),
        }
    }

    /// Forgets keys, which must be all of those that have a position.
    pub fn clear(&mut self, keys: impl Iterator<Item = GroupKey>) {
        match self {
            Self::Dense(positions) => keys.for_each(|key| positions[key as usize] = 0),
            Self::Hashed(positions) => positions.clear(),
        }
    }

    /// The position of a key; `next` when it is new.
    pub fn of(&mut self, key: GroupKey, next: u32) -> u32 {
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
pub struct KeyHasher(u64);

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
    use crate::cube::compile::dimensions::DimensionColumn;

    #[test]
    fn a_key_keeps_its_position() {
        for most in [7, 1 << 32] {
            let layout = KeyLayout::new(&[DimensionColumn::Customer, DimensionColumn::Sku], |_| most);
            let key = layout.part(DimensionColumn::Sku, 6);
            let mut positions = GroupValues::new(&layout, false);
            assert_eq!(matches!(positions, GroupValues::Dense(_)), most == 7);
            assert_eq!([positions.of(key, 0), positions.of(0, 1), positions.of(key, 2)], [0, 1, 0]);
        }
    }
}
