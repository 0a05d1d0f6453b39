//! One cell: what matches a list of filters in one month.

use crate::calendar::Month;
use crate::counted::{Facts, Licence};
use crate::query::{Filter, Query, SUBSCRIPTION_LEVEL, Scope};
use crate::record::{Attribution, ReportedUsage};
use crate::snapshot::Snapshot;
use crate::spelling::folded_name;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// A cell: the query's filters, the caller's binding and the values of its group, all alike.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct Cell<'a> {
    pub facts: &'a Facts,
    pub query: &'a Query,
    pub filters: Vec<Filter>,
}

impl<'a> Cell<'a> {
    /// The cell of a group.
    pub fn new(facts: &'a Facts, query: &'a Query, group: &[Filter]) -> Self {
        let mut filters = query.filters.clone();
        filters.extend_from_slice(group);
        if let Some(locations) = &query.bound {
            let values = locations.iter().cloned().map(Some).collect();
            filters.push(Filter { dimension: "location".into(), values });
        }
        Self { facts, query, filters }
    }

    fn on<'s>(&'s self, dimensions: &'s [&str]) -> impl Iterator<Item = &'s Filter> {
        self.filters.iter().filter(move |filter| dimensions.contains(&filter.dimension.as_str()))
    }

    /// A subscription-level dimension is filtered, grouped by or scoped.
    pub fn looks_at_subscriptions(&self) -> bool {
        self.query.scope != Scope::All || self.on(&SUBSCRIPTION_LEVEL).next().is_some()
    }

    /// The restricting services.
    pub fn services(&self) -> BTreeSet<String> {
        let of_skus = self.on(&["product", "sku"]).next().is_some();
        let of_service = self.on(&["service"]).next().is_some();
        let mut services: BTreeSet<String> = if of_skus {
            let fits = |id: &String, product: &String| {
                self.on(&["sku"]).all(|f| names(f, id)) && self.on(&["product"]).all(|f| names(f, product))
            };
            let skus = self.facts.skus.iter().filter(|(id, sku)| fits(id, &sku.product));
            skus.flat_map(|(_, sku)| sku.services.clone()).collect()
        } else if of_service {
            self.on(&["service"]).flat_map(|f| f.values.iter().flatten().cloned()).collect()
        } else {
            self.facts.services()
        };
        for filter in self.on(&["service"]) {
            services.retain(|service| filter.values.contains(&Some(service.clone())));
        }
        services
    }

    /// Whether the customer-level filters hold.
    pub fn customer_fits(&self, id: &str) -> bool {
        let customer = &self.facts.customers[id];
        self.filters.iter().all(|filter| match filter.dimension.as_str() {
            "country" => filter.values.contains(&customer.country),
            "segment" => filter.values.contains(&customer.segment),
            "industry" => filter.values.contains(&customer.industry),
            "customer" => filter.values.contains(&Some(id.to_owned())),
            _ => true,
        })
    }

    /// Whether one attribution satisfies everything asked of attributions.
    fn attributed(&self, attributions: &[Attribution]) -> bool {
        let none = [(None, None)];
        let attributions = if attributions.is_empty() { &none } else { attributions };
        attributions.iter().any(|(location, kind)| {
            self.on(&["location"]).all(|f| f.values.contains(location))
                && self.on(&["attribution_type"]).all(|f| f.values.contains(kind))
        })
    }

    /// Whether one service satisfies everything asked of services.
    fn carries(&self, services: &[String]) -> bool {
        let services = if services.is_empty() { vec![None] } else { services.iter().cloned().map(Some).collect() };
        services.iter().any(|service| self.on(&["service"]).all(|filter| filter.values.contains(service)))
    }

    /// Whether a subscription matches on its snapshot's day.
    pub fn matches(&self, s: &Snapshot) -> bool {
        let in_scope = match self.query.scope {
            Scope::All => true,
            Scope::Own => s.seller == "own",
            Scope::SoldOrManaged => s.seller == "own" || !s.attributions.is_empty(),
        };
        in_scope
            && self.customer_fits(&s.customer)
            && self.attributed(&s.attributions)
            && self.carries(&s.services)
            && self.filters.iter().all(|filter| {
                let has = |value: &str| filter.values.contains(&Some(value.to_owned()));
                match filter.dimension.as_str() {
                    "product" => names(filter, &s.product),
                    "sku" => names(filter, &s.sku),
                    "sales_channel" => filter.values.contains(&s.sales_channel),
                    "pricing_model" => filter.values.contains(&s.pricing_model),
                    "seller" => has(&s.seller),
                    "trial" => has(if s.trial { "true" } else { "false" }),
                    "standing" => has(s.standing),
                    "subscription" => has(&s.id),
                    _ => true,
                }
            })
    }

    /// Matching subscriptions in a month; none in a month without data.
    pub fn matching(&self, month: Month) -> Vec<&'a Snapshot> {
        self.facts.snapshots.get(&month).into_iter().flatten().filter(|s| self.matches(s)).collect()
    }

    /// Whether a subscription is in good standing under the switches.
    pub fn good(&self, s: &Snapshot) -> bool {
        s.good(self.query.include_grace, self.query.include_free)
    }

    /// Whether a subscription is in the seat numbers at all.
    pub fn in_seats(&self, s: &Snapshot) -> bool {
        !s.free || self.query.include_free
    }

    /// Customers counted in a month.
    pub fn counted(&self, month: Month) -> BTreeSet<String> {
        let active = self.matching(month).into_iter().filter(|s| s.standing == "ACTIVE");
        active.map(|s| s.customer.clone()).collect()
    }

    /// Counted customers with activity.
    pub fn active_customers(&self, month: Month) -> BTreeSet<String> {
        let (services, day) = (self.services(), self.facts.day(month));
        let matching = self.matching(month);
        let mut counted = self.counted(month);
        counted.retain(|customer| {
            let used = self.facts.use_in_window(customer, day).iter().any(|(_, service)| services.contains(service));
            let reported = matching.iter().any(|s| s.customer == *customer && s.active_reported.is_some_and(|n| n > 0));
            used || reported || self.usage_for_activity(customer, month).iter().any(|(_, row)| row.active_users > 0)
        });
        counted
    }

    /// Whether nobody knows what was used of some seats.
    pub fn use_is_unknown(&self, month: Month) -> bool {
        self.matching(month).into_iter().any(|s| self.in_seats(s) && s.active_unknown)
    }

    /// Whether nobody knows of some customer that is counted whether it was active, for the report that told is missing.
    pub fn activity_is_unknown(&self, month: Month) -> bool {
        let (counted, active) = (self.counted(month), self.active_customers(month));
        let missing = |s: &Snapshot| s.active_unknown && s.active_reported.is_some();
        let mut silent: BTreeSet<String> =
            self.matching(month).into_iter().filter(|s| missing(s)).map(|s| s.customer.clone()).collect();
        silent.extend(counted.iter().filter(|customer| self.usage_is_carried(customer, month)).cloned());
        silent.iter().any(|customer| counted.contains(customer) && !active.contains(customer))
    }

    /// Whether who of a customer's users was active on a restricting service is told of an earlier month alone.
    pub fn usage_is_carried(&self, customer: &str, month: Month) -> bool {
        self.usage_for_activity(customer, month).iter().any(|(_, row)| row.carried)
    }

    /// Customers that `active_users` looks at.
    pub fn looked_at(&self, month: Month) -> Vec<&'a str> {
        let matching = self.matching(month);
        let customers = self.facts.customers.keys().filter(|customer| self.customer_fits(customer));
        let has_state = |customer: &str| matching.iter().any(|s| s.customer == customer && s.has_state);
        customers.filter(|c| !self.looks_at_subscriptions() || has_state(c)).map(String::as_str).collect()
    }

    /// Users of a customer with activity in the window on a restricting service.
    pub fn active_users_of(&self, customer: &str, month: Month) -> BTreeSet<String> {
        let services = self.services();
        let used = self.facts.use_in_window(customer, self.facts.day(month));
        used.into_iter().filter(|(_, service)| services.contains(service)).map(|(user, _)| user).collect()
    }

    /// Licences of a customer for a restricting service, where they count.
    pub fn licences_of(&self, customer: &str) -> Vec<&'a Licence> {
        if self.looks_at_subscriptions() {
            return Vec::new();
        }
        let services = self.services();
        self.facts.licences.iter().filter(|l| l.customer == customer && services.contains(&l.service)).collect()
    }

    /// Users of a customer held in good standing on the snapshot day.
    pub fn total_users_of(&self, customer: &str, month: Month) -> BTreeSet<String> {
        let day = self.facts.day(month);
        let good = self.matching(month).into_iter().filter(|s| s.customer == customer && self.good(s));
        let assigned = good.flat_map(|s| s.held_on_day.clone());
        let licensed = self.licences_of(customer).into_iter().filter(|l| l.on(day)).map(|l| l.user.clone());
        assigned.chain(licensed).collect()
    }

    /// Reported usage of a customer and month on restricting services, where its attributions let it count.
    fn usage_of(&self, customer: &str, month: Month) -> Vec<(&'a String, &'a ReportedUsage)> {
        let services = self.services();
        let rows =
            self.facts.usage.iter().filter(|((c, s, m), _)| c == customer && *m == month && services.contains(s));
        let rows = rows.filter(|(_, row)| row.attributions.is_empty() || self.attributed(&row.attributions));
        rows.map(|((_, service, _), row)| (service, row)).collect()
    }

    /// Reported usage that serves active users: no activity on the service by d.
    pub fn usage_for_activity(&self, customer: &str, month: Month) -> Vec<(&'a String, &'a ReportedUsage)> {
        let day = self.facts.day(month);
        let mut rows = self.usage_of(customer, month);
        rows.retain(|(service, _)| !self.facts.used_by(customer, service, day));
        rows
    }

    /// Reported usage that serves total users: neither assignments nor licences of the service by d.
    pub fn usage_for_licences(&self, customer: &str, month: Month) -> Vec<(&'a String, &'a ReportedUsage)> {
        if self.looks_at_subscriptions() {
            return Vec::new();
        }
        let day = self.facts.day(month);
        let licensed = |service: &String| self.licensed_by(customer, service, day);
        let mut rows = self.usage_of(customer, month);
        rows.retain(|(service, _)| !self.facts.assigned_by(customer, service, month) && !licensed(service));
        rows
    }

    fn licensed_by(&self, customer: &str, service: &str, day: NaiveDate) -> bool {
        self.facts.licences.iter().any(|l| l.customer == customer && l.service == service && l.from <= day)
    }

    /// Reported numbers are answered for one service at a time: their sum, or null where a number cannot be placed.
    pub fn reported(&self, numbers: &[u64]) -> Option<u64> {
        match self.services().len() {
            1 => Some(numbers.iter().sum()),
            _ if numbers.iter().any(|n| *n > 0) => None,
            _ => Some(0),
        }
    }

    /// Active users, null where reported usage makes them so.
    pub fn active_users(&self, month: Month) -> Option<u64> {
        let customers = self.looked_at(month);
        let computed: usize = customers.iter().map(|c| self.active_users_of(c, month).len()).sum();
        if customers.iter().any(|customer| self.usage_is_carried(customer, month)) {
            return None;
        }
        let rows = customers.iter().flat_map(|c| self.usage_for_activity(c, month));
        let reported = self.reported(&rows.map(|(_, row)| row.active_users).collect::<Vec<_>>())?;
        Some(computed as u64 + reported)
    }

    /// Total users, null where reported usage makes them so.
    pub fn total_users(&self, month: Month) -> Option<u64> {
        // Who has no matching subscription has none in good standing either, so the customers looked at are enough.
        let customers = self.looked_at(month);
        let computed: usize = customers.iter().map(|c| self.total_users_of(c, month).len()).sum();
        let rows = customers.iter().flat_map(|c| self.usage_for_licences(c, month));
        let reported = self.reported(&rows.map(|(_, row)| row.units).collect::<Vec<_>>())?;
        Some(computed as u64 + reported)
    }

    /// Revenue of matching subscriptions by currency.
    pub fn revenue(&self, month: Month) -> BTreeMap<String, i128> {
        let mut sums = BTreeMap::new();
        for s in self.matching(month) {
            for (currency, micros) in &s.revenue {
                *sums.entry(currency.clone()).or_default() += micros;
            }
        }
        sums
    }
}

/// Whether a filter has a name, in whatever case and with whatever blanks.
fn names(filter: &Filter, name: &str) -> bool {
    filter.values.iter().flatten().any(|value| folded_name(value) == folded_name(name))
}
