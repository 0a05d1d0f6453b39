//! Key figures.

use insights_messages::{Language, Sentence, title};
use insights_proto::{
    metrics::v1::Percentage,
    reporting::v1::{Card, Change, ChangeKind},
};
use serde_json::{Value as Json, json};

use super::figures::{
    figure, json_value, number, percentage, reasons_json, reasons_line, sparkline, undefined, undefined_json,
};
use crate::output;

/// The cards as a table, and why percentages are what they are.
pub fn table(cards: &[Card], language: Language) -> String {
    let columns = [Sentence::Now, Sentence::Change, Sentence::Trend].map(|word| word.say(language, &[]));
    let columns = ["", &columns[0], &columns[1], &columns[2]];
    let rows: Vec<Vec<String>> = cards.iter().map(|card| row(card, language)).collect();
    let mut text = output::table(&columns, &rows, &[false, true, false, false]);
    for card in cards {
        if let Some(reasons) = &card.reasons
            && let Some(line) = reasons_line(reasons, language)
        {
            text.push_str(&format!("  {}: {line}\n", title(language, card.figure().as_str_name())));
        }
    }
    text
}

fn row(card: &Card, language: Language) -> Vec<String> {
    let name = title(language, card.figure().as_str_name());
    if let Some(reason) = undefined(card.undefined_reason(), language) {
        return vec![name, "–".into(), reason, String::new()];
    }
    let points: Vec<Option<f64>> = card.trend.iter().map(|point| number(point.value.as_ref())).collect();
    vec![name, figure(card.value.as_ref(), language), changes(&card.changes, language), sparkline(&points)]
}

/// Every change under its own name, what the customers before have lost at the end.
fn changes(changes: &[Change], language: Language) -> String {
    let (shares, changes): (Vec<_>, Vec<_>) = changes.iter().partition(|of| of.kind() == ChangeKind::Churn);
    let said: Vec<String> = changes.into_iter().chain(shares).filter_map(|of| change(of, language)).collect();
    if said.is_empty() { "–".into() } else { said.join("; ") }
}

fn change(of: &Change, language: Language) -> Option<String> {
    let change = relative(of, language)?;
    let since = || Sentence::Since.say(language, &[("change", &change), ("month", &of.base_to_month)]);
    let base = if of.base_from_month == of.base_to_month {
        of.base_to_month.clone()
    } else {
        format!("{} – {}", of.base_from_month, of.base_to_month)
    };
    Some(match of.kind() {
        ChangeKind::Unspecified => change,
        ChangeKind::Stock | ChangeKind::Points => since(),
        ChangeKind::Flow => Sentence::Against.say(language, &[("change", &change), ("base", &base)]),
        ChangeKind::Churn => {
            let percent = percentage(of.change.as_ref()?, language).replace("  ", " ");
            Sentence::Churn.say(language, &[("percent", &percent)])
        }
    })
}

/// A change in % or in percentage points, with its sign.
pub fn relative(of: &Change, language: Language) -> Option<String> {
    let value = of.change.as_ref()?.value?;
    let points = of.kind() == ChangeKind::Points;
    let unit = if points { Sentence::Points.say(language, &[]) } else { "%".to_owned() };
    Some(format!("{} {unit}", language.decimal(&format!("{value:+.1}"))))
}

/// A card for programs.
pub fn card_json(card: &Card) -> Json {
    let points: Vec<Json> = card
        .trend
        .iter()
        .map(|point| {
            let source = point.source().label();
            json!({"month": point.month, "value": json_value(point.value.as_ref()), "partial": point.partial, "source": source})
        })
        .collect();
    let of_kind = |kinds: &[ChangeKind]| {
        let found = card.changes.iter().find(|change| kinds.contains(&change.kind()));
        found.and_then(|change| change.change.as_ref()?.value)
    };
    json!({
        "figure": card.figure().short_name(),
        "value": json_value(card.value.as_ref()),
        "change_percent": of_kind(&[ChangeKind::Stock, ChangeKind::Flow]),
        "change_points": of_kind(&[ChangeKind::Points]),
        "churn_percent": of_kind(&[ChangeKind::Churn]),
        "changes": card.changes.iter().map(change_json).collect::<Vec<_>>(),
        "trend": points,
        "reasons": card.reasons.as_ref().map(reasons_json),
        "undefined_reason": undefined_json(card.undefined_reason()),
    })
}

/// A change for programs.
pub fn change_json(of: &Change) -> Json {
    let Percentage { value, numerator, denominator } = of.change.unwrap_or_default();
    json!({
        "kind": of.kind().short_name(),
        "value": value,
        "numerator": numerator,
        "denominator": denominator,
        "base_from_month": of.base_from_month,
        "base_to_month": of.base_to_month,
    })
}

#[cfg(test)]
mod tests {
    use insights_proto::{
        metrics::v1::{Value, value::Kind},
        reporting::v1::{Figure, UndefinedReason},
    };

    use super::*;

    fn a_change(kind: ChangeKind, value: f64, numerator: i64, denominator: i64) -> Change {
        let change = Percentage { value: Some(value), numerator: Some(numerator), denominator: Some(denominator) };
        let (base_from_month, base_to_month) =
            if kind == ChangeKind::Flow { ("2024-01", "2024-12") } else { ("2024-12", "2024-12") };
        let (base_from_month, base_to_month) = (base_from_month.into(), base_to_month.into());
        Change { kind: kind.into(), change: Some(change), base_from_month, base_to_month }
    }

    fn churned() -> Card {
        let changes = vec![a_change(ChangeKind::Churn, 13.134, 44, 335), a_change(ChangeKind::Flow, 18.92, 7, 37)];
        let value = Some(Value { kind: Some(Kind::Count(44)) });
        Card { figure: Figure::CustomersChurned.into(), value, changes, ..Card::default() }
    }

    #[test]
    fn each_change_stands_under_its_own_name() {
        let text = table(&[churned()], Language::English);
        assert!(text.contains("44  +18.9 % against 2024-01 – 2024-12; churn 13.13 % (44 / 335)"), "{text}");
        let text = table(&[churned()], Language::Portuguese);
        assert!(text.contains("+18,9 % em relação a 2024-01 – 2024-12; perdas 13,13 % (44 / 335)"), "{text}");
        let json = card_json(&churned());
        assert_eq!((&json["change_percent"], &json["churn_percent"]), (&json!(18.92), &json!(13.134)));
        assert_eq!(json["change_points"], Json::Null);
        assert_eq!(json["changes"][0]["kind"], "churn");
        assert_eq!(json["changes"][1]["base_from_month"], "2024-01");
        let stock = Card { changes: vec![a_change(ChangeKind::Points, -0.5, 0, 0)], ..churned() };
        assert!(table(std::slice::from_ref(&stock), Language::English).contains("-0.5 pt since 2024-12"));
        assert_eq!(card_json(&stock)["change_points"], json!(-0.5));
    }

    #[test]
    fn what_is_not_defined_says_why() {
        let card = Card {
            figure: Figure::AvailableSeats.into(),
            undefined_reason: UndefinedReason::SeatsByService.into(),
            ..Card::default()
        };
        let text = table(&[card], Language::English);
        assert!(text.contains("–  Seats are not defined by service."), "{text}");
    }
}
