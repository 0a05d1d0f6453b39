//! Checks of single fields. A check notes a violation and goes on, so that a sender learns of all of them at once.
//!
//! Reasons say what would be right. They quote a value only where it can be neither personal nor an amount.

use std::str::FromStr;

use insights_domain::{
    amount::Amount,
    calendar::{Day, Month},
    facts::Seller,
    ids::canonical_id,
};
use insights_proto::ingestion::v1::{Attribution, Precedence};
use prost_types::Timestamp;

use super::{CheckContext, Violation};

/// Longest id and longest other text, in characters. Longer ones are mistakes of the source and would bloat every key.
const LONGEST_ID: usize = 200;
const LONGEST_TEXT: usize = 1_000;
const MOST_ATTRIBUTIONS: usize = 100;

/// Collects the violations of one record.
pub(super) struct Checks<'a> {
    kind: &'static str,
    context: &'a CheckContext<'a>,
    violations: Vec<Violation>,
}

impl<'a> Checks<'a> {
    pub(super) fn new(kind: &'static str, context: &'a CheckContext<'a>) -> Self {
        Self { kind, context, violations: Vec::new() }
    }

    /// `value` without violations, else these.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<Violation>> {
        if self.violations.is_empty() { Ok(value) } else { Err(self.violations) }
    }

    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    pub(super) fn wrong(&mut self, field: &str, reason: impl Into<String>) {
        let field = if self.kind.is_empty() { field.to_owned() } else { format!("{}.{field}", self.kind) };
        self.violations.push(Violation { field, reason: reason.into() });
    }

    /// When the source recorded it, in nanoseconds since 1970.
    ///
    /// What was recorded in the future could not be corrected before that time comes. A list of today is recorded at the beginning of
    /// its day in UTC, which in time zones ahead of UTC has not come yet. What a report of the month only knows is recorded at the month's end, and
    /// gives way to every record of the source itself.
    pub(super) fn recorded_at(&mut self, time: Option<Timestamp>, precedence: Precedence) -> Option<i64> {
        let recorded = self.time("recorded_at", time?)?;
        let today = self.context.today;
        let last = if precedence == Precedence::Unspecified { today } else { today.month().last_day() };
        let last = i64::from(last.epoch_days()).saturating_mul(86_400_000_000_000);
        if recorded > self.context.latest_recorded.max(last) {
            self.wrong("recorded_at", "must not lie in the future");
        }
        Some(recorded)
    }

    /// The time before which what is taken back was recorded, in nanoseconds since 1970.
    pub(super) fn recorded_before(&mut self, time: Timestamp, of_rows: bool) -> Option<i64> {
        if !of_rows {
            self.wrong("recorded_before", "is only for reported_seats and reported_usage");
        }
        self.time("recorded_before", time)
    }

    fn time(&mut self, field: &str, time: Timestamp) -> Option<i64> {
        let nanos = u32::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
        let day = i32::try_from(time.seconds.div_euclid(86_400)).ok().and_then(Day::from_epoch_days);
        let (Some(nanos), Some(_)) = (nanos, day) else {
            self.wrong(field, "must be a time from 1900 to 2199");
            return None;
        };
        Some(time.seconds * 1_000_000_000 + i64::from(nanos))
    }

    /// How much the sender knows of what the record describes.
    pub(super) fn precedence(&mut self, precedence: i32) -> Precedence {
        Precedence::try_from(precedence).unwrap_or_else(|_| {
            self.wrong("precedence", "must be one of Precedence's values, or left out");
            Precedence::Unspecified
        })
    }

    /// A required id, in its canonical form.
    pub(super) fn id(&mut self, field: &str, id: &str) -> String {
        let id = id.trim();
        if id.is_empty() {
            self.wrong(field, "is required");
        } else if id.chars().count() > LONGEST_ID {
            self.wrong(field, format!("must have at most {LONGEST_ID} characters"));
        } else if id.chars().any(char::is_control) {
            self.wrong(field, "must not contain control characters");
        }
        canonical_id(id)
    }

    pub(super) fn optional_id(&mut self, field: &str, id: Option<&String>) -> Option<String> {
        let id = id?;
        if id.trim().is_empty() {
            self.wrong(field, "must not be blank where it is given");
            return None;
        }
        Some(self.id(field, id))
    }

    /// A user, hashed.
    pub(super) fn user(&mut self, field: &str, id: &str) -> u128 {
        match self.context.users.parse(id, self.context.users_are_hashed) {
            Ok(user) => user,
            Err(reason) => {
                self.wrong(field, reason);
                0
            }
        }
    }

    pub(super) fn text(&mut self, field: &str, text: &str) -> String {
        if text.trim().is_empty() {
            self.wrong(field, "is required");
        }
        self.any_text(field, text)
    }

    /// Text as it came; blank is missing.
    pub(super) fn optional_text(&mut self, field: &str, text: Option<String>) -> Option<String> {
        let text = text.filter(|text| !text.trim().is_empty())?;
        Some(self.any_text(field, &text))
    }

    fn any_text(&mut self, field: &str, text: &str) -> String {
        if text.chars().count() > LONGEST_TEXT {
            self.wrong(field, format!("must have at most {LONGEST_TEXT} characters"));
        } else if text.contains('\0') {
            self.wrong(field, "must not contain NUL characters");
        }
        text.to_owned()
    }

    pub(super) fn service(&mut self, field: &str, name: &str) -> String {
        let folded = insights_domain::service_fold(name);
        self.id(field, folded)
    }

    /// ISO 3166-1 alpha-2, in upper case.
    pub(super) fn country(&mut self, field: &str, code: &str) -> String {
        let code = code.trim().to_ascii_uppercase();
        if code.len() != 2 || celes::Country::from_alpha2(&code).is_err() {
            self.wrong(field, "must be a country's ISO 3166-1 alpha-2 code, such as DE");
        }
        code
    }

    pub(super) fn optional_country(&mut self, field: &str, code: Option<String>) -> Option<String> {
        let code = code.filter(|code| !code.trim().is_empty())?;
        Some(self.country(field, &code))
    }

    /// ISO 4217, in upper case.
    pub(super) fn currency(&mut self, field: &str, code: &str) -> String {
        let code = code.trim().to_ascii_uppercase();
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            self.wrong(field, "must be an ISO 4217 code of three letters, such as EUR");
        }
        code
    }

    pub(super) fn seller(&mut self, field: &str, seller: Option<String>, default: Seller) -> String {
        let Some(name) = seller.filter(|name| !name.trim().is_empty()) else { return default.name().to_owned() };
        match Seller::from_name(name.trim()) {
            Some(seller) => seller.name().to_owned(),
            None => {
                self.wrong(field, "must be `own`, `other` or `direct`");
                name
            }
        }
    }

    /// A decimal number, written in one way.
    pub(super) fn amount(&mut self, field: &str, amount: &str) -> String {
        match Amount::from_str(amount) {
            Ok(amount) => amount.to_string(),
            Err(error) => {
                self.wrong(field, error.to_string());
                String::new()
            }
        }
    }

    /// A required count, 0 to 4,294,967,295.
    pub(super) fn count(&mut self, field: &str, count: Option<i64>) -> i64 {
        if count.is_none() {
            self.wrong(field, "is required, as a number from 0 to 4,294,967,295");
        }
        self.optional_count(field, count).unwrap_or(0)
    }

    pub(super) fn optional_count(&mut self, field: &str, count: Option<i64>) -> Option<i64> {
        let count = count?;
        if u32::try_from(count).is_err() {
            self.wrong(field, format!("must be a number from 0 to 4,294,967,295, not {count}"));
        }
        Some(count)
    }

    pub(super) fn day(&mut self, field: &str, text: &str) -> Option<Day> {
        match Day::from_str(text) {
            Ok(day) => Some(day),
            Err(_) => {
                self.wrong(field, "must be a day as YYYY-MM-DD from 1900-01-01 to 2199-12-31");
                None
            }
        }
    }

    /// A day not after today in the partner's time zone.
    pub(super) fn past_day(&mut self, field: &str, text: &str) -> Option<Day> {
        let day = self.day(field, text)?;
        if day > self.context.today {
            self.wrong(field, format!("must not lie after today, {}", self.context.today));
        }
        Some(day)
    }

    /// A day; a date that stands for none, as 9999-12-31 does, is none.
    pub(super) fn optional_day(&mut self, field: &str, text: Option<&String>) -> Option<Day> {
        let text = text.filter(|text| !text.is_empty() && !Day::is_never(text))?;
        self.day(field, text)
    }

    /// The end of an interval that begins with `from`.
    pub(super) fn end_after(&mut self, field: &str, text: Option<&String>, from: Option<Day>) -> Option<Day> {
        let to = self.optional_day(field, text)?;
        if from.is_some_and(|from| to <= from) {
            self.wrong(field, "must lie after `from`: it is the first day no longer held");
        }
        Some(to)
    }

    pub(super) fn month(&mut self, field: &str, text: &str) -> Option<Month> {
        match Month::from_str(text) {
            Ok(month) => Some(month),
            Err(_) => {
                self.wrong(field, "must be a month as YYYY-MM from 1900-01 to 2199-12");
                None
            }
        }
    }

    /// Attributions as a set: their order has no meaning.
    pub(super) fn attributions(&mut self, field: &str, attributions: Vec<Attribution>) -> Vec<Attribution> {
        if attributions.len() > MOST_ATTRIBUTIONS {
            self.wrong(field, format!("must have at most {MOST_ATTRIBUTIONS} entries"));
            return Vec::new();
        }
        let mut set: Vec<Attribution> = Vec::with_capacity(attributions.len());
        for (position, attribution) in attributions.into_iter().enumerate() {
            let location = format!("{field}[{position}].location_id");
            let kind = format!("{field}[{position}].type");
            set.push(Attribution {
                location_id: self.optional_id(&location, attribution.location_id.as_ref()),
                r#type: self.optional_text(&kind, attribution.r#type),
            });
        }
        set.sort_by(|a, b| (&a.location_id, &a.r#type).cmp(&(&b.location_id, &b.r#type)));
        set.dedup();
        set
    }
}
