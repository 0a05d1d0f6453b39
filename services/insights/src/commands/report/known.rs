//! Which of the values that a page is narrowed to the data knows, and by what names.

use std::collections::HashMap;

use insights_messages::{Language, Sentence, title};
use insights_proto::{
    metrics::v1::Dimension,
    reporting::v1::{FilterValue, ListFilterValuesRequest, PageFilters},
};

use super::{DEADLINE, about::named};
use crate::{client::Caller, output};

/// Values looked up at most: each is a call.
const LOOKED_UP: usize = 20;
/// Similar values named at most.
const SIMILAR: usize = 5;

/// What is known of values.
#[derive(Default)]
pub struct KnownValues {
    names: HashMap<(i32, String), String>,
    unknown: Vec<String>,
}

/// Looks values up. What cannot be found out is not said: the page itself says what is wrong.
pub async fn look_up(caller: &Caller, page: &PageFilters, products: &[String], language: Language) -> KnownValues {
    let mut wanted: Vec<(Dimension, String)> =
        products.iter().map(|product| (Dimension::Product, product.clone())).collect();
    for filter in &page.filters {
        let values = filter.values.iter().filter_map(|value| value.value.clone());
        wanted.extend(values.map(|value| (filter.dimension(), value)));
    }
    // Subscriptions are too many to list.
    wanted.retain(|(dimension, value)| *dimension != Dimension::Subscription && !value.is_empty());
    wanted.truncate(LOOKED_UP);
    let mut known = KnownValues::default();
    for (dimension, value) in wanted {
        match one(caller, dimension, &dimension.value_kind().comparable(&value)).await {
            Found::Named(name) => {
                known.names.insert((dimension.into(), value), name);
            }
            Found::Nothing(similar) => known.unknown.push(unknown(dimension, &value, similar, language)),
            Found::Unclear => {}
        }
    }
    known
}

/// What came of looking a value up.
enum Found {
    /// It is known, by this name.
    Named(String),
    /// It is not, but these values are.
    Nothing(Vec<FilterValue>),
    /// That cannot be told.
    Unclear,
}

/// Looks a value up, as figures compare it.
async fn one(caller: &Caller, dimension: Dimension, value: &str) -> Found {
    let message =
        ListFilterValuesRequest { dimension: dimension.into(), search: value.to_owned(), ..Default::default() };
    let Ok(answer) = caller.reporting().list_filter_values(caller.request(message, DEADLINE)).await else {
        return Found::Unclear;
    };
    let answer = answer.into_inner();
    let is_it = |it: &&FilterValue| id(it).is_some_and(|id| dimension.value_kind().comparable(id) == value);
    match answer.values.iter().find(is_it) {
        Some(found) => Found::Named(found.name.clone()),
        // Nothing may be told of what there is.
        None if answer.truncated && answer.values.is_empty() => Found::Unclear,
        // The value itself would come before those that it is a part of.
        None => Found::Nothing(answer.values),
    }
}

impl KnownValues {
    /// Says on stderr what is not known.
    pub fn say_what_is_not(&self) {
        for line in &self.unknown {
            eprintln!("{}", output::plain(line));
        }
    }

    /// A value with its name.
    pub fn called(&self, dimension: i32, value: &str) -> String {
        let name = self.names.get(&(dimension, value.to_owned()));
        named(value, name.map(String::as_str).unwrap_or_default())
    }
}

fn id(value: &FilterValue) -> Option<&String> {
    value.value.as_ref()?.value.as_ref()
}

fn unknown(dimension: Dimension, value: &str, mut similar: Vec<FilterValue>, language: Language) -> String {
    // The others are looked for in the data of the last months.
    let listed = [
        Dimension::Customer,
        Dimension::Sku,
        Dimension::Location,
        Dimension::Product,
        Dimension::Standing,
        Dimension::Seller,
        Dimension::Trial,
    ];
    let sentence = if listed.contains(&dimension) { Sentence::Unknown } else { Sentence::UnknownLately };
    let name = title(language, dimension.as_str_name()).to_lowercase();
    let mut line = sentence.say(language, &[("dimension", &name), ("value", &output::line(value))]);
    // What differs in case alone was meant, most likely.
    similar.sort_by_key(|it| id(it).is_none_or(|id| id.to_lowercase() != value.trim().to_lowercase()));
    let similar: Vec<String> = similar.iter().filter_map(|it| Some(named(id(it)?, &it.name))).take(SIMILAR).collect();
    if !similar.is_empty() {
        line.push_str(&format!(" {}", Sentence::Similar.say(language, &[("values", &similar.join(", "))])));
    }
    line
}
