//! What an import did to the figures, as people read it.

use std::collections::BTreeMap;

use insights_messages::{Language, Sentence, title};
use insights_proto::metrics::v1::Measure;

use crate::{
    client::figures::{FarMoved, MEASURES, Moved, MovedFigures},
    output,
};

/// Months of the table; the last ones are what people look at.
const MONTHS: usize = 12;

/// A row a month, a column a measure, each figure before and after.
pub(super) fn table(moved: &MovedFigures, language: Language) -> String {
    let left_out = moved.months.len().saturating_sub(MONTHS);
    let months = &moved.months[left_out..];
    let shown: Vec<Measure> = MEASURES
        .into_iter()
        .filter(|measure| months.iter().any(|month| month.figures.contains_key(&measure.short_name())))
        .collect();
    let mut columns = vec![Sentence::Month.say(language, &[])];
    columns.extend(shown.iter().map(|measure| title(language, measure.as_str_name())));
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> = months
        .iter()
        .map(|month| {
            let cell = |measure: &Measure| {
                month.figures.get(&measure.short_name()).map_or_else(String::new, |moved| cell(*moved, language))
            };
            std::iter::once(month.month.clone()).chain(shown.iter().map(cell)).collect()
        })
        .collect();
    let right: Vec<bool> = (0..columns.len()).map(|column| column > 0).collect();
    let mut text = format!("\n{}", output::table(&columns, &rows, &right));
    if left_out > 0 {
        let count = language.number(i64::try_from(left_out).unwrap_or(i64::MAX));
        text.push_str(&format!("{}\n", Sentence::ImportMoreMonths.say(language, &[("count", &count)])));
    }
    if !moved.carried.is_empty() {
        let months = moved.carried.join(", ");
        text.push_str(&format!("{}\n", Sentence::ImportCarried.say(language, &[("months", &months)])));
    }
    text
}

fn cell(moved: Moved, language: Language) -> String {
    let Moved { before, after } = moved;
    if before == after {
        figure(before, language)
    } else {
        format!("{} → {}", figure(before, language), figure(after, language))
    }
}

fn figure(figure: Option<i64>, language: Language) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| language.number(figure))
}

/// What moved by more than a fifth: a line a measure, of the month in which it moved the farthest.
pub(super) fn warnings(moved: &MovedFigures, language: Language) -> Vec<String> {
    let mut by_measure: BTreeMap<usize, Vec<&FarMoved>> = BTreeMap::new();
    for far in &moved.warnings {
        let place = MEASURES.iter().position(|measure| measure.short_name() == far.measure);
        by_measure.entry(place.unwrap_or(MEASURES.len())).or_default().push(far);
    }
    by_measure.into_values().filter_map(|far| warning(&far, language)).collect()
}

fn warning(far: &[&FarMoved], language: Language) -> Option<String> {
    let farthest = far.iter().max_by_key(|far| per_mille(far.moved).abs())?;
    let measure = Measure::from_short_name(&farthest.measure)?;
    let percent = per_mille(farthest.moved) / 10;
    let percent = format!("{}{}%", if percent > 0 { "+" } else { "" }, language.number(percent));
    let mut said = Sentence::ImportMoved.say(
        language,
        &[
            ("month", &farthest.month),
            ("measure", &title(language, measure.as_str_name())),
            ("before", &figure(farthest.moved.before, language)),
            ("after", &figure(farthest.moved.after, language)),
            ("percent", &percent),
        ],
    );
    if far.len() > 1 {
        let count = language.number(i64::try_from(far.len() - 1).unwrap_or(i64::MAX));
        said = Sentence::ImportMovedElsewhere.say(language, &[("said", &said), ("count", &count)]);
    }
    if !farthest.reasons.is_empty() {
        let reasons = farthest.reasons.join("; ");
        said = Sentence::ImportBecause.say(language, &[("said", &said), ("reasons", &reasons)]);
    }
    Some(said)
}

/// The change in thousandths of what was before.
fn per_mille(moved: Moved) -> i64 {
    let (before, after) = (moved.before.unwrap_or_default(), moved.after.unwrap_or_default());
    (after - before).saturating_mul(1_000).checked_div(before).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::client::figures::MonthMoved;

    use super::*;

    fn moved() -> MovedFigures {
        let month = |number: u32, before: i64, after: i64| MonthMoved {
            month: format!("2026-{number:02}"),
            figures: BTreeMap::from([
                ("customers".to_owned(), Moved { before: Some(before), after: Some(after) }),
                ("available".to_owned(), Moved { before: None, after: Some(1_200) }),
            ]),
        };
        let far = |month: &str, before: i64, after: i64| FarMoved {
            month: month.into(),
            measure: "customers".into(),
            moved: Moved { before: Some(before), after: Some(after) },
            reasons: vec!["3 rows were rejected".into()],
        };
        MovedFigures {
            version_before: 3,
            version_after: Some(4),
            months: (0..14).map(|number| month(number, 10, 10 - i64::from(number) / 2)).collect(),
            carried: vec!["2026-05".into()],
            warnings: vec![far("2026-12", 10, 4), far("2026-11", 10, 5)],
        }
    }

    #[test]
    fn a_row_a_month_shows_before_and_after() {
        let text = table(&moved(), Language::English);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + 1 + 12 + 2, "{text}");
        assert!(lines[1].starts_with("month") && lines[1].contains("ustomers"), "{text}");
        assert!(
            lines[2].starts_with("2026-02") && lines[2].contains("10 → 9") && lines[2].contains("– → 1,200"),
            "{text}"
        );
        assert!(lines[14].contains("not shown: 2"), "{text}");
        assert!(lines[15].contains("2026-05"), "{text}");
        assert!(table(&moved(), Language::Portuguese).contains("– → 1.200"));
    }

    #[test]
    fn a_measure_has_one_warning() {
        let said = warnings(&moved(), Language::English);
        assert_eq!(said.len(), 1, "{said:?}");
        for part in ["2026-12", "from 10 to 4 (-60%)", "in other months: 1", "; 3 rows were rejected"] {
            assert!(said[0].contains(part), "{part} is not in {said:?}");
        }
    }
}
