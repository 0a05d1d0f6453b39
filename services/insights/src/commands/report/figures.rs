//! Figures in words, small charts and JSON.

use insights_messages::{Language, Sentence, title};
use insights_proto::{
    metrics::v1::{Basis, Percentage, ReasonCount, Value, value::Kind},
    reporting::v1::{GroupPoint, Reasons, UndefinedReason},
};
use serde_json::{Value as Json, json};

use crate::output;

/// A figure; percentages with what they are made of.
pub fn figure(value: Option<&Value>, language: Language) -> String {
    match value.and_then(|value| value.kind.as_ref()) {
        None => "–".into(),
        Some(Kind::Count(count)) => language.number(*count),
        Some(Kind::Amount(amount)) => language.decimal(amount),
        Some(Kind::Percentage(parts)) => percentage(parts, language),
    }
}

/// A percentage with its numerator and denominator.
pub fn percentage(parts: &Percentage, language: Language) -> String {
    let percent = |value: f64| format!("{} %", language.decimal(&format!("{value:.2}")));
    match (parts.value, parts.numerator, parts.denominator) {
        (Some(value), Some(numerator), Some(denominator)) => {
            format!("{}  ({} / {})", percent(value), language.number(numerator), language.number(denominator))
        }
        (Some(value), ..) => percent(value),
        _ => "–".into(),
    }
}

/// Why something is not defined, as a sentence; `None` when it is defined.
pub fn undefined(reason: UndefinedReason, language: Language) -> Option<String> {
    (reason != UndefinedReason::Unspecified).then(|| title(language, reason.as_str_name()))
}

/// The same for programs: the name of the reason in lower case, or null.
pub fn undefined_json(reason: UndefinedReason) -> Json {
    match reason {
        UndefinedReason::Unspecified => Json::Null,
        _ => json!(reason.short_name()),
    }
}

/// A number to draw.
pub fn number(value: Option<&Value>) -> Option<f64> {
    match value?.kind.as_ref()? {
        Kind::Count(count) => Some(*count as f64),
        Kind::Percentage(parts) => parts.value,
        Kind::Amount(amount) => amount.parse().ok(),
    }
}

/// One block per month, from the lowest to the highest; a gap where nothing is known.
pub fn sparkline(points: &[Option<f64>]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known = || points.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let block = |value: f64| {
        let place = if high > low { ((value - low) / (high - low) * 7.0).round() } else { 3.0 };
        BLOCKS[place.clamp(0.0, 7.0) as usize]
    };
    points.iter().map(|point| point.map_or(' ', block)).collect()
}

/// A figure month by month.
pub fn trend_of(trend: &[GroupPoint], at: usize) -> String {
    let points: Vec<Option<f64>> = trend.iter().map(|point| number(point.values.get(at))).collect();
    sparkline(&points)
}

/// Why a usage percentage is what it is, in a line.
pub fn reasons_line(reasons: &Reasons, language: Language) -> Option<String> {
    let explanation = reasons.explanation.as_ref()?;
    let one = |reason: &ReasonCount| {
        let name = title(language, reason.reason().as_str_name()).to_lowercase();
        Sentence::Reason.say(language, &[("count", &language.number(reason.count)), ("reason", &name)])
    };
    let counted: Vec<String> = explanation.reasons.iter().filter(|reason| reason.count > 0).map(one).collect();
    let covered = Sentence::Covered.say(language, &[("count", &language.number(explanation.covered))]);
    (!counted.is_empty()).then(|| format!("{covered}, {}", counted.join(", ")))
}

/// Figures by the names of their measures.
pub fn named(names: &[String], values: &[Value]) -> Json {
    let figures = std::iter::zip(names, values).map(|(name, value)| (name.clone(), json_value(Some(value))));
    Json::Object(figures.collect())
}

/// A trend by the names of its measures.
pub fn trend_json(names: &[String], trend: &[GroupPoint]) -> Vec<Json> {
    let point = |point: &GroupPoint| json!({"month": point.month, "figures": named(names, &point.values), "partial": point.partial});
    trend.iter().map(point).collect()
}

/// Reasons with their counts.
pub fn reasons_json(reasons: &Reasons) -> Json {
    let why = reasons.explanation.clone().unwrap_or_default();
    let count = |reason: &ReasonCount| (output::reason_name(reason.reason()).to_owned(), json!(reason.count));
    let counts: serde_json::Map<String, Json> = why.reasons.iter().map(count).collect();
    json!({
        "basis": basis_name(reasons.basis()),
        "numerator": why.numerator,
        "denominator": why.denominator,
        "covered": why.covered,
        "reasons": counts,
    })
}

/// A basis, as flags spell it.
pub fn basis_name(basis: Basis) -> &'static str {
    if basis == Basis::Entitlements { "entitlements" } else { "users" }
}

/// A figure for programs.
pub fn json_value(value: Option<&Value>) -> Json {
    match value.and_then(|value| value.kind.as_ref()) {
        None => Json::Null,
        Some(Kind::Count(count)) => json!(count),
        Some(Kind::Amount(amount)) => json!(amount),
        Some(Kind::Percentage(parts)) => {
            json!({"value": parts.value, "numerator": parts.numerator, "denominator": parts.denominator})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparklines_go_from_low_to_high() {
        assert_eq!(sparkline(&[Some(0.0), None, Some(7.0), Some(3.5)]), "▁ █▅");
        assert_eq!(sparkline(&[Some(5.0), Some(5.0)]), "▄▄");
        assert_eq!(sparkline(&[]), "");
    }
}
