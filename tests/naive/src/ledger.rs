//! Records in order of receipt: identity, corrections and taking back.

use crate::calendar::Month;
use crate::record::{Owner, Record, read};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeMap;

/// What is stored: one record per key, the one recorded last.
#[derive(Clone, Debug)]
pub struct Ledger {
    now: DateTime<Utc>,
    records: BTreeMap<Vec<String>, Stored>,
    /// Lines that were refused, in order, with what is wrong with them.
    pub rejected: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Stored {
    recorded_at: DateTime<Utc>,
    record: Record,
}

impl Ledger {
    /// An empty ledger at a fixed time.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { now, records: BTreeMap::new(), rejected: Vec::new() }
    }

    /// Every record that stands.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(|stored| &stored.record)
    }

    /// Today in the partner's time zone.
    pub fn today(&self) -> NaiveDate {
        let zone = self.records().find_map(|record| match record {
            Record::Partner { time_zone, .. } => time_zone.clone(),
            _ => None,
        });
        let zone: chrono_tz::Tz = zone.and_then(|z| z.parse().ok()).unwrap_or(chrono_tz::UTC);
        self.now.with_timezone(&zone).date_naive()
    }

    /// Takes lines in, in their order.
    pub fn receive(&mut self, lines: &str) {
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            match read(line, self.today()) {
                Err(fault) => self.rejected.push((line.to_owned(), fault)),
                Ok((Record::Retract { what, customer, service, from, to }, _)) => {
                    self.retract(&what, customer.as_deref(), service.as_deref(), from, to);
                }
                // Without `recorded_at` the time of receipt counts, so that the later line wins.
                Ok((record, recorded_at)) => self.store(record, recorded_at.unwrap_or(self.now)),
            }
        }
    }

    fn store(&mut self, record: Record, recorded_at: DateTime<Utc>) {
        let key = key(&record);
        match self.records.get(&key) {
            Some(stored) if stored.recorded_at > recorded_at => {}
            _ => {
                self.records.insert(key, Stored { recorded_at, record });
            }
        }
    }

    fn retract(&mut self, what: &str, customer: Option<&str>, service: Option<&str>, from: NaiveDate, to: NaiveDate) {
        let owners = self.owners();
        self.records.retain(|_, stored| {
            let Some((kind, day)) = dated(&stored.record) else { return true };
            let hit = kind == what
                && from <= day
                && day <= to
                && (kind == "complete_through" || customer_of(&stored.record, &owners).as_deref() == customer)
                && (service.is_none() || service_of(&stored.record).is_none_or(|s| Some(s) == service));
            !hit
        });
    }

    /// Customer by subscription.
    fn owners(&self) -> BTreeMap<String, String> {
        self.records()
            .filter_map(|record| match record {
                Record::Subscription(s) => Some((s.id.clone(), s.customer.clone())),
                _ => None,
            })
            .collect()
    }
}

fn key(record: &Record) -> Vec<String> {
    let of = |owner: &Owner| match owner {
        Owner::Subscription(s) => vec![s.clone()],
        Owner::CustomerSku(c, s) => vec![c.clone(), s.clone()],
    };
    let text = |parts: &[&dyn ToString]| parts.iter().map(|p| p.to_string()).collect::<Vec<_>>();
    match record {
        Record::Partner { .. } => text(&[&"partner"]),
        Record::Location { location } => text(&[&"location", location]),
        Record::Sku { sku, .. } => text(&[&"sku", sku]),
        Record::Customer { customer, .. } => text(&[&"customer", customer]),
        Record::Subscription(s) => text(&[&"subscription", &s.id]),
        Record::State { subscription, effective, .. } => text(&[&"subscription_state", subscription, effective]),
        Record::Assignment { subscription, user, from, .. } => text(&[&"assignment", subscription, user, from]),
        Record::Licensed { customer, user, service, from, .. } => text(&[&"licensed", customer, user, service, from]),
        Record::Activity { customer, user, service, day } => text(&[&"activity", customer, user, service, day]),
        Record::Revenue { of: owner, month, currency, .. } => {
            [text(&[&"revenue", month, currency]), of(owner)].concat()
        }
        Record::SupportCases { customer, month } => text(&[&"support_cases", customer, month]),
        Record::ReportedSeats { of: owner, month, .. } => [text(&[&"reported_seats", month]), of(owner)].concat(),
        Record::ReportedUsage { customer, service, month, .. } => text(&[&"reported_usage", customer, service, month]),
        Record::CompleteThrough { day } => text(&[&"complete_through", day]),
        Record::Retract { .. } => unreachable!("a retract is not stored"),
    }
}

/// Kind and day, for kinds that can be taken back.
fn dated(record: &Record) -> Option<(&'static str, NaiveDate)> {
    let first = |month: &Month| month.first_day();
    Some(match record {
        Record::State { effective, .. } => ("subscription_state", *effective),
        Record::Assignment { from, .. } => ("assignment", *from),
        Record::Licensed { from, .. } => ("licensed", *from),
        Record::Activity { day, .. } => ("activity", *day),
        Record::Revenue { month, .. } => ("revenue", first(month)),
        Record::SupportCases { month, .. } => ("support_cases", first(month)),
        Record::ReportedSeats { month, .. } => ("reported_seats", first(month)),
        Record::ReportedUsage { month, .. } => ("reported_usage", first(month)),
        Record::CompleteThrough { day } => ("complete_through", *day),
        _ => return None,
    })
}

fn customer_of(record: &Record, owners: &BTreeMap<String, String>) -> Option<String> {
    match record {
        Record::State { subscription, .. } | Record::Assignment { subscription, .. } => {
            owners.get(subscription).cloned()
        }
        Record::Licensed { customer, .. }
        | Record::Activity { customer, .. }
        | Record::SupportCases { customer, .. }
        | Record::ReportedUsage { customer, .. } => Some(customer.clone()),
        Record::Revenue { of, .. } | Record::ReportedSeats { of, .. } => match of {
            Owner::Subscription(subscription) => owners.get(subscription).cloned(),
            Owner::CustomerSku(customer, _) => Some(customer.clone()),
        },
        _ => None,
    }
}

fn service_of(record: &Record) -> Option<&str> {
    match record {
        Record::Licensed { service, .. } | Record::Activity { service, .. } | Record::ReportedUsage { service, .. } => {
            Some(service)
        }
        _ => None,
    }
}
