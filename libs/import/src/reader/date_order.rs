//! Which of day and month comes first in a date.

/// Which comes first in a date such as `3/4/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DateOrder {
    /// The day, as in 31/1/2026.
    #[value(name = "dmy")]
    DayFirst,
    /// The month, as in 1/31/2026.
    #[value(name = "mdy")]
    MonthFirst,
}

impl DateOrder {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DayFirst => "dmy",
            Self::MonthFirst => "mdy",
        }
    }
}
