//! Inputs of the advice rules, and their findings.

use insights_domain::calendar::{Day, Month};
use insights_proto::reporting::v1::{
    AdviceArgument, AdviceCode, Evidence, EvidenceKind, EvidencePoint, advice_argument::Value,
};

/// Seats of a customer in one month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MonthSeats {
    /// Available.
    pub available: i64,
    /// Assigned.
    pub assigned: i64,
    /// Active in the window.
    pub active: i64,
    /// Available and not assigned.
    pub unassigned: i64,
    /// Assigned and not active.
    pub idle: i64,
}

/// Seats by month without gaps. Advice is about the last month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonthlySeats(pub Vec<(Month, MonthSeats)>);

impl MonthlySeats {
    /// Seats of the last month.
    #[must_use]
    pub fn last(&self) -> MonthSeats {
        self.0.last().map(|(_, seats)| *seats).unwrap_or_default()
    }

    /// One figure of the seats as evidence.
    pub(super) fn evidence(&self, kind: EvidenceKind, figure: impl Fn(&MonthSeats) -> i64) -> Evidence {
        evidence(kind, self.0.iter().map(|(month, seats)| (*month, figure(seats))))
    }
}

/// Seats of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerSeats {
    /// The customer's id.
    pub customer: String,
    /// Its seats.
    pub seats: MonthlySeats,
}

/// Seats of a customer and SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkuSeats {
    /// The customer's id.
    pub customer: String,
    /// The SKU's id.
    pub sku: String,
    /// Its seats.
    pub seats: MonthlySeats,
}

/// A subscription that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingSubscription {
    /// The customer's id.
    pub customer: String,
    /// The subscription's id.
    pub subscription: String,
    /// The SKU by id and name.
    pub sku: (String, String),
    /// Its last day.
    pub end: Day,
    /// Days until then, from the last day of the figures.
    pub days: i32,
    /// Its seats.
    pub seats: MonthlySeats,
}

/// Support cases of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerCases {
    /// The customer's id.
    pub customer: String,
    /// Month, number of cases and number of how-to cases; months without cases are omitted.
    pub months: Vec<(Month, i64, i64)>,
}

/// A finding of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct AdviceFinding {
    /// The rule.
    pub code: AdviceCode,
    /// The customer's id.
    pub customer: String,
    /// The subscription's id; empty when the rule is not about one.
    pub subscription: String,
    /// Id and name of the SKU; empty when the rule is not about one.
    pub sku: (String, String),
    /// Seats, users or cases at stake times the rule's weight.
    pub score: i64,
    /// Named values of the texts.
    pub arguments: Vec<AdviceArgument>,
    /// Figures that the finding rests on.
    pub evidence: Vec<Evidence>,
}

impl AdviceFinding {
    /// A finding about a customer, without arguments and evidence.
    pub(super) fn of(code: AdviceCode, customer: &str, score: i64) -> Self {
        Self {
            code,
            customer: customer.to_owned(),
            subscription: String::new(),
            sku: Default::default(),
            score,
            arguments: Vec::new(),
            evidence: Vec::new(),
        }
    }
}

/// Evidence from a figure by month; its value is that of the last month.
pub(super) fn evidence(kind: EvidenceKind, points: impl Iterator<Item = (Month, i64)>) -> Evidence {
    let trend: Vec<EvidencePoint> =
        points.map(|(month, value)| EvidencePoint { month: month.to_string(), value }).collect();
    Evidence { kind: kind as i32, value: trend.last().map_or(0, |point| point.value), trend }
}

fn argument(name: &str, value: Value) -> AdviceArgument {
    AdviceArgument { name: name.to_owned(), value: Some(value) }
}

/// A count argument.
pub(super) fn count(name: &str, count: i64) -> AdviceArgument {
    argument(name, Value::Count(count))
}

/// A percentage argument.
#[expect(clippy::cast_precision_loss, reason = "counts of seats are far below 2^53")]
pub(super) fn percent(name: &str, part: i64, whole: i64) -> AdviceArgument {
    argument(name, Value::Percent(if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }))
}

/// A day argument.
pub(super) fn day(name: &str, day: Day) -> AdviceArgument {
    argument(name, Value::Day(day.to_string()))
}

/// A month argument.
pub(super) fn month(name: &str, month: Month) -> AdviceArgument {
    argument(name, Value::Month(month.to_string()))
}

/// A text argument.
pub(super) fn text(name: &str, text: &str) -> AdviceArgument {
    argument(name, Value::Text(text.to_owned()))
}
