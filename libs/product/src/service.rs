//! The services there are.

/// A service of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Takes records in.
    Ingestion,
    /// Computes figures.
    Metrics,
    /// Answers people.
    Reporting,
}

impl Service {
    /// Every service, in the order in which they depend on each other.
    pub const ALL: [Self; 3] = [Self::Ingestion, Self::Metrics, Self::Reporting];

    /// Its name in settings, tokens and names of files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingestion => "ingestion",
            Self::Metrics => "metrics",
            Self::Reporting => "reporting",
        }
    }
}
