//! Amounts of money in millionths of the currency's unit.

use std::fmt;
use std::str::FromStr;

/// Decimals an amount may have.
const DECIMALS: usize = 6;
const MICROS: i64 = 1_000_000;

/// An amount in millionths of its currency's unit; exact, may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

impl Amount {
    /// From millionths.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// In millionths.
    pub const fn micros(self) -> i64 {
        self.0
    }
}

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number.
    #[error("is not a decimal number such as -12.50")]
    NotDecimal,
    /// More than six decimals.
    #[error("has more than 6 decimals")]
    TooPrecise,
    /// Beyond nine trillion.
    #[error("is too large: at most 9,000,000,000,000 either way")]
    TooLarge,
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !numeric(whole) || !numeric(fraction) || whole.is_empty() {
            return Err(AmountError::NotDecimal);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > DECIMALS {
            return Err(AmountError::TooPrecise);
        }
        let whole: i64 = whole.parse().map_err(|_| AmountError::TooLarge)?;
        if whole > 9_000_000_000_000 {
            return Err(AmountError::TooLarge);
        }
        let fraction: i64 = format!("{fraction:0<DECIMALS$}").parse().map_err(|_| AmountError::NotDecimal)?;
        let micros =
            whole.checked_mul(MICROS).and_then(|micros| micros.checked_add(fraction)).ok_or(AmountError::TooLarge)?;
        Ok(Self(if negative { -micros } else { micros }))
    }
}

impl fmt::Display for Amount {
    /// Two decimals, more where they are not zero: `12.50`, `-0.125`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let fraction = format!("{:06}", micros % MICROS.unsigned_abs());
        let shown = fraction.trim_end_matches('0').len().max(2);
        write!(formatter, "{sign}{}.{}", micros / MICROS.unsigned_abs(), &fraction[..shown])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, shown) in
            [("12.5", "12.50"), ("-0.125", "-0.125"), ("7", "7.00"), ("+1.1234560", "1.123456"), ("-0", "0.00")]
        {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), shown);
        }
        assert_eq!(Amount::from_micros(1_500_000).micros(), 1_500_000);
        assert_eq!("9000000000000".parse::<Amount>().unwrap().to_string(), "9000000000000.00");
    }

    #[test]
    fn what_is_no_amount_says_why() {
        for text in ["", "-", "1e3", "1,5", ".5", "NaN", "0x1", "1.-5"] {
            assert_eq!(text.parse::<Amount>(), Err(AmountError::NotDecimal), "{text}");
        }
        assert_eq!("0.1234567".parse::<Amount>(), Err(AmountError::TooPrecise));
        assert_eq!("9000000000001".parse::<Amount>(), Err(AmountError::TooLarge));
        assert_eq!("99999999999999999999".parse::<Amount>(), Err(AmountError::TooLarge));
    }
}
