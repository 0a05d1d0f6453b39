//! How subscriptions are used, as a section of the usage report.

use insights_messages::{Language, Sentence, title};
use insights_proto::{
    metrics::v1::{Dimension, Measure},
    reporting::v1::{FilterValue, ListSubscriptionPerformanceRequest, PageFilters, Section, SubscriptionPerformance},
};
use serde_json::{Value as Json, json};

use super::{
    DEADLINE, ReportArgs, TextView,
    figures::{figure, named, reasons_json, reasons_line, trend_json, trend_of},
    labels::Labels,
};
use crate::{client::Caller, failure::Failure, output};

/// Subscriptions asked for at once.
const PAGE: i32 = 500;
/// Subscriptions shown in the terminal unless every one is asked for.
const SHOWN: usize = 25;

/// What is shown of subscriptions.
pub struct ShownSubscriptions {
    measures: Vec<Measure>,
    ranked_by: Measure,
    subscriptions: Vec<SubscriptionPerformance>,
    every: bool,
}

/// Asks for every page of what the command wants.
pub async fn ask(
    caller: &Caller,
    page: PageFilters,
    min_version: i64,
    command: &ReportArgs,
) -> Result<ShownSubscriptions, Failure> {
    let mut request = ListSubscriptionPerformanceRequest {
        page: Some(page),
        min_version,
        products: command.product.clone(),
        all: command.all_subscriptions,
        customer_search: command.search.clone().unwrap_or_default(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let every = command.all_subscriptions || command.search.is_some();
    let mut shown =
        ShownSubscriptions { measures: Vec::new(), ranked_by: Measure::Unspecified, subscriptions: Vec::new(), every };
    loop {
        let asked = caller.request(request.clone(), DEADLINE);
        let answer = caller.reporting().list_subscription_performance(asked).await?.into_inner();
        shown.measures = answer.measures().collect();
        shown.ranked_by = answer.ranked_by();
        shown.subscriptions.extend(answer.subscriptions);
        request.page_token = answer.next_page_token;
        if request.page_token.is_empty() {
            return Ok(shown);
        }
    }
}

impl ShownSubscriptions {
    /// As a table.
    pub fn text(&self, view: TextView) -> String {
        let language = view.language;
        let ranked = match self.ranked_by {
            Measure::BilledRevenue => Some(Sentence::TopByRevenue),
            Measure::Available => Some(Sentence::TopBySeats),
            _ => None,
        };
        let mut text = title(language, Section::SubscriptionPerformance.as_str_name());
        text.push_str(&ranked.map(|it| format!(" ({})", it.say(language, &[]))).unwrap_or_default());
        if self.subscriptions.is_empty() {
            return format!("{text}\n{}\n", Sentence::NoSubscriptions.say(language, &[]));
        }
        let dimensions = [Dimension::Customer, Dimension::Subscription, Dimension::Sku];
        let mut columns: Vec<String> = dimensions.iter().map(|it| title(language, it.as_str_name())).collect();
        columns.extend([Sentence::Start, Sentence::End].map(|word| word.say(language, &[])));
        let names = self.measures.iter().map(|measure| title(language, measure.as_str_name()).to_lowercase());
        columns.extend(names);
        columns.push(Sentence::Trend.say(language, &[]));
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let shown = if self.every || view.all { self.subscriptions.len() } else { SHOWN };
        let subscriptions = || self.subscriptions.iter().take(shown);
        let labels = |of: fn(&SubscriptionPerformance) -> Option<&FilterValue>| {
            Labels::of(subscriptions().map(|it| (id(of(it)), called(of(it), language))), &[])
        };
        let (customers, skus) = (labels(|it| it.customer.as_ref()), labels(|it| it.sku.as_ref()));
        let row = |of: &SubscriptionPerformance| {
            let customer = customers.get(id(of.customer.as_ref()).as_deref());
            self.row(of, customer, skus.get(id(of.sku.as_ref()).as_deref()), language)
        };
        let rows: Vec<Vec<String>> = subscriptions().map(row).collect();
        let right: Vec<bool> = (0..columns.len()).map(|at| (5..5 + self.measures.len()).contains(&at)).collect();
        text.push_str(&format!("\n{}", output::table(&columns, &rows, &right)));
        for of in subscriptions() {
            for line in of.reasons.iter().filter_map(|reasons| reasons_line(reasons, language)) {
                text.push_str(&format!("  {}: {line}\n", of.subscription_id));
            }
        }
        if self.subscriptions.len() > shown {
            let more = language.number(i64::try_from(self.subscriptions.len() - shown).unwrap_or(i64::MAX));
            text.push_str(&format!("{}\n", Sentence::More.say(language, &[("count", &more)])));
        }
        text
    }

    fn row(&self, of: &SubscriptionPerformance, customer: &str, sku: &str, language: Language) -> Vec<String> {
        let usage = self.measures.iter().position(|measure| *measure == Measure::ActiveUsagePercent);
        let mut row =
            vec![customer.to_owned(), of.subscription_id.clone(), sku.to_owned(), of.start.clone(), of.end.clone()];
        row.extend((0..self.measures.len()).map(|at| figure(of.values.get(at), language)));
        row.push(trend_of(&of.trend, usage.unwrap_or_default()));
        row
    }

    /// As JSON.
    pub fn json(&self) -> Json {
        let names: Vec<String> = self.measures.iter().map(|measure| measure.short_name()).collect();
        let subscription = |of: &SubscriptionPerformance| {
            json!({
                "subscription": of.subscription_id,
                "customer": id(of.customer.as_ref()),
                "customer_name": name(of.customer.as_ref()),
                "sku": id(of.sku.as_ref()),
                "sku_name": name(of.sku.as_ref()),
                "product": of.product,
                "start": Some(&of.start).filter(|day| !day.is_empty()),
                "end": Some(&of.end).filter(|day| !day.is_empty()),
                "figures": named(&names, &of.values),
                "trend": trend_json(&names, &of.trend),
                "reasons": of.reasons.iter().map(reasons_json).collect::<Vec<_>>(),
            })
        };
        let ranked_by = Some(self.ranked_by).filter(|measure| *measure != Measure::Unspecified);
        json!({
            "ranked_by": ranked_by.map(Measure::short_name),
            "rows": self.subscriptions.iter().map(subscription).collect::<Vec<_>>(),
        })
    }
}

/// Its id, if it has one.
pub fn id(of: Option<&FilterValue>) -> Option<String> {
    of?.value.as_ref()?.value.clone()
}

/// Its name, if it has one.
pub fn name(of: Option<&FilterValue>) -> Option<String> {
    of.map(|of| of.name.clone()).filter(|name| !name.is_empty())
}

/// Its name, or else its id.
fn called(of: Option<&FilterValue>, language: Language) -> String {
    name(of).or_else(|| id(of)).unwrap_or_else(|| Sentence::Missing.say(language, &[]))
}
