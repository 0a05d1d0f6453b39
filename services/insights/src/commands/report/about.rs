//! What a page is about: the heading over it.

use insights_messages::{Language, Sentence, title};
use insights_proto::{
    metrics::v1::{Dimension, Filter, Scope},
    reporting::v1::{self as wire, Coverage, FilterValue, PageFilters},
};

use super::{
    args::{DashboardName, ReportArgs},
    known::KnownValues,
};
use crate::output;

/// What was asked for.
pub struct About {
    products: Vec<String>,
    customer: Option<String>,
    filters: Vec<Filter>,
    with_grace: bool,
    with_free: bool,
    search: Option<String>,
    country_search: Option<String>,
    known: KnownValues,
}

impl About {
    /// What the flags ask for.
    pub fn new(command: &ReportArgs, page: &PageFilters, known: KnownValues) -> Self {
        Self {
            products: command.product.clone(),
            customer: command.customer.clone().filter(|_| command.page != DashboardName::Adoption),
            filters: page.filters.clone(),
            with_grace: command.include_grace,
            with_free: command.include_free,
            search: command.search.clone(),
            country_search: command.country_search.clone(),
            known,
        }
    }

    /// The page and its subject: a product, or a customer.
    pub fn title(&self, page: wire::Page, customer: Option<&FilterValue>, language: Language) -> String {
        if !self.products.is_empty() {
            return format!("{}: {}", Sentence::Usage.say(language, &[]), output::line(&self.products.join(", ")));
        }
        let page = title(language, page.as_str_name());
        let of_answer = customer.and_then(|of| {
            let id = of.value.as_ref()?.value.as_deref()?;
            Some(named(id, &of.name))
        });
        let of_flag = || self.customer.as_deref().map(|id| self.known.called(Dimension::Customer.into(), id));
        match of_answer.or_else(of_flag) {
            Some(customer) => format!("{page}: {customer}"),
            None => page,
        }
    }

    /// The scope, the filters and whatever else narrows the page, in a line.
    pub fn line(&self, coverage: &Coverage, products: &[String], language: Language) -> String {
        let mut parts = Vec::new();
        if coverage.scope() != Scope::Unspecified {
            parts.push(title(language, coverage.scope().as_str_name()));
        }
        if self.products.is_empty() && !products.is_empty() {
            parts.push(format!("{}: {}", Sentence::Products.say(language, &[]), products.join(", ")));
        }
        parts.extend(self.filters.iter().map(|filter| self.filter(filter, language)));
        let switches = [(self.with_grace, Sentence::WithGrace), (self.with_free, Sentence::WithFree)];
        parts.extend(switches.iter().filter(|(on, _)| *on).map(|(_, sentence)| sentence.say(language, &[])));
        let searches = [(&self.search, Sentence::Search), (&self.country_search, Sentence::CountrySearch)];
        for (text, sentence) in searches {
            parts.extend(text.iter().map(|text| sentence.say(language, &[("text", text)])));
        }
        output::line(&parts.join("; "))
    }

    fn filter(&self, filter: &Filter, language: Language) -> String {
        let value = |value: &Option<String>| match value {
            Some(value) => self.known.called(filter.dimension, value),
            None => Sentence::Missing.say(language, &[]),
        };
        let values: Vec<String> = filter.values.iter().map(|it| value(&it.value)).collect();
        format!("{}: {}", title(language, filter.dimension().as_str_name()), values.join(", "))
    }
}

/// A name with its id, or the id alone, as a part of a line.
pub fn named(id: &str, name: &str) -> String {
    output::line(&if name.is_empty() || name == id { id.to_owned() } else { format!("{name} ({id})") })
}
