//! Figures by one dimension.

use insights_domain::filter_value::ValueKind;
use insights_messages::{Language, Sentence, title};
use insights_proto::metrics::v1::{Dimension, Measure, value::Kind};
use insights_proto::reporting::v1::{Breakdown, Group, Others, Reasons};
use serde_json::{Value as Json, json};

use super::{
    Section, TextView, about,
    cards::{change_json, relative},
    figures::{basis_name, figure, named, reasons_json, reasons_line, trend_json, trend_of, undefined, undefined_json},
    labels::Labels,
};
use crate::output;

/// Groups shown of a breakdown unless all are asked for.
const SHOWN: usize = 12;
/// Figures with a share beside each, so that a table stays readable; where there are more, the first alone has one,
/// unless all is asked for.
const SHARED: usize = 4;

/// Which columns a table has besides names, figures and the trend.
struct SectionColumns {
    titles: Vec<String>,
    right: Vec<bool>,
    /// By measure: whether its share stands beside it.
    shares: Vec<bool>,
    change: bool,
    trend: bool,
}

impl SectionColumns {
    fn of(breakdown: &Breakdown, product: Option<&str>, view: TextView) -> Self {
        let language = view.language;
        let has_share = |at: usize| breakdown.groups.iter().any(|group| share_of(group, at).is_some());
        let measures: Vec<String> =
            breakdown.measures().map(|measure| title(language, measure.as_str_name()).to_lowercase()).collect();
        let mut shares: Vec<bool> = (0..measures.len()).map(has_share).collect();
        let first = shares.iter().position(|share| *share);
        if !view.all && shares.iter().filter(|share| **share).count() > SHARED {
            shares = (0..measures.len()).map(|at| Some(at) == first).collect();
        }
        let changed = breakdown.groups.iter().find_map(|group| group.change.as_ref());
        let by = by(breakdown, language);
        let mut titles = vec![product.map_or_else(|| by.clone(), |product| format!("{product}, {by}"))];
        for (at, measure) in measures.into_iter().enumerate() {
            titles.push(measure);
            titles.extend(shares[at].then(|| Sentence::Share.say(language, &[])));
            if at == 0
                && let Some(change) = changed
            {
                let word = Sentence::Change.say(language, &[]);
                titles.push(Sentence::Since.say(language, &[("change", &word), ("month", &change.base_to_month)]));
            }
        }
        let mut right: Vec<bool> = (0..titles.len()).map(|at| at > 0).collect();
        let trend = breakdown.groups.iter().any(|group| group.trend.len() > 1);
        if trend {
            titles.push(Sentence::Trend.say(language, &[]));
            right.push(false);
        }
        Self { titles, right, shares, change: changed.is_some(), trend }
    }

    fn group(&self, group: &Group, name: &str, language: Language) -> Vec<String> {
        let mut row = vec![name.to_owned()];
        for (at, share) in self.shares.iter().enumerate() {
            row.push(figure(group.values.get(at), language));
            row.extend(share.then(|| self::share(group, at, language)));
            if at == 0 && self.change {
                let change = group.change.as_ref().and_then(|change| relative(change, language));
                row.push(change.unwrap_or_else(|| "–".into()));
            }
        }
        row.extend(self.trend.then(|| trend_of(&group.trend, 0)));
        row
    }

    fn others(&self, others: &Others, language: Language) -> Vec<String> {
        let group = Group { values: others.values.clone(), trend: others.trend.clone(), ..Group::default() };
        self.group(&group, &others_name(others, language), language)
    }
}

/// A breakdown as a table.
pub fn table(breakdown: &Breakdown, product: Option<&str>, view: TextView) -> String {
    let language = view.language;
    let others = breakdown.others.iter().map(Others::undefined_reason);
    let whys = std::iter::once(breakdown.undefined_reason()).chain(others);
    let whys: String = whys.filter_map(|why| undefined(why, language)).map(|why| format!("  {why}\n")).collect();
    if breakdown.groups.is_empty() {
        let dimension = dimension(breakdown, language);
        return format!("{}\n{whys}", Sentence::NoGroups.say(language, &[("dimension", &dimension)]));
    }
    let columns = SectionColumns::of(breakdown, product, view);
    let shown = if view.all { breakdown.groups.len() } else { SHOWN };
    let groups = || breakdown.groups.iter().take(shown);
    let others: Vec<String> = breakdown.others.iter().map(|others| others_name(others, language)).collect();
    let name_of = |group: &Group| (id(group).map(str::to_owned), name_of(group, breakdown.dimension(), language));
    let labels = Labels::of(groups().map(name_of), &others);
    let mut rows: Vec<Vec<String>> =
        groups().map(|group| columns.group(group, labels.get(id(group)), language)).collect();
    rows.extend(breakdown.others.iter().map(|others| columns.others(others, language)));
    let titles: Vec<&str> = columns.titles.iter().map(String::as_str).collect();
    let mut text = output::table(&titles, &rows, &columns.right);
    text.extend(groups().map(|group| over_100(group, labels.get(id(group)), language)));
    if breakdown.groups.len() > shown {
        let more = language.number(i64::try_from(breakdown.groups.len() - shown).unwrap_or(i64::MAX));
        text.push_str(&format!("{}\n", Sentence::More.say(language, &[("count", &more)])));
    }
    text.push_str(&whys);
    text
}

/// `by market`.
fn by(breakdown: &Breakdown, language: Language) -> String {
    Sentence::By.say(language, &[("dimension", &dimension(breakdown, language))])
}

/// Its dimension in a sentence. Acronyms such as SKU stay as they are.
fn dimension(breakdown: &Breakdown, language: Language) -> String {
    let name = title(language, breakdown.dimension().as_str_name());
    if name.chars().all(char::is_uppercase) { name } else { name.to_lowercase() }
}

fn share_of(group: &Group, at: usize) -> Option<f64> {
    match group.shares.get(at)?.kind.as_ref()? {
        Kind::Percentage(parts) => parts.value,
        _ => None,
    }
}

/// The part of a figure in the sum over all groups.
fn share(group: &Group, at: usize, language: Language) -> String {
    share_of(group, at).map_or("–".into(), |value| format!("{} %", language.decimal(&format!("{value:.1}"))))
}

/// Why usage percentages of a group exceed 100.
fn over_100(group: &Group, name: &str, language: Language) -> String {
    let exceeds = |reasons: &&Reasons| reasons.explanation.as_ref().is_some_and(|why| why.numerator > why.denominator);
    let of_basis = |reasons: &Reasons| {
        let line = reasons_line(reasons, language)?;
        let basis = title(language, reasons.basis().as_str_name()).to_lowercase();
        Some(format!("  {name}, {basis}: {line}\n"))
    };
    group.reasons.iter().filter(exceeds).filter_map(of_basis).collect()
}

/// The groups beyond the largest.
fn others_name(others: &Others, language: Language) -> String {
    Sentence::Others.say(language, &[("count", &language.number(others.groups.into()))])
}

/// The value of a group.
fn id(group: &Group) -> Option<&str> {
    group.key.as_ref()?.value.as_deref()
}

/// What a group is called; a market with its code, which filters ask for.
fn name_of(group: &Group, dimension: Dimension, language: Language) -> String {
    match id(group) {
        Some(code) if dimension.value_kind() == ValueKind::Country => about::named(code, &group.name),
        _ if !group.name.is_empty() => group.name.clone(),
        Some(value) => value.to_owned(),
        None => Sentence::Missing.say(language, &[]),
    }
}

/// A section for programs, with the name of its field in the API's answer.
pub fn section_json(section: &Section) -> Json {
    let mut json = breakdown_json(&section.breakdown);
    json["section"] = json!(section.field);
    if let Some(product) = &section.product {
        json["product"] = json!(product);
    }
    json
}

/// A breakdown for programs.
pub fn breakdown_json(breakdown: &Breakdown) -> Json {
    let names: Vec<String> = breakdown.measures().map(Measure::short_name).collect();
    let group = |group: &Group| {
        json!({
            "key": group.key.as_ref().and_then(|key| key.value.clone()),
            "name": Some(&group.name).filter(|name| !name.is_empty()),
            "figures": named(&names, &group.values),
            "change_percent": group.change.as_ref().and_then(|change| change.change.as_ref()?.value),
            "change": group.change.as_ref().map(change_json),
            "shares": named(&names, &group.shares),
            "trend": trend_json(&names, &group.trend),
            "reasons": group.reasons.iter().map(reasons_json).collect::<Vec<_>>(),
        })
    };
    let others = breakdown.others.as_ref().map(|others| {
        json!({
            "groups": others.groups,
            "figures": named(&names, &others.values),
            "trend": trend_json(&names, &others.trend),
            "undefined_reason": undefined_json(others.undefined_reason()),
        })
    });
    json!({
        "dimension": breakdown.dimension().short_name(),
        "measures": names,
        "basis": basis_name(breakdown.basis()),
        "overlapping": breakdown.overlapping,
        "undefined_reason": undefined_json(breakdown.undefined_reason()),
        "groups": breakdown.groups.iter().map(group).collect::<Vec<_>>(),
        "others": others,
    })
}

#[cfg(test)]
mod tests {
    use insights_proto::{
        metrics::v1::{Percentage, Value},
        reporting::v1::UndefinedReason,
    };

    use super::*;

    fn breakdown(measures: &[Measure]) -> Breakdown {
        let half = Percentage { value: Some(50.0), numerator: Some(1), denominator: Some(2) };
        let group = Group {
            name: "One".into(),
            values: vec![Value { kind: Some(Kind::Count(1)) }; measures.len()],
            shares: vec![Value { kind: Some(Kind::Percentage(half)) }; measures.len()],
            ..Group::default()
        };
        Breakdown {
            dimension: Dimension::Country.into(),
            measures: measures.iter().map(|measure| (*measure).into()).collect(),
            groups: vec![group],
            ..Breakdown::default()
        }
    }

    #[test]
    fn every_figure_has_its_share_unless_the_table_is_too_wide() {
        let four = [Measure::Customers, Measure::ActiveCustomers, Measure::New, Measure::Churned];
        let five = [&four[..], &[Measure::Returning]].concat();
        let shares = |measures: &[Measure], all: bool| {
            let view = TextView { language: Language::English, all };
            table(&breakdown(measures), None, view).matches("50.0 %").count()
        };
        assert_eq!((shares(&four, false), shares(&five, false), shares(&five, true)), (4, 1, 5));
    }

    #[test]
    fn a_section_without_groups_says_so() {
        let none = Breakdown { groups: Vec::new(), ..breakdown(&[Measure::Customers]) };
        let view = TextView { language: Language::English, all: false };
        assert!(table(&none, None, view).starts_with("nothing was found by market: try"), "{none:?}");
        let why = Breakdown { undefined_reason: UndefinedReason::TooManyGroups.into(), ..none };
        assert!(table(&why, None, view).ends_with("\n  There are too many groups to ask for together.\n"));
    }
}
