//! Days, months, snapshot days and the 28-day window, in calendar days of the partner's time zone.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;

/// Length of the activity window in days.
pub const WINDOW_DAYS: i32 = 28;

/// A calendar day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// A calendar month, as year × 12 + month − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

/// Why a text is not a day or a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not `YYYY-MM-DD`, or no such day.
    #[error("is not a day as YYYY-MM-DD from 1900-01-01 to 2199-12-31")]
    Day,
    /// Not `YYYY-MM`, or no such month.
    #[error("is not a month as YYYY-MM from 1900-01 to 2199-12")]
    Month,
}

/// Years that are taken for data; what lies outside is a mistake in the source.
const YEARS: std::ops::Range<i32> = 1900..2200;

/// 0001-01-01 to 1970-01-01 in days: chrono counts from the former.
const EPOCH_FROM_CE: i32 = 719_163;

impl Day {
    /// From days since 1970-01-01; `None` outside 1900 to 2199.
    pub fn from_epoch_days(days: i32) -> Option<Self> {
        let date = NaiveDate::from_num_days_from_ce_opt(days.checked_add(EPOCH_FROM_CE)?)?;
        YEARS.contains(&date.year()).then_some(Self(days))
    }

    /// From year, month 1–12 and day of the month; `None` when there is no such day.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        YEARS.contains(&year).then(|| Self(date.num_days_from_ce() - EPOCH_FROM_CE))
    }

    /// The day on which `instant` falls in `zone`.
    pub fn of_instant(instant: DateTime<Utc>, zone: Tz) -> Self {
        Self(instant.with_timezone(&zone).date_naive().num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// Whether a text is a date as sources write one for none: of a year before 1900 or after 2199, such as 9999-12-31 or
    /// 0001-01-01.
    pub fn is_never(text: &str) -> bool {
        numbers(text, [4, 2, 2]).is_some_and(|[year, month, day]| !YEARS.contains(&year) && month <= 12 && day <= 31)
    }

    /// Days since 1970-01-01.
    pub const fn epoch_days(self) -> i32 {
        self.0
    }

    /// `days` later, or earlier when negative.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// The month it falls in.
    pub fn month(self) -> Month {
        let date = self.date();
        Month(date.year() * 12 + date.month0().cast_signed())
    }

    /// Day of the month, from 1.
    pub fn day_of_month(self) -> u32 {
        self.date().day()
    }

    fn date(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.0 + EPOCH_FROM_CE).unwrap_or(NaiveDate::MIN)
    }
}

impl Month {
    /// From year × 12 + month − 1; `None` outside 1900 to 2199.
    pub fn from_index(index: i32) -> Option<Self> {
        YEARS.contains(&index.div_euclid(12)).then_some(Self(index))
    }

    /// Year × 12 + month − 1.
    pub const fn index(self) -> i32 {
        self.0
    }

    /// `months` later, or earlier when negative.
    #[must_use]
    pub const fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    /// The month before.
    #[must_use]
    pub const fn previous(self) -> Self {
        self.plus(-1)
    }

    /// Its first day.
    pub fn first_day(self) -> Day {
        let (year, month) = (self.0.div_euclid(12), self.0.rem_euclid(12).cast_unsigned() + 1);
        let date = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(NaiveDate::MIN);
        Day(date.num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// Its last day.
    pub fn last_day(self) -> Day {
        self.plus(1).first_day().plus(-1)
    }

    /// The day its figures are taken on: its last, or `complete_through` when that comes first.
    pub fn snapshot_day(self, complete_through: Day) -> Day {
        self.last_day().min(complete_through)
    }
}

impl FromStr for Day {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let [year, month, day] = numbers(text, [4, 2, 2]).ok_or(CalendarError::Day)?;
        Self::from_ymd(year, month.cast_unsigned(), day.cast_unsigned()).ok_or(CalendarError::Day)
    }
}

impl FromStr for Month {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let [year, month] = numbers(text, [4, 2]).ok_or(CalendarError::Month)?;
        if !(1..=12).contains(&month) {
            return Err(CalendarError::Month);
        }
        Self::from_index(year * 12 + month - 1).ok_or(CalendarError::Month)
    }
}

/// Numbers of exactly the given widths, joined by `-`.
fn numbers<const N: usize>(text: &str, widths: [usize; N]) -> Option<[i32; N]> {
    let mut parts = text.split('-');
    let mut values = [0; N];
    for (value, width) in values.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *value = part.parse().ok()?;
    }
    parts.next().is_none().then_some(values)
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.date().format("%Y-%m-%d"))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// The 28 days up to and including a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    first: Day,
}

/// Days of one window as bits: bit 0 is its first day, bit 27 its last.
pub type WindowDays = u32;

impl Window {
    /// The window that ends with `last`.
    pub const fn ending(last: Day) -> Self {
        Self { first: last.plus(1 - WINDOW_DAYS) }
    }

    /// Its first day.
    pub const fn first(self) -> Day {
        self.first
    }

    /// Its last day.
    pub const fn last(self) -> Day {
        self.first.plus(WINDOW_DAYS - 1)
    }

    /// The days of a month's mask (bit 0 = day 1) that fall into the window.
    pub fn cut(self, month: Month, days: u32) -> WindowDays {
        let offset = month.first_day().epoch_days() - self.first.epoch_days();
        let days = u64::from(days);
        let shifted = match u32::try_from(offset) {
            Ok(later) => days.checked_shl(later).unwrap_or(0),
            Err(_) => days.checked_shr(offset.unsigned_abs()).unwrap_or(0),
        };
        (shifted & Self::ALL) as WindowDays
    }

    /// The days of the window from `from` until (not including) `to`, or without end.
    pub fn between(self, from: Day, to: Option<Day>) -> WindowDays {
        let position = |day: Day| (day.epoch_days() - self.first.epoch_days()).clamp(0, WINDOW_DAYS).cast_unsigned();
        let start = position(from);
        let end = to.map_or(WINDOW_DAYS.cast_unsigned(), position);
        let below = |count: u32| (1_u64 << count) - 1;
        (below(end) & !below(start)) as WindowDays
    }

    const ALL: u64 = (1 << WINDOW_DAYS) - 1;
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
