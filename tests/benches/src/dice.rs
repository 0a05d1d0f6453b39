//! Chance without state: the same question always gets the same answer, so partners are alike in every run and on every machine.

/// A number that depends on nothing but these two.
pub fn roll(seed: u64, what: u64) -> u64 {
    // SplitMix64 over both, twice, so that neighbours differ in every bit.
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ what.wrapping_mul(0xD1B5_4A32_D192_ED03);
    for _ in 0..2 {
        x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
    }
    x
}

/// From 0 up to 1, without 1.
pub fn unit(seed: u64, what: u64) -> f64 {
    (roll(seed, what) >> 11) as f64 / (1_u64 << 53) as f64
}

/// From 0 up to `sides`, without it.
pub fn die(seed: u64, what: u64, sides: u32) -> u32 {
    (((roll(seed, what) >> 32) * u64::from(sides)) >> 32) as u32
}

/// Normally distributed around 0 with deviation 1.
pub fn normal(seed: u64, what: u64) -> f64 {
    let (a, b) = (1.0 - unit(seed, what * 2), unit(seed, what * 2 + 1));
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}
