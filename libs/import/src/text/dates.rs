//! Dates as files spell them, and which of day and month comes first where the spelling leaves it open.

use insights_domain::calendar::{Day, Month};

use crate::reader::DateOrder;
use crate::text::values::{ValueFault, stands_for_nothing};

/// What a date says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dated {
    /// A day.
    On(Day),
    /// It stands for no day: without end, never, not known.
    Never,
}

/// Years of dates that are dates. No service that is imported is older; what systems write for "without end" and "never" lies
/// outside: 9999, 2200; 0001, 1601, 1753, 1899-12-30, 1900-01-00, 1970-01-01.
const YEARS: std::ops::Range<u32> = 1990..2200;
/// Days from 1899-12-30, from which spreadsheets count, to 1970-01-01.
const SPREADSHEET_EPOCH: i64 = 25_569;
const SECONDS_PER_DAY: i64 = 86_400;

/// A date as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    YearMonthDay(u32, u32, u32),
    /// Day and month, either first, and the year.
    Open(u32, u32, u32),
    /// Days from 1970-01-01.
    Counted(i64),
}

/// A date of a file: `2024-03-01`, `2024/3/1`, `20240301`, `3/1/2024`, `1.3.2024`, each with or without a time; the number that a
/// spreadsheet counts days with; `/Date(1709251200000)/`. Blanks around or inside it are a fault: they are the mark of a row that
/// was damaged on its way.
pub(crate) fn date(text: &str, order: Option<DateOrder>) -> Result<Dated, ValueFault> {
    let fault = || format!("\"{text}\" is not a date: write it as YYYY-MM-DD, without blanks");
    if stands_for_nothing(text) {
        return Ok(Dated::Never);
    }
    let read = match written(text).ok_or_else(fault)? {
        Written::YearMonthDay(year, month, day) => ymd(year, month, day),
        Written::Open(first, second, year) => match order {
            _ if !YEARS.contains(&year) => ymd(year, first.min(second), first.max(second)),
            Some(DateOrder::DayFirst) => ymd(year, second, first),
            Some(DateOrder::MonthFirst) => ymd(year, first, second),
            None if first == second => ymd(year, first, second),
            None => return Err(format!("\"{text}\" leaves open which of its numbers is the day")),
        },
        Written::Counted(days) => counted(days),
    };
    read.ok_or_else(fault)
}

/// A date by itself, where it tells its own order.
pub(crate) fn lone_day(text: &str) -> Option<Day> {
    let mut proof = DateProof::default();
    proof.look(1, text, false);
    day(text, proof.order(None).ok()?).ok()
}

/// A date that a row cannot do without.
pub(crate) fn day(text: &str, order: Option<DateOrder>) -> Result<Day, ValueFault> {
    match date(text, order)? {
        Dated::On(day) => Ok(day),
        Dated::Never => Err(format!("\"{text}\" stands for no day")),
    }
}

fn ymd(year: u32, month: u32, day: u32) -> Option<Dated> {
    if YEARS.contains(&year) {
        return Day::from_ymd(i32::try_from(year).ok()?, month, day).map(Dated::On);
    }
    (month <= 12 && day <= 31).then_some(Dated::Never)
}

fn counted(days: i64) -> Option<Dated> {
    let first = Day::from_ymd(1990, 1, 1)?.epoch_days();
    let day = i32::try_from(days).ok().filter(|days| *days >= first).and_then(Day::from_epoch_days);
    Some(day.map_or(Dated::Never, Dated::On))
}

/// What the numbers of one date tell: no month is above 12, and day 0 is what a spreadsheet shows for nothing.
fn told_by(first: u32, second: u32) -> Option<DateOrder> {
    match (first, second) {
        (13..=31 | 0, 1..=12) => Some(DateOrder::DayFirst),
        (1..=12, 13..=31 | 0) => Some(DateOrder::MonthFirst),
        _ => None,
    }
}

fn written(text: &str) -> Option<Written> {
    if let Some(milliseconds) = of_javascript(text) {
        return Some(Written::Counted(milliseconds.div_euclid(1_000 * SECONDS_PER_DAY)));
    }
    let date = without_time(text);
    if date.contains(|c: char| c.is_ascii_alphabetic()) {
        return with_month_name(date);
    }
    let separator = date.chars().find(|c| !c.is_ascii_digit());
    match separator {
        None if date.len() == 8 => {
            let number = |from, to| date.get(from..to)?.parse().ok();
            Some(Written::YearMonthDay(number(0, 4)?, number(4, 6)?, number(6, 8)?))
        }
        Some(separator @ ('/' | '-' | '.')) if date.matches(separator).count() == 2 => {
            let mut numbers = [(0, 0); 3];
            for (number, part) in numbers.iter_mut().zip(date.split(separator)) {
                let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                *number = (part.len(), plain.then(|| part.parse().ok()).flatten()?);
            }
            match numbers {
                [(4, year), (2, month), (2, day)] => Some(Written::YearMonthDay(year, month, day)),
                // In ISO dates a missing digit is the mark of damage.
                [(4, year), (1..=2, month), (1..=2, day)] if separator != '-' => {
                    Some(Written::YearMonthDay(year, month, day))
                }
                [(1..=2, first), (1..=2, second), (4, year)] => Some(Written::Open(first, second, year)),
                _ => None,
            }
        }
        None | Some('.') if date == text => of_spreadsheet(date),
        _ => None,
    }
}

/// Names of months in English, in their order. Three letters are enough.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The number of the month that a word names.
fn month_of_name(word: &str) -> Option<u32> {
    let word = word.to_ascii_lowercase();
    let names = |name: &&str| word == **name || word == name[..3] || word == "sept" && name.starts_with("sept");
    (1..).zip(&MONTHS).find(|(_, name)| names(name)).map(|(number, _)| number)
}

/// `1 Mar 2026`, `01-March-2026` or `Mar 1, 2026`: the year has four digits, else it may be the day.
fn with_month_name(date: &str) -> Option<Written> {
    let parts: Vec<&str> = date.split([' ', '-', '/', '.', ',']).filter(|part| !part.is_empty()).collect();
    let [first, second, year] = parts[..] else { return None };
    let (day, month) = match month_of_name(second) {
        Some(month) => (first, month),
        None => (second, month_of_name(first)?),
    };
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = plain(day) && plain(year) && day.len() <= 2 && year.len() == 4 && date.trim() == date;
    whole.then(|| Some(Written::YearMonthDay(year.parse().ok()?, month, day.parse().ok()?))).flatten()
}

/// A month without a day, in spellings that have one reading: `03/2026`, `2026/3`, `202603`, `Mar 2026`.
pub(crate) fn month_alone(text: &str) -> Option<Month> {
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (year, month) = match text.split_once(['/', '.', '-', ' ']) {
        None if text.len() == 6 && numeric(text) => (&text[..4], text[4..].parse().ok()?),
        Some((year, month)) if year.len() == 4 && (1..=2).contains(&month.len()) && numeric(month) => {
            (year, month.parse().ok()?)
        }
        Some((month, year)) if year.len() == 4 && (1..=2).contains(&month.len()) && numeric(month) => {
            (year, month.parse().ok()?)
        }
        Some((month, year)) if year.len() == 4 => (year, month_of_name(month)?),
        _ => return None,
    };
    let year: u32 = Some(year).filter(|year| numeric(year))?.parse().ok()?;
    Some(year).filter(|year| YEARS.contains(year))?;
    Day::from_ymd(i32::try_from(year).ok()?, month, 1).map(Day::month)
}

/// The days that a spreadsheet counts, as it writes them where a column has no form: 0, or a day from 1990 to 2099, or the last of
/// 9999.
fn of_spreadsheet(text: &str) -> Option<Written> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let days: i64 = if plain(whole) && plain(fraction) { whole.parse().ok()? } else { return None };
    matches!(days, 0 | 32_874..=73_050 | 2_958_465).then(|| Written::Counted(days - SPREADSHEET_EPOCH))
}

/// `/Date(1709251200000)/`, as older serialisers write a time: milliseconds from 1970-01-01, perhaps with an offset.
fn of_javascript(text: &str) -> Option<i64> {
    let number = text.trim_matches('/').strip_prefix("Date(")?.strip_suffix(')')?;
    let offset = number.rfind(['+', '-']).filter(|at| *at > 0).unwrap_or(number.len());
    number[..offset].parse().ok()
}

/// The date before a time of day.
pub(crate) fn without_time(text: &str) -> &str {
    let time = |(at, _): &(usize, &str)| is_time(text[*at..].trim_start_matches(BETWEEN));
    text.match_indices(BETWEEN).find(time).map_or(text, |(at, _)| &text[..at])
}

/// What stands between a date and its time; some write a narrow blank before AM and PM.
const BETWEEN: [char; 4] = ['T', 't', ' ', '\u{202f}'];

/// `12:00:00`, with fractions, ` AM`, ` PM` or ` a. m.`, and an offset or zone (`.5Z`, `+02:00`, ` +00:00`, ` UTC`); no other blank.
fn is_time(text: &str) -> bool {
    let upper = text.to_ascii_uppercase().replace(['\u{202f}', '\u{a0}'], " ");
    let zone = [" UTC", " GMT", " Z"].iter().find_map(|zone| upper.strip_suffix(zone)).unwrap_or(&upper);
    let (before, offset) = zone.rsplit_once(' ').unwrap_or((zone, ""));
    let time = if offset.starts_with(['+', '-']) && is_clock(&offset[1..]) { before } else { zone };
    let time = HALVES.iter().find_map(|half| time.strip_suffix(half)).unwrap_or(time);
    time.contains(':') && is_clock(time)
}

/// What tells the halves of a day, the longest first.
const HALVES: [&str; 8] = [" A. M.", " P. M.", " A.M.", " P.M.", " AM", " PM", "AM", "PM"];

fn is_clock(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '+' | '-' | 'Z'))
}

/// What a file tells about the order of its dates, from all that it has.
#[derive(Debug, Default)]
pub(crate) struct DateProof {
    /// The first date that tells, by what it tells.
    day_first: Option<(u64, String)>,
    month_first: Option<(u64, String)>,
    /// The first that may be read either way.
    open: Option<(u64, String)>,
}

impl DateProof {
    /// Looks at a field that may be a date. `of_month`: it is the first day of a month.
    pub(crate) fn look(&mut self, row: u64, text: &str, of_month: bool) {
        let Some(Written::Open(first, second, year)) = written(text.trim()) else { return };
        let place = match (told_by(first, second), first, second) {
            (Some(DateOrder::DayFirst), ..) => &mut self.day_first,
            (Some(DateOrder::MonthFirst), ..) => &mut self.month_first,
            (None, first, second) if first == second || first.max(second) > 12 || !YEARS.contains(&year) => return,
            (None, 1, _) if of_month => &mut self.day_first,
            (None, _, 1) if of_month => &mut self.month_first,
            (None, ..) => &mut self.open,
        };
        place.get_or_insert_with(|| (row, text.trim().to_owned()));
    }

    /// The order that the file tells, or that was `said`; none where every date reads one way. The fault is that of the whole file.
    pub(crate) fn order(self, said: Option<DateOrder>) -> Result<Option<DateOrder>, String> {
        let quoted = |(row, text): &(u64, String)| format!("\"{text}\" on row {row}");
        match (&self.day_first, &self.month_first) {
            (Some(one), Some(other)) => Err(format!(
                "the dates of the file contradict each other: {} has the day first, {} the month; write them as YYYY-MM-DD",
                quoted(one),
                quoted(other)
            )),
            (Some(proof), None) => proved(DateOrder::DayFirst, said, &quoted(proof)),
            (None, Some(proof)) => proved(DateOrder::MonthFirst, said, &quoted(proof)),
            (None, None) => match (said, &self.open) {
                (None, Some(open)) => Err(format!(
                    "whether the day or the month comes first in the dates of the file, such as {}, nothing in it tells: \
                     say so with --dates dmy (day first) or --dates mdy (month first)",
                    quoted(open)
                )),
                _ => Ok(said),
            },
        }
    }
}

fn proved(order: DateOrder, said: Option<DateOrder>, proof: &str) -> Result<Option<DateOrder>, String> {
    match said.filter(|said| *said != order) {
        Some(said) => {
            let (said, order) = (said.name(), order.name());
            Err(format!(
                "--dates {said} contradicts the file: {proof} can only be read as {order}; leave --dates out for this file"
            ))
        }
        None => Ok(Some(order)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Dated, ValueFault> {
        date(text, order(&[text], None)?)
    }

    #[test]
    fn dates_come_in_many_spellings_and_never_with_stray_blanks() {
        let day = Dated::On(Day::from_ymd(2024, 3, 21).unwrap());
        for good in [
            "2024-03-21",
            "2024-03-21T00:00:00",
            "2024-03-21T08:15:00.5+02:00",
            "2024-03-21t00:00:00.0000000z",
            "2024-03-21 00:00:00.000",
            "2024-03-21 00:00:00 UTC",
            "2024-03-21 00:00:00 +00:00",
            "2024-03-21 00:00",
            "2024/3/21",
            "2024/03/21 0:00",
            "2024.03.21",
            "20240321",
            "3/21/2024",
            "03/21/2024 12:00:00 AM",
            "3/21/2024 12:00:00\u{202f}AM",
            "3/21/2024 12:00:00 am +00:00",
            "21/03/2024",
            "21.03.2024 00:00",
            "21-03-2024",
            "45372",
            "45372.5",
            "/Date(1710979200000)/",
            "/Date(1711029600000+0200)/",
            "Date(1710979200000)",
            "21-Mar-2024",
            "21 March 2024 00:00",
            "March 21, 2024",
            "Mar 21 2024 12:00:00 AM",
            "21/03/2024 12:00:00 a. m.",
            "21/03/2024 12:00:00\u{a0}p.\u{a0}m.",
        ] {
            assert_eq!(read(good), Ok(day), "{good}");
        }
        for bad in [
            "2024-03-21 ",
            " 2024-03-21",
            "2024- 03-21",
            "2024-3-21",
            "3/2024",
            "13/14/2024",
            "3/4/2024",
            "2024-02-30",
            "",
            "3/21/24",
            "2015-11-25T06: 41: 12Z",
            "2015-11-25T06:41:12Z ",
            "12345",
            "202403",
            "45372.x",
            "3/21-2024",
            "/Date(x)/",
            "soon",
            "21-Mar-24",
            "21 Mrz 2024",
            "32 Mar 2024",
            " 21 Mar 2024",
            "Mar 2024",
            "Mar Mar 2024",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_month_alone_has_one_reading() {
        let month = "2026-03".parse().ok();
        for good in ["03/2026", "3/2026", "2026/03", "2026-3", "03.2026", "202603", "Mar 2026", "March-2026"] {
            assert_eq!(month_alone(good), month, "{good}");
        }
        for bad in
            ["Mar-26", "13/2026", "03/26", "2026-W10", "202613", "1/3/2026", "9999-12", "20260301", "Mrz 2026", ""]
        {
            assert_eq!(month_alone(bad), None, "{bad}");
        }
        assert_eq!(month_of_name("Sept"), Some(9));
    }

    #[test]
    fn what_stands_for_no_day_is_none() {
        for never in [
            "9999-12-31",
            "9999-12-31T23:59:59.9999999Z",
            "12/31/9999 12:00:00 AM",
            "31/12/9999",
            "01/02/9999",
            "2200-01-01",
            "99991231",
            "0001-01-01T00:00:00",
            "1/1/0001 12:00:00 AM",
            "0000-00-00 00:00:00",
            "1601-01-01T00:00:00Z",
            "1753-01-01",
            "1899-12-30",
            "1900-01-00",
            "1/0/1900",
            "1900-01-01",
            "1970-01-01T00:00:00Z",
            "0",
            "2958465",
            "/Date(-62135596800000)/",
            "/Date(253402300799999)/",
            "NULL",
            "N/A",
        ] {
            assert_eq!(read(never), Ok(Dated::Never), "{never}");
            assert!(day(never, None).is_err(), "{never}");
        }
        assert!(matches!(read("1990-01-01"), Ok(Dated::On(_))));
        assert!(matches!(read("2199-12-31"), Ok(Dated::On(_))));
        assert!(read("9999-13-31").is_err());
    }

    fn order(dates: &[&str], said: Option<DateOrder>) -> Result<Option<DateOrder>, String> {
        let mut proof = DateProof::default();
        (1..).zip(dates).for_each(|(row, date)| proof.look(row, date, false));
        proof.order(said)
    }

    #[test]
    fn one_date_tells_the_order_of_all() {
        use DateOrder::{DayFirst, MonthFirst};
        assert_eq!(order(&["05/03/2026", "23/01/2025 00:00", "2026-12-31"], None), Ok(Some(DayFirst)));
        assert_eq!(order(&["05/03/2026", "1/0/1900", "99/99/2026"], None), Ok(Some(MonthFirst)));
        assert_eq!(order(&["12/31/9999"], None), Ok(Some(MonthFirst)));
        assert_eq!(order(&["2026-05-03", "4/4/2026", "01/02/0001", "45000", ""], None), Ok(None));
        assert_eq!(order(&["05/03/2026"], Some(MonthFirst)), Ok(Some(MonthFirst)));
        assert_eq!(date("05/03/2026", Some(DayFirst)), Ok(Dated::On(Day::from_ymd(2026, 3, 5).unwrap())));
        assert_eq!(date("05/03/2026", Some(MonthFirst)), Ok(Dated::On(Day::from_ymd(2026, 5, 3).unwrap())));
        assert!(date("23/01/2026", Some(MonthFirst)).is_err());
        assert!(date("23/01/2026", None).is_err(), "the file decides, never the date");
    }

    #[test]
    fn what_nothing_tells_and_what_contradicts_itself_is_the_fault_of_the_whole_file() {
        let open = order(&["2026-01-31", "05/03/2026"], None).unwrap_err();
        assert!(open.contains("\"05/03/2026\" on row 2") && open.contains("--dates dmy"), "{open}");
        let both = order(&["23/01/2025", "01/23/2025"], Some(DateOrder::DayFirst)).unwrap_err();
        assert!(both.contains("\"23/01/2025\" on row 1") && both.contains("\"01/23/2025\" on row 2"), "{both}");
        let said = order(&["23/01/2025"], Some(DateOrder::MonthFirst)).unwrap_err();
        assert!(said.contains("--dates mdy contradicts") && said.contains("dmy"), "{said}");
    }

    #[test]
    fn a_first_day_of_a_month_tells_the_order() {
        let told = |months: &[&str]| {
            let mut proof = DateProof::default();
            (1..).zip(months).for_each(|(row, month)| proof.look(row, month, true));
            proof.order(None)
        };
        assert_eq!(told(&["1/1/2026", "3/1/2026"]), Ok(Some(DateOrder::MonthFirst)));
        assert_eq!(told(&["01/01/2026", "01/03/2026"]), Ok(Some(DateOrder::DayFirst)));
        assert_eq!(told(&["1/1/2026"]), Ok(None));
        assert!(told(&["3/1/2026", "1/4/2026"]).is_err());
    }
}
