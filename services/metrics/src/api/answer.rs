//! From figures to the wire.

use insights_domain::percentage::Percentage;
use insights_domain::usage::Reasons;
use insights_proto::metrics::v1::{self, DimensionValue, Explanation, Freshness, Measure, Reason, ReasonCount, value};

use crate::cube::{AnswerRow, Cube, ExplanationRow, Figure, QueryAnswer, Visibility};
use crate::query::Query;

/// The answer to a query. What the caller may not see is absent already; here it is said.
pub fn result(query: &Query, answer: QueryAnswer, view: Visibility<'_>) -> v1::Result {
    let redacted = !view.revenue && query.measures.contains(&Measure::BilledRevenue);
    let told = query.measures.len() - usize::from(query.hidden);
    let row = |mut row: AnswerRow| {
        row.values.truncate(told);
        self::row(row)
    };
    v1::Result { rows: answer.rows.into_iter().map(row).collect(), overlapping: answer.overlapping, redacted }
}

/// One row.
pub fn row(row: AnswerRow) -> v1::Row {
    v1::Row {
        month: row.month.to_string(),
        dimensions: dimensions(row.dimensions),
        values: row.values.into_iter().map(figure).collect(),
        currency: row.currency.unwrap_or_default(),
        source: v1::Source::from(row.source).into(),
        partial: row.partial,
        lower_bound: row.lower_bound,
        carried: row.carried,
    }
}

fn dimensions(values: Vec<Option<String>>) -> Vec<DimensionValue> {
    values.into_iter().map(|value| DimensionValue { value }).collect()
}

fn figure(figure: Figure) -> v1::Value {
    let kind = match figure {
        Figure::Null => None,
        Figure::Count(count) => Some(value::Kind::Count(count)),
        Figure::Percentage(percentage) => Some(value::Kind::Percentage(percentage_of(percentage))),
        Figure::Amount(amount) => Some(value::Kind::Amount(amount.to_string())),
    };
    v1::Value { kind }
}

fn percentage_of(percentage: Percentage) -> v1::Percentage {
    v1::Percentage {
        value: percentage.value(),
        numerator: percentage.numerator.map(count),
        denominator: percentage.denominator.map(count),
    }
}

/// Why a usage percentage is what it is; reasons without users or seats are left out.
pub fn explanation(row: ExplanationRow) -> Explanation {
    let Reasons { covered, trial, not_in_good_standing, free, license_transferred, unlicensed_use, over_assigned } =
        row.reasons;
    let reasons = [
        (Reason::Trial, trial),
        (Reason::NotInGoodStanding, not_in_good_standing),
        (Reason::Free, free),
        (Reason::LicenseTransferred, license_transferred),
        (Reason::UnlicensedUse, unlicensed_use),
        (Reason::OverAssigned, over_assigned),
    ];
    let explaining = reasons.into_iter().filter(|(_, users)| *users > 0);
    Explanation {
        month: row.month.to_string(),
        numerator: count(row.reasons.total()),
        denominator: count(row.denominator),
        covered: count(covered),
        reasons: explaining.map(|(reason, users)| ReasonCount { reason: reason.into(), count: count(users) }).collect(),
        dimensions: dimensions(row.dimensions),
    }
}

/// How fresh a cube is.
pub fn freshness(cube: &Cube) -> Freshness {
    let partner = cube.partner();
    Freshness {
        version: partner.version,
        epoch: partner.epoch,
        complete_through: partner.complete_through.to_string(),
        first_month: cube.first_month().map(|month| month.to_string()).unwrap_or_default(),
        currency: partner.currency.clone(),
    }
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
