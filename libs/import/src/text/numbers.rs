//! Numbers as files spell them: amounts of money and counts.

use crate::text::values::{ValueFault, stands_for_nothing};

/// Decimals that an amount keeps.
const DECIMALS: i64 = 6;
/// A power of ten beyond this is no amount.
const LARGEST_EXPONENT: i64 = 30;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadAmount {
    /// A plain decimal with at most six decimals.
    pub(crate) text: String,
    /// It had more, and was rounded half to even.
    pub(crate) rounded: bool,
}

/// A decimal number: `0.DIGITS` times ten to the power `point`.
struct Decimal {
    negative: bool,
    digits: String,
    point: i64,
}

/// Which of two readings a lone mark before three digits has, as in `1,234`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lone {
    /// Thousands: the number has no decimals.
    Thousands,
    /// Nobody knows.
    Open,
}

/// An amount of money; empty is none. Reads `1234.5`, `-3`, `1.5E-2`, `1,234.50`, `1.234,50`, `(12.50)` and `$5`. What cannot be read
/// is not quoted: reasons are shown to people who may see no revenue.
pub(crate) fn amount(text: &str) -> Result<Option<ReadAmount>, ValueFault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let fault = || "is not an amount: write it as a decimal number such as 1234.5".to_owned();
    let (negative, bare) = without_sign(text);
    let bare = bare.strip_prefix("US").filter(|rest| rest.starts_with('$')).unwrap_or(bare);
    let (inner, bare) = without_sign(bare.strip_prefix('$').unwrap_or(bare).trim_start());
    let decimal = decimal(bare, Lone::Open).filter(|_| !(negative && inner)).ok_or_else(fault)?;
    let (text, rounded) = Decimal { negative: negative || inner || decimal.negative, ..decimal }.rounded();
    Ok(Some(ReadAmount { text, rounded }))
}

/// An amount in dollars, which some mark as such: `USD 12`, `12 USD`, `5 $`.
pub(crate) fn dollars(text: &str) -> Result<Option<ReadAmount>, ValueFault> {
    let bare = text.trim();
    let code = |part: Option<&str>| part.is_some_and(|part| part.eq_ignore_ascii_case("usd"));
    let end = bare.len().saturating_sub(3);
    let rest = if code(bare.get(..3)) {
        &bare[3..]
    } else if code(bare.get(end..)) {
        &bare[..end]
    } else {
        bare.strip_suffix('$').unwrap_or(bare)
    };
    amount(if rest.trim().is_empty() { bare } else { rest })
}

/// A whole number that cannot be negative; empty, or a word for it, is none. Reads `25`, `25.0`, `1,234` and `1E+06`.
pub(crate) fn count(text: &str, what: &str) -> Result<Option<i64>, ValueFault> {
    let text = text.trim();
    if text.is_empty() || stands_for_nothing(text) {
        return Ok(None);
    }
    let fault = || format!("\"{text}\" is not a whole number of {what}");
    let (negative, bare) = without_sign(text);
    // A program that groups thousands with points and one that writes three decimals mean different numbers by `1.000`.
    let groups = |(whole, rest): (&str, &str)| {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        rest.len() == 3 && (1..=3).contains(&whole.len()) && digits(whole) && digits(rest) && !whole.starts_with('0')
    };
    if bare.split_once('.').is_some_and(groups) {
        return Err(format!("\"{text}\" may be thousands of {what} or have decimals: write it without a point"));
    }
    let count = decimal(bare, Lone::Thousands).and_then(|decimal| decimal.whole()).ok_or_else(fault)?;
    if negative && count != 0 {
        return Err(format!("{text} {what} cannot be: a stock of {what} is 0 or more"));
    }
    Ok(Some(count))
}

/// Whether a number is below zero, and the rest: a sign before or after it, or parentheses around it.
fn without_sign(text: &str) -> (bool, &str) {
    if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return (true, inner.trim());
    }
    const MINUS: [char; 2] = ['-', '\u{2212}'];
    match text.strip_prefix(MINUS).or_else(|| text.strip_suffix(MINUS)) {
        Some(rest) => (true, rest.trim()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn decimal(text: &str, lone: Lone) -> Option<Decimal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = parts(mantissa, lone)?;
    let digits = format!("{whole}{fraction}");
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || exponent > LARGEST_EXPONENT {
        return None;
    }
    let point = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
    Some(Decimal { negative: false, digits, point })
}

/// What only ever groups thousands.
const GROUPING: [char; 7] = [' ', '\u{a0}', '\u{2007}', '\u{2009}', '\u{202f}', '\'', '\u{2019}'];

/// The digits before and after the decimal mark, without what groups thousands; none where the marks have two readings, or none.
fn parts(text: &str, lone: Lone) -> Option<(String, String)> {
    let (commas, points) = (text.matches(',').count(), text.matches('.').count());
    let grouped = text.contains(GROUPING);
    let last = text.rfind([',', '.']);
    let decimal_at = match (commas, points) {
        (0, 0) => None,
        (0, 1) => last,
        (1, 0) if grouped => last,
        (1, 0) => {
            let (before, after) = text.split_once(',')?;
            let may_group = after.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0');
            match lone {
                _ if !may_group => last,
                Lone::Thousands => None,
                Lone::Open => return None,
            }
        }
        (0, _) | (_, 0) => None,
        // Both: the last one is the decimal mark, and there is one of it.
        _ if last.is_some_and(|at| text.matches(&text[at..=at]).count() == 1) => last,
        _ => return None,
    };
    let (whole, fraction) = decimal_at.map_or((text, ""), |at| (&text[..at], &text[at + 1..]));
    let is_mark = |c: char| matches!(c, ',' | '.') || GROUPING.contains(&c);
    if !whole.contains(is_mark) {
        return Some((whole.to_owned(), fraction.to_owned()));
    }
    let mut marks = whole.chars().filter(|c| is_mark(*c));
    let mark = marks.next()?;
    let groups: Vec<&str> = whole.split(mark).collect();
    let thousands = || (1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3);
    let even = marks.all(|other| other == mark) && (thousands() || mark == ',' && are_lakhs(&groups));
    even.then(|| (groups.concat(), fraction.to_owned()))
}

/// Whether digits are grouped as in India: `1,23,45,678`.
fn are_lakhs(groups: &[&str]) -> bool {
    let [first, hundreds @ .., last] = groups else { return false };
    !hundreds.is_empty()
        && (1..=2).contains(&first.len())
        && hundreds.iter().all(|group| group.len() == 2)
        && last.len() == 3
}

impl Decimal {
    /// With at most six decimals, rounded half to even where it had more.
    fn rounded(mut self) -> (String, bool) {
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        let kept = self.point.saturating_add(DECIMALS);
        let mut rounded = false;
        if kept < 0 {
            rounded = self.digits.bytes().any(|byte| byte != b'0');
            self.digits.clear();
        } else if kept < length {
            let rest = self.digits.split_off(usize::try_from(kept).unwrap_or_default());
            rounded = rest.bytes().any(|byte| byte != b'0');
            let beyond_half = rest[1..].bytes().any(|byte| byte != b'0');
            let odd = self.digits.bytes().last().is_some_and(|byte| byte % 2 == 1);
            if rest.as_bytes()[0] > b'5' || rest.starts_with('5') && (beyond_half || odd) {
                self.digits = plus_one(&self.digits);
            }
        } else {
            let zeros = usize::try_from(kept - length).unwrap_or_default();
            self.digits.push_str(&"0".repeat(zeros));
        }
        // Now a number of millionths.
        let decimals = usize::try_from(DECIMALS).unwrap_or_default();
        let padded = format!("{:0>width$}", self.digits, width = decimals + 1);
        let (whole, fraction) = padded.split_at(padded.len() - decimals);
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let sign = if self.negative && !(whole.is_empty() && fraction.is_empty()) { "-" } else { "" };
        let whole = if whole.is_empty() { "0" } else { whole };
        let point = if fraction.is_empty() { "" } else { "." };
        (format!("{sign}{whole}{point}{fraction}"), rounded)
    }

    /// The whole number it is, if it is one.
    fn whole(self) -> Option<i64> {
        let point = usize::try_from(self.point).unwrap_or_default();
        let (whole, fraction) = self.digits.split_at(point.min(self.digits.len()));
        let zeros = point - whole.len();
        let whole_number = fraction.bytes().all(|byte| byte == b'0');
        format!("0{whole}{}", "0".repeat(zeros)).parse().ok().filter(|_| whole_number)
    }
}

/// A row of digits, one greater.
fn plus_one(digits: &str) -> String {
    let nines = digits.len() - digits.trim_end_matches('9').len();
    let (before, _) = digits.split_at(digits.len() - nines);
    let zeros = "0".repeat(nines);
    match before.as_bytes().split_last() {
        Some((last, _)) => format!("{}{}{zeros}", &before[..before.len() - 1], char::from(last + 1)),
        None => format!("1{zeros}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_digits() {
        let read = |text: &str| {
            let ReadAmount { text: read, rounded } = amount(text).unwrap().unwrap();
            assert!(!rounded, "{text}");
            read
        };
        for (text, expected) in [
            ("1234.50", "1234.5"),
            ("-0.000001", "-0.000001"),
            ("12345678901234567890.12", "12345678901234567890.12"),
            ("1.5E-2", "0.015"),
            ("1.5e3", "1500"),
            ("1E+02", "100"),
            ("-0", "0"),
            ("007", "7"),
            (".5", "0.5"),
            ("1,234.50", "1234.5"),
            ("1.234,50", "1234.5"),
            ("1,234,567", "1234567"),
            ("1.234.567", "1234567"),
            ("1 234 567,5", "1234567.5"),
            ("1\u{a0}234.5", "1234.5"),
            ("1'234.50", "1234.5"),
            ("1,5", "1.5"),
            ("0,234", "0.234"),
            ("1234,567", "1234.567"),
            ("(12.50)", "-12.5"),
            ("12.50-", "-12.5"),
            ("\u{2212}3", "-3"),
            ("$5", "5"),
            ("-$1,234.5", "-1234.5"),
            ("($1,234.5)", "-1234.5"),
            ("1\u{2009}234,5", "1234.5"),
            ("1,23,456", "123456"),
            ("12,34,56,789.5", "123456789.5"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(amount("  "), Ok(None));
        for bad in ["1,234", "1,2,345", "12,34.5", "1.2.3", "€5", "abc", "-", "1e99", ".", "NaN", "--5", "1 23", "5%"]
        {
            assert!(amount(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn more_decimals_than_are_kept_are_rounded_half_to_even() {
        for (text, expected) in [
            ("303.91425424266254", "303.914254"),
            ("3.7281308323144897e-06", "0.000004"),
            ("104.39999999999999", "104.4"),
            ("0.0000005", "0"),
            ("0.0000015", "0.000002"),
            ("0.0000025", "0.000002"),
            ("0.00000250000001", "0.000003"),
            ("-0.9999999", "-1"),
            ("-1e-40", "0"),
            ("1e-99999999999", "0"),
            ("9.9999995e3", "9999.9995"),
            ("99.9999995", "100"),
        ] {
            let read = amount(text).unwrap().unwrap();
            assert_eq!(read.text, expected, "{text}");
            assert_eq!(read.rounded, text != "9.9999995e3", "{text}");
        }
    }

    #[test]
    fn a_column_of_dollars_may_say_so_in_every_row() {
        let read = |text: &str| dollars(text).map(|amount| amount.map(|amount| amount.text));
        for (text, expected) in [
            ("USD 12", "12"),
            ("12.5 usd", "12.5"),
            ("USD -5", "-5"),
            ("5 $", "5"),
            ("$5", "5"),
            ("US$ 7", "7"),
            ("7", "7"),
        ] {
            assert_eq!(read(text), Ok(Some(expected.to_owned())), "{text}");
        }
        assert_eq!(read(""), Ok(None));
        for bad in ["EUR 12", "USD", "12 USDT", "€5", "é"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_are_whole_and_not_negative() {
        let read = |text: &str| count(text, "seats");
        for (text, expected) in [
            ("25", 25),
            ("25.0", 25),
            ("25,00", 25),
            ("1,000", 1_000),
            ("1,234,567", 1_234_567),
            ("1E+06", 1_000_000),
            ("1,23,456", 123_456),
            ("1\u{2009}000", 1_000),
            ("0", 0),
        ] {
            assert_eq!(read(text), Ok(Some(expected)), "{text}");
        }
        for none in ["", "NULL", "N/A", "-"] {
            assert_eq!(read(none), Ok(None), "{none}");
        }
        for bad in ["-1", "2.5", "many", "--5", "1.000", "1.234", "1e-1", "99999999999999999999", "1E+30"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
