//! A dashboard for programs: every section of the API's answer.

use insights_messages::{Language, title};
use serde_json::{Value as Json, json};

use super::{
    DashboardParts,
    cards::card_json,
    performance::{self, id, name},
    sections::{breakdown_json, section_json},
};

impl DashboardParts {
    /// The whole page; nothing is said in a language.
    pub fn json(&self) -> Json {
        let coverage = &self.coverage;
        let freshness = coverage.freshness.clone().unwrap_or_default();
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut json = json!({
            "page": title(Language::English, self.page.as_str_name()),
            "from": coverage.from_month,
            "to": coverage.to_month,
            "scope": coverage.scope().short_name(),
            "partial": coverage.partial,
            "redacted": coverage.redacted,
            "lower_bound": coverage.lower_bound,
            "carried": coverage.carried,
            "source": coverage.source().label(),
            "complete_through": coverage.freshness.as_ref().map(|freshness| freshness.complete_through.clone()),
            "version": freshness.version,
            "epoch": freshness.epoch,
            "first_month": text(&freshness.first_month),
            "currency": text(&freshness.currency),
            "products": self.products,
            "customer": id(self.customer.as_ref()),
            "customer_name": name(self.customer.as_ref()),
            "cards": self.cards.iter().map(card_json).collect::<Vec<_>>(),
            "breakdowns": self.breakdowns.iter().map(section_json).collect::<Vec<_>>(),
            "subscriptions": self.subscriptions.as_ref().map(performance::ShownSubscriptions::json),
        });
        for (field, value) in self.months.iter().flat_map(super::months::ShownMonths::json) {
            json[field] = value;
        }
        if let Some(trends) = &self.trends {
            json["distribution_trends"] = trends.iter().map(breakdown_json).collect();
        }
        json
    }
}
