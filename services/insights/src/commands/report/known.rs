//! Which of the values that a page is narrowed to the data knows, and by what names.

use std::collections::HashMap;

use insights_domain::service_fold;
use insights_proto::{
    metrics::v1::Dimension,
    reporting::v1::{FilterValue, ListFilterValuesRequest, PageFilters},
};
use insights_reporting::words::{Language, Sentence, title};

use super::{DEADLINE, about::named};
use crate::{client::Caller, output};

/// Values looked up at most: each is a call.
const LOOKED_UP: usize = 20;
/// Similar values named at most.
const SIMILAR: usize = 5;

/// What is known of values.
#[derive(Default)]
pub struct Known {
    names: HashMap<(i32, String), String>,
    unknown: Vec<String>,
}

/// Looks values up. What cannot be found out is not said: the page itself says what is wrong.
pub async fn look_up(caller: &Caller, page: &PageFilters, products: &[String], language: Language) -> Known {
    let mut wanted: Vec<(Dimension, String)> =
        products.iter().map(|product| (Dimension::Product, product.clone())).collect();
    for filter in &page.filters {
        let values = filter.values.iter().filter_map(|value| value.value.clone());
        wanted.extend(values.map(|value| (filter.dimension(), value)));
    }
    // Subscriptions are too many to list.
    wanted.retain(|(dimension, value)| *dimension != Dimension::Subscription && !value.is_empty());
    wanted.truncate(LOOKED_UP);
    let mut known = Known::default();
    for (dimension, value) in wanted {
        let folded = if dimension == Dimension::Service { service_fold(&value).to_owned() } else { value.clone() };
        let message =
            ListFilterValuesRequest { dimension: dimension.into(), search: folded.clone(), ..Default::default() };
        let Ok(answer) = caller.reporting().list_filter_values(caller.request(message, DEADLINE)).await else {
            continue;
        };
        let answer = answer.into_inner();
        match answer.values.iter().find(|it| id(it).is_some_and(|id| is_same(dimension, id, folded.trim()))) {
            Some(found) => {
                known.names.insert((dimension.into(), value), found.name.clone());
            }
            None if answer.truncated => {}
            None => known.unknown.push(unknown(dimension, &value, &answer.values, language)),
        }
    }
    known
}

impl Known {
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

/// As figures compare them: what everybody writes alike but for the case, in any case. Ids that are no GUIDs differ by it, but who
/// writes one otherwise is not told so here.
fn is_same(dimension: Dimension, known: &str, asked: &str) -> bool {
    match dimension {
        Dimension::Segment
        | Dimension::Industry
        | Dimension::Product
        | Dimension::AttributionType
        | Dimension::SalesChannel
        | Dimension::PricingModel => known == asked,
        _ => known.to_lowercase() == asked.to_lowercase(),
    }
}

fn id(value: &FilterValue) -> Option<&String> {
    value.value.as_ref()?.value.as_ref()
}

fn unknown(dimension: Dimension, value: &str, similar: &[FilterValue], language: Language) -> String {
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
    let mut line = sentence.say(language, &[("dimension", &name), ("value", value)]);
    let similar: Vec<String> = similar.iter().filter_map(|it| Some(named(id(it)?, &it.name))).take(SIMILAR).collect();
    if !similar.is_empty() {
        line.push_str(&format!(" {}", Sentence::Similar.say(language, &[("values", &similar.join(", "))])));
    }
    line
}
