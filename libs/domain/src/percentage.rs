//! Percentages that never travel without their numerator and denominator.

/// A ratio of two counts, either of which may be unknown; never clamped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentage {
    /// What is counted.
    pub numerator: Option<u64>,
    /// Against what.
    pub denominator: Option<u64>,
}

impl Percentage {
    /// Of two known counts.
    pub const fn of(numerator: u64, denominator: u64) -> Self {
        Self { numerator: Some(numerator), denominator: Some(denominator) }
    }

    /// On the 0 to 100 scale; `None` when the denominator is 0 or one of the two is unknown.
    pub fn value(self) -> Option<f64> {
        match (self.numerator, self.denominator) {
            (Some(numerator), Some(denominator)) if denominator > 0 => {
                Some(numerator as f64 * 100.0 / denominator as f64)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_null_without_a_denominator_and_never_clamped() {
        assert_eq!(Percentage::of(3, 2).value(), Some(150.0));
        assert_eq!(Percentage::of(0, 2).value(), Some(0.0));
        assert_eq!(Percentage::of(3, 0).value(), None);
        assert_eq!(Percentage { numerator: None, denominator: Some(1) }.value(), None);
        assert_eq!(Percentage { numerator: Some(1), denominator: None }.value(), None);
        // 124 of 474 is 26.16 %, whatever the customers' own percentages are.
        assert_eq!(format!("{:.2}", Percentage::of(124, 474).value().unwrap()), "26.16");
    }
}
