//! Days and months.

use chrono::{Datelike, Days, NaiveDate};

/// A calendar month, counted as year * 12 + month - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(pub i32);

impl Month {
    /// The month of a day.
    pub fn of(day: NaiveDate) -> Self {
        Self(day.year() * 12 + day.month0() as i32)
    }

    /// Reads `YYYY-MM`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 7 {
            return None;
        }
        parse_day(&format!("{text}-01")).map(Self::of)
    }

    /// The first day.
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.0.div_euclid(12), self.0.rem_euclid(12) as u32 + 1, 1)
            .expect("every month has a first day")
    }

    /// The last day.
    pub fn last_day(self) -> NaiveDate {
        self.next().first_day() - Days::new(1)
    }

    /// The month after.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The month before.
    pub fn before(self) -> Self {
        Self(self.0 - 1)
    }

    /// Every month from one to another, both included.
    pub fn range(from: Self, to: Self) -> impl Iterator<Item = Self> {
        (from.0..=to.0).map(Self)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// Reads `YYYY-MM-DD`, strictly.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let digits = |part: &str, n| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// The 28 days that end with `day`.
pub fn window(day: NaiveDate) -> Vec<NaiveDate> {
    (0..28).rev().map(|back| day - Days::new(back)).collect()
}
