//! Keys of groups: one code per dimension of a query's `group_by`, side by side in one integer.

/// The codes of up to four dimensions, 32 bits each, the first lowest.
pub(super) type Key = u128;

/// A code in the place of the dimension at a position of `group_by`.
pub(super) const fn place(code: u32, at: usize) -> Key {
    (code as Key) << (32 * at)
}

/// The code in the place of the dimension at a position of `group_by`.
pub(super) const fn part(key: Key, at: usize) -> u32 {
    (key >> (32 * at) & 0xffff_ffff) as u32
}
