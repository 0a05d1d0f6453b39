//! Cards of key figures and their changes, as the metric dictionary (`libs/domain/docs`) defines them.

use insights_domain::calendar::Month;
use insights_proto::metrics::v1::{Basis, Explanation, Measure, Percentage, Value, value::Kind};
use insights_proto::reporting::v1::{Card, Change, ChangeKind, Figure, Point, Reasons, UndefinedReason};

use super::months::{MonthSpan, months};
use super::row_index::RowIndex;

/// Results over the range of a page, and over the months before it.
pub struct RangeFigures<'a> {
    /// Months of the page.
    pub span: MonthSpan,
    /// Rows of the range.
    pub range: RowIndex<'a>,
    /// Rows of the base of changes.
    pub base: RowIndex<'a>,
}

impl RangeFigures<'_> {
    /// The card of a stock: its last month, and the change since the month before the range.
    pub fn stock(&self, figure: Figure, measure: Measure) -> Card {
        let value = self.range.value(None, self.span.to, measure);
        let base = self.span.stored(self.span.base()).then(|| self.base.value(None, self.span.base(), measure));
        let change = stock_change(&value, base.as_ref(), self.span.base());
        Card { changes: vec![change], trend: self.trend(measure), ..card(figure, value) }
    }

    /// The card of the churn of the last month, and the change since the month before it, where that month's is known.
    pub fn last_month_churn(&self) -> Card {
        let before = self.span.to.previous();
        let table = if before < self.span.from { &self.base } else { &self.range };
        let base = self.span.flows_known_from(before).then(|| table.value(None, before, Measure::Churned));
        let value = self.range.value(None, self.span.to, Measure::Churned);
        let change = stock_change(&value, base.as_ref(), before);
        Card { changes: vec![change], trend: self.trend(Measure::Churned), ..card(Figure::LastMonthChurn, value) }
    }

    /// The card of a flow: its sum over the range, and the change against the preceding range of equal length.
    pub fn flow(&self, figure: Figure, measure: Measure) -> Card {
        let total = self.over_range(measure);
        let base = self.span.flows_known_from(self.span.base_from()).then(|| self.preceding(measure));
        let change = Change {
            kind: ChangeKind::Flow as i32,
            change: Some(relative(Some(total), base)),
            base_from_month: self.span.base_from().to_string(),
            base_to_month: self.span.base().to_string(),
        };
        let value = Value { kind: Some(Kind::Count(total)) };
        Card { changes: vec![change], trend: self.trend(measure), ..card(figure, value) }
    }

    /// The card of customers added less churned, changed like the flows it is made of.
    pub fn net_added(&self) -> Card {
        let total = self.over_range(Measure::New) - self.over_range(Measure::Churned);
        let known = self.span.flows_known_from(self.span.base_from());
        let base = known.then(|| self.preceding(Measure::New) - self.preceding(Measure::Churned));
        let mut card = self.flow(Figure::NetAdded, Measure::New);
        card.value = Some(Value { kind: Some(Kind::Count(total)) });
        for change in &mut card.changes {
            change.change = Some(relative(Some(total), base));
        }
        for (point, month) in card.trend.iter_mut().zip(self.span.months()) {
            let net = || self.range.count(month, Measure::New) - self.range.count(month, Measure::Churned);
            point.value = Some(Value { kind: self.span.arrivals_known(month).then(|| Kind::Count(net())) });
        }
        card
    }

    /// Churned customers over customers at the end of the month before the range.
    pub fn churn(&self) -> Change {
        let churned = self.over_range(Measure::Churned);
        let base = self.span.base();
        let customers = self.span.stored(base).then(|| self.base.count(base, Measure::Customers));
        Change {
            kind: ChangeKind::Churn as i32,
            change: Some(ratio(Some(churned), customers)),
            base_from_month: base.to_string(),
            base_to_month: base.to_string(),
        }
    }

    /// A flow over the range.
    pub fn over_range(&self, measure: Measure) -> i64 {
        self.range.flow(&self.span, None, self.span.months(), measure)
    }

    fn preceding(&self, measure: Measure) -> i64 {
        self.base.flow(&self.span, None, months(self.span.base_from(), self.span.base()), measure)
    }

    fn trend(&self, measure: Measure) -> Vec<Point> {
        let point = |month: Month| {
            let row = self.range.row(None, month);
            Point {
                month: month.to_string(),
                value: Some(self.range.in_range(&self.span, None, month, measure)),
                partial: row.is_some_and(|row| row.partial),
                source: row.map_or(0, |row| row.source),
            }
        };
        self.span.months().map(point).collect()
    }
}

/// A card without changes.
pub fn card(figure: Figure, value: Value) -> Card {
    Card { figure: figure as i32, value: Some(value), ..Card::default() }
}

/// A card whose figure is not defined under the page's filters.
pub fn undefined(figure: Figure, reason: UndefinedReason) -> Card {
    Card { figure: figure as i32, undefined_reason: reason.into(), ..Card::default() }
}

/// The reasons of a usage percentage in one month.
pub fn reasons(basis: Basis, explanation: Option<&Explanation>) -> Option<Reasons> {
    explanation.map(|found| Reasons { basis: basis as i32, explanation: Some(found.clone()) })
}

/// The change of a stock against its value at the end of a month.
pub fn stock_change(value: &Value, base: Option<&Value>, month: Month) -> Change {
    let (kind, change) = match &value.kind {
        Some(Kind::Percentage(now)) => {
            let before = base.and_then(|base| match &base.kind {
                Some(Kind::Percentage(before)) => before.value,
                _ => None,
            });
            let value = now.value.zip(before).map(|(now, before)| now - before);
            (ChangeKind::Points, Percentage { value, ..Percentage::default() })
        }
        _ => (ChangeKind::Stock, relative(count(value), base.and_then(count))),
    };
    Change {
        kind: kind as i32,
        change: Some(change),
        base_from_month: month.to_string(),
        base_to_month: month.to_string(),
    }
}

fn count(value: &Value) -> Option<i64> {
    match value.kind {
        Some(Kind::Count(count)) => Some(count),
        _ => None,
    }
}

fn relative(now: Option<i64>, base: Option<i64>) -> Percentage {
    ratio(now.zip(base).map(|(now, base)| now - base), base)
}

/// A percentage; null when the denominator is 0 or unknown.
#[expect(clippy::cast_precision_loss, reason = "counts of customers and seats are far below 2^53")]
pub fn ratio(numerator: Option<i64>, denominator: Option<i64>) -> Percentage {
    let value = match (numerator, denominator) {
        (Some(over), Some(under)) if under != 0 => Some(100.0 * over as f64 / under as f64),
        _ => None,
    };
    Percentage { value, numerator: denominator.and(numerator), denominator }
}
