//! Chance that can be repeated.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// A stream of chance, the same for the same seed and stream on every machine.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Evenly from 0 up to (not including) 1.
    pub(super) fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    /// Evenly from `low` up to (not including) `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Evenly from 0 up to (not including) `bound`; 0 for 0.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    /// Evenly from `low` to `high`, both included.
    pub(super) fn days(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1).max(1).unsigned_abs()).cast_signed()
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Normally distributed around 0 with deviation 1.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A count of rare events with the given mean; means beyond 30 are cut to it.
    pub(super) fn poisson(&mut self, mean: f64) -> i64 {
        let limit = (-mean.clamp(0.0, 30.0)).exp();
        let (mut count, mut product) = (0, self.unit());
        while product > limit {
            count += 1;
            product *= self.unit();
        }
        count
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(u32::try_from(from.len()).unwrap_or(u32::MAX)) as usize]
    }

    /// One of `from`, each as likely as its weight.
    pub(super) fn weighted<T: Copy>(&mut self, from: &[(T, u32)]) -> T {
        let mut at = self.below(from.iter().map(|(_, weight)| weight).sum());
        for (value, weight) in from {
            if at < *weight {
                return *value;
            }
            at -= weight;
        }
        from[0].0
    }
}
