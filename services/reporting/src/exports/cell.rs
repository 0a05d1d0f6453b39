//! Values of cells and their types.

use insights_domain::amount::Amount;

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellType {
    /// Text.
    Text,
    /// A count.
    Count,
    /// A percentage on the 0 to 100 scale.
    Percent,
    /// An amount of money, exact to six decimals.
    Amount,
    /// Yes or no.
    Flag,
}

/// Value of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CellValue<'a> {
    /// No value.
    Null,
    /// Text from a source; untrusted.
    Text(&'a str),
    /// A count.
    Count(i64),
    /// A percentage.
    Percent(f64),
    /// An amount.
    Amount(Amount),
    /// Yes or no.
    Flag(bool),
}

impl<'a> CellValue<'a> {
    /// An amount from its decimal digits, which may be a sum larger than any imported amount.
    pub fn amount(digits: &'a str) -> Self {
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let micros = format!("{whole}{decimals:0<6}").parse();
        micros.map_or(Self::Text(digits), |micros| Self::Amount(Amount::from_micros(micros)))
    }

    /// Appends the value as plain text, nothing for no value.
    pub fn write(self, out: &mut Vec<u8>) {
        use std::io::Write;
        // Writing to a vector does not fail.
        let _ = match self {
            Self::Null => Ok(()),
            Self::Text(text) => out.write_all(text.as_bytes()),
            Self::Amount(amount) => write!(out, "{amount}"),
            Self::Count(count) => write!(out, "{count}"),
            Self::Percent(value) => write!(out, "{value}"),
            Self::Flag(flag) => out.write_all(if flag { b"true" } else { b"false" }),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_by_their_digits_up_to_the_largest_sum() {
        for micros in [0, 1, -1, 125_000, -12_500_000, 9_000_000_000_000_000_001, i64::MAX, i64::MIN] {
            let amount = Amount::from_micros(micros);
            assert_eq!(CellValue::amount(&amount.to_string()), CellValue::Amount(amount), "{amount}");
        }
    }
}
