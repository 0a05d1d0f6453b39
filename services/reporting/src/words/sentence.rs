//! What a report in the terminal says around its figures.

use super::{Language, message};

/// A sentence, or a heading that no enum of the API stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sentence {
    /// `from`, `to`, `complete`: what a report covers.
    Covers,
    /// The last month is under way.
    UnderWay,
    /// The heading over figures.
    Now,
    /// The heading over changes.
    Change,
    /// The heading over small charts.
    Trend,
    /// Percentage points, short.
    Points,
    /// `dimension`: the heading over groups.
    By,
    /// `count`: so many are covered.
    Covered,
    /// `count`, `reason`: so many for a reason.
    Reason,
    /// `count`: groups that are not shown.
    More,
    /// The missing value of a dimension.
    Missing,
    /// Activity is a lower bound.
    LowerBound,
    /// Something was left out.
    Redacted,
    /// The heading over parts of a whole.
    Share,
    /// The heading over first days.
    Start,
    /// The heading over last days.
    End,
    /// Of the customers with the highest billed revenue.
    TopByRevenue,
    /// Of the customers with the most available seats.
    TopBySeats,
    /// The heading before what is wrong.
    Problem,
    /// The heading before figures.
    Figures,
    /// The heading before why it may be so.
    Consider,
    /// The heading before what to do.
    ToTry,
    /// `count`: advice that is not shown.
    MoreAdvice,
    /// Not every customer was looked at.
    AdviceIncomplete,
}

impl Sentence {
    /// Every one.
    pub const ALL: [Self; 24] = [
        Self::Covers,
        Self::UnderWay,
        Self::Now,
        Self::Change,
        Self::Trend,
        Self::Points,
        Self::By,
        Self::Covered,
        Self::Reason,
        Self::More,
        Self::Missing,
        Self::LowerBound,
        Self::Redacted,
        Self::Share,
        Self::Start,
        Self::End,
        Self::TopByRevenue,
        Self::TopBySeats,
        Self::Problem,
        Self::Figures,
        Self::Consider,
        Self::ToTry,
        Self::MoreAdvice,
        Self::AdviceIncomplete,
    ];

    /// The id of its message.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Covers => "report-covers",
            Self::UnderWay => "report-under-way",
            Self::Now => "report-now",
            Self::Change => "report-change",
            Self::Trend => "report-trend",
            Self::Points => "report-points",
            Self::By => "report-by",
            Self::Covered => "report-covered",
            Self::Reason => "report-reason",
            Self::More => "report-more",
            Self::Missing => "report-missing",
            Self::LowerBound => "report-lower-bound",
            Self::Redacted => "report-redacted",
            Self::Share => "report-share",
            Self::Start => "report-start",
            Self::End => "report-end",
            Self::TopByRevenue => "report-top-by-revenue",
            Self::TopBySeats => "report-top-by-seats",
            Self::Problem => "report-problem",
            Self::Figures => "report-figures",
            Self::Consider => "report-consider",
            Self::ToTry => "report-to-try",
            Self::MoreAdvice => "report-more-advice",
            Self::AdviceIncomplete => "report-advice-incomplete",
        }
    }

    /// It in a language, with its values.
    #[must_use]
    pub fn say(self, language: Language, values: &[(&str, &str)]) -> String {
        message(language, self.id(), None, values).unwrap_or_default()
    }
}
