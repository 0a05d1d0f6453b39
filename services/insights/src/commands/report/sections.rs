//! Figures by one dimension.

use insights_proto::metrics::v1::value::Kind;
use insights_proto::reporting::v1::{Breakdown, Group, Others, Reasons};
use insights_reporting::words::{Language, Sentence, title};
use serde_json::{Value as Json, json};

use super::{
    Section, View,
    cards::{change_json, relative},
    figures::{basis_name, figure, named, reasons_json, reasons_line, trend_json, trend_of},
};
use crate::{
    commands::query::{dimension_name, measure_name},
    output,
};

/// Groups shown of a breakdown unless all are asked for.
const SHOWN: usize = 12;

/// Which columns a table has besides names, figures and the trend.
struct Columns {
    titles: Vec<String>,
    right: Vec<bool>,
    /// By measure: whether its share stands beside it.
    shares: Vec<bool>,
    change: bool,
}

impl Columns {
    fn of(breakdown: &Breakdown, language: Language) -> Self {
        let has_share = |at: usize| breakdown.groups.iter().any(|group| share_of(group, at).is_some());
        let measures: Vec<String> =
            breakdown.measures().map(|measure| title(language, measure.as_str_name()).to_lowercase()).collect();
        let shares: Vec<bool> = (0..measures.len()).map(has_share).collect();
        let changed = breakdown.groups.iter().find_map(|group| group.change.as_ref());
        let mut titles = vec![by(breakdown, language)];
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
        titles.push(Sentence::Trend.say(language, &[]));
        let right = (0..titles.len()).map(|at| at > 0 && at + 1 < titles.len()).collect();
        Self { titles, right, shares, change: changed.is_some() }
    }

    fn group(&self, group: &Group, language: Language) -> Vec<String> {
        let mut row = vec![name_of(group, language)];
        for (at, share) in self.shares.iter().enumerate() {
            row.push(figure(group.values.get(at), language));
            row.extend(share.then(|| self::share(group, at, language)));
            if at == 0 && self.change {
                let change = group.change.as_ref().and_then(|change| relative(change, language));
                row.push(change.unwrap_or_else(|| "–".into()));
            }
        }
        row.push(trend_of(&group.trend, 0));
        row
    }

    fn others(&self, others: &Others, language: Language) -> Vec<String> {
        let name = Sentence::Others.say(language, &[("count", &language.number(others.groups.into()))]);
        let group = Group { name, values: others.values.clone(), trend: others.trend.clone(), ..Group::default() };
        self.group(&group, language)
    }
}

/// A breakdown as a table.
pub fn table(breakdown: &Breakdown, product: Option<&str>, view: View) -> String {
    let language = view.language;
    let because = Some(&breakdown.undefined_because).filter(|because| !because.is_empty());
    if breakdown.groups.is_empty() {
        let dimension = dimension(breakdown, language);
        let nothing = Sentence::NoGroups.say(language, &[("dimension", &dimension)]);
        return format!("{}\n", because.unwrap_or(&nothing));
    }
    let columns = Columns::of(breakdown, language);
    let shown = if view.all { breakdown.groups.len() } else { SHOWN };
    let groups = || breakdown.groups.iter().take(shown).map(|group| within(product, group, language));
    let mut rows: Vec<Vec<String>> = groups().map(|group| columns.group(&group, language)).collect();
    rows.extend(breakdown.others.iter().map(|others| columns.others(others, language)));
    let titles: Vec<&str> = columns.titles.iter().map(String::as_str).collect();
    let mut text = output::table(&titles, &rows, &columns.right);
    text.extend(groups().map(|group| over_100(&group, language)));
    if breakdown.groups.len() > shown {
        let more = language.number(i64::try_from(breakdown.groups.len() - shown).unwrap_or(i64::MAX));
        text.push_str(&format!("{}\n", Sentence::More.say(language, &[("count", &more)])));
    }
    let others = breakdown.others.as_ref().map(|others| &others.undefined_because);
    for because in because.into_iter().chain(others.filter(|because| !because.is_empty())) {
        text.push_str(&format!("  {because}\n"));
    }
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

/// A group under its product's name, where it is told.
fn within(product: Option<&str>, group: &Group, language: Language) -> Group {
    let name = name_of(group, language);
    let name = product.map_or_else(|| name.clone(), |product| format!("{product}: {name}"));
    Group { name, ..group.clone() }
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
fn over_100(group: &Group, language: Language) -> String {
    let exceeds = |reasons: &&Reasons| reasons.explanation.as_ref().is_some_and(|why| why.numerator > why.denominator);
    let of_basis = |reasons: &Reasons| {
        let line = reasons_line(reasons, language)?;
        let basis = title(language, reasons.basis().as_str_name()).to_lowercase();
        Some(format!("  {}, {basis}: {line}\n", name_of(group, language)))
    };
    group.reasons.iter().filter(exceeds).filter_map(of_basis).collect()
}

/// What a group is called.
fn name_of(group: &Group, language: Language) -> String {
    if group.name.is_empty() {
        let value = group.key.as_ref().and_then(|key| key.value.clone());
        value.unwrap_or_else(|| Sentence::Missing.say(language, &[]))
    } else {
        group.name.clone()
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
    let names: Vec<String> = breakdown.measures().map(measure_name).collect();
    let because = |text: &str| Some(text.to_owned()).filter(|because| !because.is_empty());
    let group = |group: &Group| {
        let mut json = json!({
            "key": group.key.as_ref().and_then(|key| key.value.clone()),
            "name": Some(&group.name).filter(|name| !name.is_empty()),
            "figures": named(&names, &group.values),
            "shares": named(&names, &group.shares),
            "trend": trend_json(&names, &group.trend),
            "reasons": group.reasons.iter().map(reasons_json).collect::<Vec<_>>(),
        });
        if let Some(change) = &group.change {
            json["change_percent"] = json!(change.change.as_ref().and_then(|change| change.value));
            json["change"] = change_json(change);
        }
        json
    };
    let others = breakdown.others.as_ref().map(|others| {
        json!({
            "groups": others.groups,
            "figures": named(&names, &others.values),
            "trend": trend_json(&names, &others.trend),
            "undefined_because": because(&others.undefined_because),
        })
    });
    json!({
        "dimension": dimension_name(breakdown.dimension()),
        "measures": names,
        "basis": basis_name(breakdown.basis()),
        "overlapping": breakdown.overlapping,
        "undefined_because": because(&breakdown.undefined_because),
        "groups": breakdown.groups.iter().map(group).collect::<Vec<_>>(),
        "others": others,
    })
}
