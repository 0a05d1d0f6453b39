//! What is known of subscriptions and customers beside figures.

use std::cmp::Reverse;
use std::collections::HashSet;

use insights_domain::calendar::{Day, Month};
use insights_proto::metrics::v1::{
    CustomerSupportCases, LookUpSubscriptionsRequest, LookUpSubscriptionsResponse, LookUpSupportCasesRequest,
    LookUpSupportCasesResponse, SubscriptionDetails, SupportCasesOfMonth,
};
use insights_service::Error;

use super::answer;
use super::parse::Parser;
use crate::config::QueryLimits;
use crate::cube::{Cube, ListedSubscription, SupportMonth, Visibility};

/// Which subscriptions are wanted.
#[derive(Debug)]
pub struct SubscriptionLookup {
    wanted: SubscriptionChoice,
    month: Option<Month>,
    most: usize,
}

#[derive(Debug)]
enum SubscriptionChoice {
    Ids(HashSet<String>),
    /// They end from one day to another, both included.
    StreamEnd(Day, Day),
}

/// What a request for subscriptions wants.
pub fn subscriptions(request: &LookUpSubscriptionsRequest, limits: &QueryLimits) -> Result<SubscriptionLookup, Error> {
    let mut parser = Parser::new(limits);
    parser.min_version(request.min_version);
    let by_end = !request.ends_from.is_empty() || !request.ends_to.is_empty();
    if request.ids.len() > limits.names {
        parser.fault("ids", format!("has {} entries, more than {}", request.ids.len(), limits.names));
    } else if by_end && !request.ids.is_empty() {
        parser.fault("ends_from", "goes without ids");
    }
    let mut day = |field: &str, text: &str| {
        let day: Option<Day> = text.parse().ok();
        if by_end && day.is_none() {
            parser.fault(field, "must be a day such as 2026-01-31");
        }
        day
    };
    let days = day("ends_from", &request.ends_from).zip(day("ends_to", &request.ends_to));
    let month: Option<Month> = request.month.parse().ok();
    if month.is_none() && !request.month.is_empty() {
        parser.fault("month", "must be a month such as 2026-01");
    }
    let wanted = match days {
        Some((from, to)) => SubscriptionChoice::StreamEnd(from, to),
        None => SubscriptionChoice::Ids(request.ids.iter().cloned().collect()),
    };
    parser.finish(SubscriptionLookup { wanted, month, most: limits.names })
}

impl SubscriptionLookup {
    /// Those that the caller may see.
    pub fn find(&self, cube: &Cube, view: Visibility<'_>) -> LookUpSubscriptionsResponse {
        let wanted = |entry: &ListedSubscription<'_>| match &self.wanted {
            SubscriptionChoice::Ids(ids) => ids.contains(&entry.subscription.id),
            SubscriptionChoice::StreamEnd(from, to) => {
                entry.subscription.end.is_some_and(|end| *from <= end && end <= *to)
            }
        };
        let mut found: Vec<_> = cube.subscriptions(view, self.month).filter(wanted).collect();
        found.sort_unstable_by_key(|entry| (entry.subscription.end, &entry.subscription.id));
        let truncated = found.len() > self.most;
        LookUpSubscriptionsResponse {
            subscriptions: found.into_iter().take(self.most).map(details).collect(),
            truncated,
            freshness: Some(answer::freshness(cube)),
        }
    }
}

fn details(entry: ListedSubscription<'_>) -> SubscriptionDetails {
    let ListedSubscription { customer, subscription, sku } = entry;
    let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    SubscriptionDetails {
        subscription_id: subscription.id.clone(),
        customer_id: customer.id.clone(),
        customer_name: customer.name.clone().unwrap_or_default(),
        sku_id: sku.map(|sku| sku.id.clone()).unwrap_or_default(),
        sku_name: sku.map(|sku| sku.name.clone()).unwrap_or_default(),
        product: sku.map(|sku| sku.product.clone()).unwrap_or_default(),
        start: day(subscription.start),
        end: day(subscription.end),
    }
}

/// Whose support cases are wanted.
#[derive(Debug)]
pub struct SupportCaseLookup {
    from: Month,
    to: Month,
    min_how_to: i64,
    most: usize,
}

/// What a request for support cases wants.
pub fn support_cases(request: &LookUpSupportCasesRequest, limits: &QueryLimits) -> Result<SupportCaseLookup, Error> {
    let mut parser = Parser::new(limits);
    parser.min_version(request.min_version);
    let mut month = |field: &str, text: &str| {
        let month: Option<Month> = text.parse().ok();
        if month.is_none() {
            parser.fault(field, "must be a month such as 2026-01");
        }
        month
    };
    let months = month("from_month", &request.from_month).zip(month("to_month", &request.to_month));
    if request.min_how_to < 1 {
        parser.fault("min_how_to", "is less than 1");
    }
    let wanted =
        months.map(|(from, to)| SupportCaseLookup { from, to, min_how_to: request.min_how_to, most: limits.names });
    parser.finish(wanted)?.ok_or_else(|| Error::invalid("from_month", "is required"))
}

impl SupportCaseLookup {
    /// Those of customers that the caller may see.
    pub fn find(&self, cube: &Cube, view: Visibility<'_>) -> LookUpSupportCasesResponse {
        let within = |cases: &&SupportMonth| self.from <= cases.month && cases.month <= self.to;
        let how_to = |cases: &[SupportMonth]| cases.iter().filter(within).map(|it| i64::from(it.how_to)).sum::<i64>();
        let customers = cube.customers(view).map(|customer| (how_to(&customer.support_cases), customer));
        let mut found: Vec<_> = customers.filter(|(how_to, _)| *how_to >= self.min_how_to).collect();
        found.sort_unstable_by_key(|(how_to, customer)| (Reverse(*how_to), &customer.id));
        let truncated = found.len() > self.most;
        let month = |cases: &SupportMonth| SupportCasesOfMonth {
            month: cases.month.to_string(),
            total: cases.total.into(),
            how_to: cases.how_to.into(),
        };
        let customers = found.into_iter().take(self.most).map(|(_, customer)| CustomerSupportCases {
            customer_id: customer.id.clone(),
            months: customer.support_cases.iter().filter(within).map(month).collect(),
        });
        LookUpSupportCasesResponse {
            customers: customers.collect(),
            truncated,
            freshness: Some(answer::freshness(cube)),
        }
    }
}
