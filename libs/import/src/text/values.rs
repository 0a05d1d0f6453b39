//! Values as files spell them.

use std::{borrow::Cow, str::FromStr};

use insights_domain::calendar::Month;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::reader::DateOrder;
use crate::text::dates;
use crate::text::numbers::{ReadAmount, amount, count};

/// Why a value cannot be read.
pub(crate) type ValueFault = String;

/// Words for yes and no; those of other languages are what spreadsheets write for True and False.
const YES: [&str; 17] = [
    "1",
    "yes",
    "true",
    "y",
    "wahr",
    "vrai",
    "verdadero",
    "verdadeiro",
    "vero",
    "waar",
    "sant",
    "sand",
    "sann",
    "tosi",
    "prawda",
    "pravda",
    "истина",
];
const NO: [&str; 17] = [
    "0", "no", "false", "n", "falsch", "faux", "falso", "onwaar", "falskt", "falsk", "usann", "epätosi", "fałsz",
    "nepravda", "hamis", "yanlış", "ложь",
];

/// A word for yes or no.
pub(crate) fn yes_or_no(word: &str) -> Option<bool> {
    let word = word.trim().to_lowercase();
    let is = |words: &[&str]| words.contains(&word.as_str());
    is(&YES).then_some(true).or(is(&NO).then_some(false))
}

/// Words for an empty field.
pub(crate) fn stands_for_nothing(text: &str) -> bool {
    const WORDS: [&str; 14] =
        ["null", "(null)", "\\n", "none", "nil", "nan", "nat", "n/a", "#n/a", "na", "never", "undefined", "-", "--"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// A `Month` column: the first day of the month, or the month alone.
pub(crate) fn report_month(text: &str, order: Option<DateOrder>) -> Result<Month, ValueFault> {
    if let Some(month) = text.parse().ok().or_else(|| dates::month_alone(text)) {
        return Ok(month);
    }
    let day = dates::day(text, order)?;
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

/// Amounts in several currencies, `EUR 1.5; GBP -2`.
pub(crate) fn amounts(text: &str) -> Result<Vec<(String, ReadAmount)>, ValueFault> {
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
/// Part numbers of SKUs that cost nothing and do not say so.
const FREE_PART_NUMBERS: &[&str] = &[
    "FORMS_PRO",
    "MS_TEAMS_IW",
    "POWERAPPS_DEV",
    "POWER_BI_STANDARD",
    "POWER_BI_STANDARD_FACULTY",
    "POWER_BI_STANDARD_STUDENT",
    "SMB_APPS",
    "STREAM",
    "WINDOWS_STORE",
];

/// Whether a product's name or part number says that it costs nothing.
pub(crate) fn names_free(name: &str) -> bool {
    let word = |word: &str| FREE.iter().any(|free| word.eq_ignore_ascii_case(free));
    name.split(|c: char| !c.is_alphanumeric()).any(word)
        || FREE_PART_NUMBERS.iter().any(|free| name.trim().eq_ignore_ascii_case(free))
}

/// A text in composed form (NFC) and without the signs of no width that come with what is copied from pages: two files, or two
/// machines, may spell one name in both ways.
pub(crate) fn tidy(text: &str) -> Cow<'_, str> {
    const NO_WIDTH: [char; 2] = ['\u{200b}', '\u{feff}'];
    if text.is_ascii() || !text.contains(NO_WIDTH) && is_nfc(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|letter| !NO_WIDTH.contains(letter)).nfc().collect())
}

/// A name with one blank between its words and none around them.
pub(crate) fn one_spaced(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_first_days() {
        let month = "2024-03".parse().unwrap();
        for good in [
            "2024-03",
            "2024-03-01",
            "2024-03-01T00:00:00Z",
            "20240301",
            "45352",
            "03/2024",
            "Mar 2024",
            "1 March 2024",
        ] {
            assert_eq!(report_month(good, None), Ok(month), "{good}");
        }
        assert_eq!(report_month("3/1/2024", Some(DateOrder::MonthFirst)), Ok(month));
        for bad in ["2024-03-02", "9999-12-01", "2024- 03-01", "03/24", "Mar-24", "2024-W10", ""] {
            assert!(report_month(bad, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn spreadsheets_write_true_and_false_in_the_language_of_their_user() {
        for (yes, no) in
            [("True", "False"), ("WAHR", "FALSCH"), ("VRAI", "FAUX"), ("VERDADEIRO", "FALSO"), ("ИСТИНА", "ЛОЖЬ")]
        {
            assert_eq!((yes_or_no(yes), yes_or_no(no)), (Some(true), Some(false)), "{yes} {no}");
        }
        assert_eq!(["maybe", "", "2"].map(yes_or_no), [None; 3]);
    }

    #[test]
    fn names_are_compared_in_one_form() {
        assert_eq!(tidy("Cafe\u{301}"), "Café");
        assert_eq!(tidy("\u{feff}Suite\u{200b}"), "Suite");
        assert!(matches!(tidy("Suite"), Cow::Borrowed(_)));
        assert!(matches!(tidy("Café"), Cow::Borrowed(_)));
    }

    #[test]
    fn amounts_of_several_currencies_stand_one_after_the_other() {
        let read = |text: &str| {
            let read = amounts(text).unwrap().into_iter();
            read.map(|(currency, amount)| (currency, amount.text)).collect::<Vec<_>>()
        };
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
    fn what_costs_nothing_says_so_or_is_known() {
        for free in ["Power BI (free)", "FLOW_FREE", "power_bi_standard", "STREAM", "Dynamics 365 Guides vTrial"] {
            assert!(names_free(free), "{free}");
        }
        for paid in ["STREAM_P2", "Microsoft Stream Plan 2", "POWER_BI_PRO", "Freedom"] {
            assert!(!names_free(paid), "{paid}");
        }
        assert_eq!(one_spaced(" Microsoft\u{a0}365  E3 "), "Microsoft 365 E3");
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
