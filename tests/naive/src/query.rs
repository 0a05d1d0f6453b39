//! A question, as it is asked on the command line.

use crate::calendar::Month;
use crate::spelling::fold;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// Dimensions of customers.
pub const CUSTOMER_LEVEL: [&str; 4] = ["country", "segment", "industry", "customer"];
/// Dimensions of what is used.
pub const WHAT: [&str; 3] = ["product", "sku", "service"];
/// Dimensions of subscriptions.
pub const SUBSCRIPTION_LEVEL: [&str; 8] =
    ["location", "attribution_type", "sales_channel", "pricing_model", "seller", "trial", "standing", "subscription"];
/// Measures that services do not define.
pub const BY_SEAT: [&str; 11] = [
    "available",
    "assigned",
    "active",
    "new_seats",
    "deployment_opportunity",
    "idle_seats",
    "active_usage_percent",
    "deployment_percent",
    "active_entitlements",
    "total_entitlements",
    "billed_revenue",
];
/// Every other measure.
pub const OTHER_MEASURES: [&str; 10] = [
    "customers",
    "active_customers",
    "new",
    "existing",
    "churned",
    "returning",
    "subscriptions",
    "active_users",
    "total_users",
    "usage_percent",
];

/// One filter: any of the values will do; `None` is the missing value.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Filter {
    pub dimension: String,
    pub values: BTreeSet<Option<String>>,
}

impl Filter {
    /// A filter for one value.
    pub fn one(dimension: &str, value: Option<String>) -> Self {
        Self { dimension: dimension.into(), values: BTreeSet::from([value]) }
    }
}

/// Which subscriptions are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Scope {
    Own,
    SoldOrManaged,
    All,
}

/// A question, and who asks.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Query {
    pub measures: Vec<String>,
    pub by: Vec<String>,
    pub from: Month,
    pub to: Month,
    pub filters: Vec<Filter>,
    pub entitlements: bool,
    pub scope: Scope,
    pub include_grace: bool,
    pub include_free: bool,
    /// The partner locations the caller is bound to.
    pub bound: Option<BTreeSet<String>>,
    /// Whether the caller may see revenue.
    pub sees_revenue: bool,
    /// Reported rows are read as they stood at this time: whoever answers takes the facts of [`crate::Ledger::as_of`].
    pub as_of: Option<DateTime<Utc>>,
}

impl Query {
    /// Reads the arguments of `insights query`, as asked by somebody who may see everything.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let month = |text: &str| Month::parse(text).ok_or(format!("not a month: {text}"));
        let mut query = Self {
            measures: Vec::new(),
            by: Vec::new(),
            from: Month(i32::MAX),
            to: Month(i32::MIN),
            filters: Vec::new(),
            entitlements: false,
            scope: Scope::All,
            include_grace: false,
            include_free: false,
            bound: None,
            sees_revenue: true,
            as_of: None,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} wants a value"));
            match arg.as_str() {
                "--measures" => query.measures = value()?.split(',').map(str::to_owned).collect(),
                "--by" => query.by = value()?.split(',').map(str::to_owned).collect(),
                "--from" => query.from = month(value()?)?,
                "--to" => query.to = month(value()?)?,
                "--filter" => {
                    let (dimension, values) = value()?.split_once('=').ok_or("a filter is DIM=V,…")?;
                    values.split(',').for_each(|value| query.filter(dimension, value));
                }
                "--basis" => query.entitlements = value()? == "entitlements",
                "--scope" => {
                    query.scope = match value()?.as_str() {
                        "own" => Scope::Own,
                        "sold-or-managed" => Scope::SoldOrManaged,
                        "all" => Scope::All,
                        other => return Err(format!("no such scope: {other}")),
                    }
                }
                "--include-grace" => query.include_grace = true,
                "--include-free" => query.include_free = true,
                "--as-of" => {
                    let time = DateTime::parse_from_rfc3339(value()?).map_err(|e| e.to_string())?;
                    query.as_of = Some(time.with_timezone(&Utc));
                }
                "--json" => {}
                other => return Err(format!("no such option: {other}")),
            }
        }
        Ok(query)
    }

    /// Values of one dimension are alternatives.
    fn filter(&mut self, dimension: &str, value: &str) {
        let value = match value {
            "(none)" => None,
            value if dimension == "service" => Some(fold(value)),
            value => Some(value.to_owned()),
        };
        match self.filters.iter_mut().find(|filter| filter.dimension == dimension) {
            Some(filter) => {
                filter.values.insert(value);
            }
            None => self.filters.push(Filter::one(dimension, value)),
        }
    }

    /// Why the question has no answer.
    pub fn refusal(&self) -> Option<String> {
        if self.from > self.to {
            return Some("from lies after to".into());
        }
        let by_service = self.by.iter().chain(self.filters.iter().map(|f| &f.dimension)).any(|d| d == "service");
        let seats = self
            .measures
            .iter()
            .find(|measure| BY_SEAT.contains(&measure.as_str()) || (*measure == "usage_percent" && self.entitlements));
        match seats {
            Some(measure) if by_service => Some(format!("{measure} is not defined by service")),
            _ => None,
        }
    }
}
