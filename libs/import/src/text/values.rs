//! Values as files spell them.

use std::str::FromStr;

use insights_domain::calendar::{Day, Month};

/// Why a value cannot be read.
pub(crate) type ValueFault = String;

/// A date of a downloaded report: `2024-03-01` or `3/1/2024` (month first), each with or without a time.
/// Blanks around or inside it are a fault: they are the mark of a row that was damaged on its way.
pub(crate) fn report_date(text: &str) -> Result<Day, ValueFault> {
    let date = text.find(['T', ' ']).filter(|&at| is_time(&text[at + 1..])).map_or(text, |at| &text[..at]);
    let day = if date.contains('/') { month_first(date) } else { date.parse().ok() };
    day.ok_or_else(|| format!("\"{text}\" is not a date: write it as YYYY-MM-DD, without blanks"))
}

fn month_first(date: &str) -> Option<Day> {
    let mut parts = date.split('/').map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part));
    let (month, day, year) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || month.len() > 2 || day.len() > 2 || year.len() != 4 {
        return None;
    }
    Day::from_ymd(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// `12:00:00`, with fractions and an offset (`.5Z`, `+02:00`) or with ` AM` or ` PM`; no other blank.
fn is_time(text: &str) -> bool {
    let time = text.strip_suffix(" AM").or_else(|| text.strip_suffix(" PM")).unwrap_or(text);
    time.starts_with(|c: char| c.is_ascii_digit())
        && time.contains(':')
        && time.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '+' | '-' | 'Z'))
}

/// A word for yes or no.
pub(crate) fn yes_or_no(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "y" => Some(true),
        "0" | "no" | "false" | "n" => Some(false),
        _ => None,
    }
}

/// A `Month` column: the first day of the month, or `YYYY-MM`.
pub(crate) fn report_month(text: &str) -> Result<Month, ValueFault> {
    if let Ok(month) = text.parse() {
        return Ok(month);
    }
    let day = report_date(text)?;
    if day.day_of_month() != 1 {
        return Err(format!("\"{text}\" is not the first day of a month"));
    }
    Ok(day.month())
}

/// A number of seats that cannot be negative; empty is none.
pub(crate) fn stock(text: &str) -> Result<Option<i64>, ValueFault> {
    count(text, "seats")
}

/// A number of units.
pub(crate) fn units(text: &str) -> Result<Option<i64>, ValueFault> {
    count(text, "units")
}

/// A number of users.
pub(crate) fn users(text: &str) -> Result<Option<i64>, ValueFault> {
    count(text, "users")
}

fn count(text: &str, what: &str) -> Result<Option<i64>, ValueFault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let whole_is_number = !whole.trim_start_matches('-').is_empty() && fraction.bytes().all(|byte| byte == b'0');
    match whole.parse::<i64>() {
        Ok(count) if count < 0 => Err(format!("{text} {what} cannot be: a stock of {what} is 0 or more")),
        Ok(count) if whole_is_number => Ok(Some(count)),
        _ => Err(format!("\"{text}\" is not a whole number of {what}")),
    }
}

/// An amount of money as a plain decimal string; empty is none. Reads `1234.5`, `-3`, `1.5E-2`, exactly. What cannot be read is not
/// quoted: reasons are shown to people who may see no revenue.
pub(crate) fn amount(text: &str) -> Result<Option<String>, ValueFault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let fault = || "is not an amount: write it as a decimal number such as 1234.5, with at most 6 decimals".to_owned();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| fault())?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) || exponent.abs() > 30 {
        return Err(fault());
    }
    let point = i32::try_from(whole.len()).map_err(|_| fault())? + exponent;
    let (whole, fraction) = if point <= 0 {
        (String::new(), format!("{}{digits}", "0".repeat(point.unsigned_abs() as usize)))
    } else {
        let padded = format!("{digits:0<width$}", width = point.unsigned_abs() as usize);
        let (whole, fraction) = padded.split_at(point.unsigned_abs() as usize);
        (whole.to_owned(), fraction.to_owned())
    };
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 6 {
        return Err(fault());
    }
    let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");
    let point = if fraction.is_empty() { "" } else { "." };
    let zero = whole == "0" && fraction.is_empty();
    Ok(Some(format!("{}{whole}{point}{fraction}", if zero { "" } else { sign })))
}

/// Amounts in several currencies, `EUR 1.5; GBP -2`.
pub(crate) fn amounts(text: &str) -> Result<Vec<(String, String)>, ValueFault> {
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    let read = |part: &str| {
        let (currency, digits) = part.split_once(' ').unwrap_or((part, ""));
        let code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_alphabetic());
        let amount = if code { amount(digits)? } else { None };
        let amount = amount.ok_or_else(|| "is not a currency and an amount, such as EUR 1.5".to_owned())?;
        Ok((currency.to_ascii_uppercase(), amount))
    };
    parts.map(read).collect()
}

/// Who sold something; empty is nobody said.
pub(crate) fn seller(text: &str) -> Result<Option<String>, ValueFault> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" => Ok(None),
        seller @ ("own" | "other" | "direct") => Ok(Some(seller.to_owned())),
        _ => Err(format!("\"{text}\" is not own, other or direct")),
    }
}

/// ISO 3166-1 alpha-2 of a country given as a code or a name.
pub(crate) fn country(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if let Some((_, code)) = OTHER_NAMES.iter().find(|(name, _)| *name == bare) {
        return Some((*code).to_owned());
    }
    let stripped = bare.strip_suffix("sar").unwrap_or(&bare);
    [text.trim(), &bare, stripped, &format!("the{bare}")]
        .into_iter()
        .find_map(|spelling| celes::Country::from_str(spelling).ok())
        .map(|country| country.alpha2.to_owned())
}

/// Names that Partner Center uses and the library does not know; letters only, in lower case.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("boliviaplurinationalstateof", "BO"),
    ("bosniaherzegovina", "BA"),
    ("bruneidarussalam", "BN"),
    ("capeverde", "CV"),
    ("congodrc", "CD"),
    ("cotedivoire", "CI"),
    ("côtedivoire", "CI"),
    ("curacao", "CW"),
    ("curaçao", "CW"),
    ("czechrepublic", "CZ"),
    ("czechia", "CZ"),
    ("hongkongsarchina", "HK"),
    ("iranislamicrepublicof", "IR"),
    ("ivorycoast", "CI"),
    ("korea", "KR"),
    ("korearepublicof", "KR"),
    ("koreasouth", "KR"),
    ("macaosarchina", "MO"),
    ("macausar", "MO"),
    ("macedonia", "MK"),
    ("macedoniafyro", "MK"),
    ("moldovarepublicof", "MD"),
    ("northmacedonia", "MK"),
    ("palestinianauthority", "PS"),
    ("reunion", "RE"),
    ("réunion", "RE"),
    ("stkittsandnevis", "KN"),
    ("stlucia", "LC"),
    ("swaziland", "SZ"),
    ("tanzaniaunitedrepublicof", "TZ"),
    ("turkiye", "TR"),
    ("uk", "GB"),
    ("venezuelabolivarianrepublicof", "VE"),
    ("virginislandsus", "VI"),
    ("vietnam", "VN"),
];

/// Words that only free SKUs have in their names and part numbers.
const FREE: &[&str] = &["free", "viral", "vtrial", "adhoc", "exploratory"];

/// Whether a product's name or part number says that it costs nothing.
pub(crate) fn names_free(name: &str) -> bool {
    name.split(|c: char| !c.is_alphanumeric()).any(|word| FREE.iter().any(|free| word.eq_ignore_ascii_case(free)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_in_three_spellings_and_never_with_stray_blanks() {
        let day = Day::from_ymd(2024, 3, 1).unwrap();
        for good in [
            "2024-03-01",
            "2024-03-01T00:00:00",
            "2024-03-01T08:15:00.5+02:00",
            "2024-03-01T00:00:00Z",
            "2024-03-01 00:00:00.000",
            "3/1/2024",
            "03/01/2024 12:00:00 AM",
        ] {
            assert_eq!(report_date(good), Ok(day), "{good}");
        }
        for bad in [
            "2024-03-01 ",
            " 2024-03-01",
            "2024- 03-01",
            "2024-3-1",
            "1/2024",
            "13/1/2024",
            "2024-02-30",
            "",
            "3/1/0001",
            "2015-11-25T06: 41: 12Z",
            "2015-11-25T06:41:12Z ",
        ] {
            assert!(report_date(bad).is_err(), "{bad}");
        }
        assert_eq!(report_month("2024-03"), Ok(day.month()));
        assert_eq!(report_month("3/1/2024"), Ok(day.month()));
        assert!(report_month("2024-03-02").is_err());
    }

    #[test]
    fn amounts_keep_their_digits() {
        let read = |text: &str| amount(text).unwrap().unwrap();
        assert_eq!(read("1234.50"), "1234.5");
        assert_eq!(read("-0.000001"), "-0.000001");
        assert_eq!(read("12345678901234567890.12"), "12345678901234567890.12");
        assert_eq!(read("1.5E-2"), "0.015");
        assert_eq!(read("1.5e3"), "1500");
        assert_eq!(read("-0"), "0");
        assert_eq!(read("007"), "7");
        assert_eq!(amount("  "), Ok(None));
        for bad in ["1,5", "$5", "0.0000001", "abc", "-", "1e99", ".", "NaN"] {
            assert!(amount(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn amounts_of_several_currencies_stand_one_after_the_other() {
        let read = |text: &str| amounts(text).unwrap();
        assert_eq!(read(" "), []);
        assert_eq!(read("EUR 1.50; gbp -2"), [("EUR".into(), "1.5".into()), ("GBP".into(), "-2".into())]);
        for bad in ["1.5", "EUR", "EURO 1", "EUR x", "EUR1", "EUR 1; 2"] {
            assert!(amounts(bad).is_err(), "{bad}");
        }
        assert_eq!(seller("Own"), Ok(Some("own".into())));
        assert_eq!(seller(""), Ok(None));
        assert!(seller("somebody").is_err());
    }

    #[test]
    fn stocks_are_whole_and_not_negative() {
        assert_eq!(stock("25"), Ok(Some(25)));
        assert_eq!(stock("25.0"), Ok(Some(25)));
        assert_eq!(stock(""), Ok(None));
        for bad in ["-1", "2.5", "many", "-", "1,000", "99999999999999999999"] {
            assert!(stock(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn countries_come_as_names_and_codes() {
        let wrong: Vec<_> = [
            ("US", "US"),
            ("usa", "US"),
            ("United States", "US"),
            ("United Kingdom", "GB"),
            ("Brazil", "BR"),
            ("Korea", "KR"),
            ("South Korea", "KR"),
            ("Czech Republic", "CZ"),
            ("Hong Kong SAR", "HK"),
            ("Viet Nam", "VN"),
            ("The Netherlands", "NL"),
            ("Netherlands", "NL"),
            ("Russia", "RU"),
            ("Türkiye", "TR"),
            ("Turkey", "TR"),
            ("Taiwan", "TW"),
            ("Côte d’Ivoire", "CI"),
            ("Côte d'Ivoire", "CI"),
            ("Saudi Arabia", "SA"),
            ("India", "IN"),
            ("United Arab Emirates", "AE"),
            ("Germany", "DE"),
            ("South Africa", "ZA"),
            ("Bosnia and Herzegovina", "BA"),
            ("Trinidad and Tobago", "TT"),
            ("Iran", "IR"),
            ("Venezuela", "VE"),
            ("Bolivia", "BO"),
            ("Macao SAR", "MO"),
            ("Puerto Rico", "PR"),
            ("Tanzania", "TZ"),
            ("Moldova", "MD"),
            ("Laos", "LA"),
            ("Brunei", "BN"),
            ("Syria", "SY"),
            ("North Macedonia", "MK"),
            ("Eswatini", "SZ"),
            ("Vatican City", "VA"),
        ]
        .into_iter()
        .filter(|(text, code)| country(text).as_deref() != Some(code))
        .collect();
        assert_eq!(wrong, []);
        assert_eq!(country("Atlantis"), None);
    }
}
