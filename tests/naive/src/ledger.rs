//! Records in order of receipt: identity, corrections and taking back.

use crate::calendar::Month;
use crate::record::{FIRST_SIGHT, Owner, Read, Record, read};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use std::collections::BTreeMap;

/// What is stored: one record per key, the one recorded last.
#[derive(Clone, Debug)]
pub struct Ledger {
    now: DateTime<Utc>,
    records: BTreeMap<Vec<String>, Stored>,
    /// Everything received, with the time of its receipt.
    received: Vec<(DateTime<Utc>, String)>,
    /// First and last date of last activity received, by customer and service; cut by what was taken back.
    pub lower_bounds: BTreeMap<(String, String), (NaiveDate, NaiveDate)>,
    /// Lines received, bad ones too.
    lines: i64,
    /// Lines that were refused, in order, with what is wrong with them.
    pub rejected: Vec<(String, String)>,
    /// How often two records of a key and with other content were recorded at the same time.
    pub ties: usize,
    /// How often the one received first won then.
    pub ties_won_by_the_first: usize,
}

#[derive(Clone, Debug)]
struct Stored {
    recorded_at: DateTime<Utc>,
    precedence: u8,
    canonical: Vec<u8>,
    record: Record,
}

impl Stored {
    /// What decides between two of one key; the greater stays.
    fn rank(&self) -> (u8, i64) {
        let nanoseconds = self.recorded_at.timestamp_nanos_opt().expect("a time that nanoseconds reach");
        (self.precedence, if self.precedence == FIRST_SIGHT { -nanoseconds } else { nanoseconds })
    }
}

impl Ledger {
    /// An empty ledger at a fixed time.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            records: BTreeMap::new(),
            received: Vec::new(),
            lower_bounds: BTreeMap::new(),
            lines: 0,
            rejected: Vec::new(),
            ties: 0,
            ties_won_by_the_first: 0,
        }
    }

    /// Time goes on.
    pub fn at(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }

    /// What counts with reported rows as they stood at a time: those that what was received by then left standing. All
    /// other records are the ones that stand now.
    pub fn as_of(&self, time: DateTime<Utc>) -> Self {
        let mut then = Self::new(self.now);
        for (at, lines) in self.received.iter().filter(|(at, _)| *at <= time) {
            then.at(*at);
            then.receive(lines);
        }
        let reported = |record: &Record| match record {
            Record::ReportedSeats { .. } | Record::ReportedUsage { .. } => true,
            Record::WholeList { what, .. } => what == "skus",
            _ => false,
        };
        let mut mixed = self.clone();
        mixed.records.retain(|_, stored| !reported(&stored.record));
        mixed.records.extend(then.records.into_iter().filter(|(_, stored)| reported(&stored.record)));
        mixed
    }

    /// Every record that stands, licences with the ends that lists gave them, without customers named by a list that another one of
    /// its day replaced.
    pub fn records(&self) -> Vec<Record> {
        let standing = self.records.values().filter(|stored| !self.is_replaced(stored));
        standing.map(|stored| self.ended(stored)).collect()
    }

    fn is_replaced(&self, stored: &Stored) -> bool {
        let Record::WholeList { source, what, customer: Some(_), day, .. } = &stored.record else { return false };
        self.records.values().any(|other| match &other.record {
            Record::WholeList { source: from, what: of, customer: None, day: on, .. } => {
                (from, of, on) == (source, what, day) && stored.recorded_at < other.recorded_at
            }
            _ => false,
        })
    }

    fn stored(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(|stored| &stored.record)
    }

    /// A licence of a list ends on the day of the first list after it began and was last seen.
    fn ended(&self, stored: &Stored) -> Record {
        let mut record = stored.record.clone();
        if let Record::Licensed { customer, service, from, to, listed: true, .. } = &mut record {
            for other in self.stored() {
                if let Record::LicenceList { customer: whose, service: of, day } = other
                    && (whose, of) == (&*customer, &*service)
                    && day > from
                    && *day > stored.recorded_at.date_naive()
                    && to.is_none_or(|to| *day < to)
                {
                    *to = Some(*day);
                }
            }
        }
        record
    }

    /// Today in the partner's time zone.
    pub fn today(&self) -> NaiveDate {
        let zone = self.stored().find_map(|record| match record {
            Record::Partner { time_zone, .. } => time_zone.clone(),
            _ => None,
        });
        let zone: chrono_tz::Tz = zone.and_then(|z| z.parse().ok()).unwrap_or(chrono_tz::UTC);
        self.now.with_timezone(&zone).date_naive()
    }

    /// Takes lines in, in their order.
    pub fn receive(&mut self, lines: &str) {
        self.received.push((self.now, lines.to_owned()));
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            self.lines += 1;
            match read(line, self.today()) {
                Err(fault) => self.rejected.push((line.to_owned(), fault)),
                Ok(Read { record: Record::Retract { what, customer, service, from, to, before: None }, .. }) => {
                    self.retract(&what, customer.as_deref(), service.as_deref(), from, to);
                }
                Ok(Read { record: Record::Retract { what, customer, from, to, before: Some(before), .. }, .. }) => {
                    self.retract_rows(&what, customer.as_deref(), from, to, before);
                }
                Ok(read) => {
                    self.widen_lower_bounds(&read.record);
                    // Without `recorded_at` the time of receipt counts, which is a later one for a later line.
                    let receipt = self.now + TimeDelta::nanoseconds(self.lines);
                    let recorded_at = read.recorded_at.unwrap_or(receipt);
                    let Read { record, precedence, canonical, .. } = read;
                    self.store(Stored { recorded_at, precedence, canonical, record });
                }
            }
        }
    }

    /// The one of the greater precedence stays; of equal precedence the later recorded one, of assumptions the earlier; the one with
    /// the greater bytes when both were recorded at the same time.
    fn store(&mut self, new: Stored) {
        let key = key(&new.record);
        let Some(old) = self.records.get(&key) else {
            self.records.insert(key, new);
            return;
        };
        let tie = old.rank() == new.rank() && old.canonical != new.canonical;
        let first_wins = (old.rank(), &old.canonical) > (new.rank(), &new.canonical);
        self.ties += usize::from(tie);
        self.ties_won_by_the_first += usize::from(tie && first_wins);
        if !first_wins {
            self.records.insert(key, new);
        }
    }

    fn widen_lower_bounds(&mut self, record: &Record) {
        if let Record::Activity { customer, service, day, lower_bound: true, .. } = record {
            let days = self.lower_bounds.entry((customer.clone(), service.clone())).or_insert((*day, *day));
            *days = (days.0.min(*day), days.1.max(*day));
        }
    }

    fn cut_lower_bounds(&mut self, customer: Option<&str>, service: Option<&str>, from: NaiveDate, to: NaiveDate) {
        self.lower_bounds.retain(|(of, used), (first, last)| {
            if Some(of.as_str()) == customer && service.is_none_or(|service| service == used) {
                while *first <= *last && from <= *first && *first <= to {
                    *first = *first + Days::new(1);
                }
                while *first <= *last && from <= *last && *last <= to {
                    *last = *last - Days::new(1);
                }
            }
            first <= last
        });
    }

    fn retract(&mut self, what: &str, customer: Option<&str>, service: Option<&str>, from: NaiveDate, to: NaiveDate) {
        if what == "activity" {
            self.cut_lower_bounds(customer, service, from, to);
        }
        let owners = self.owners();
        self.records.retain(|_, stored| {
            let Some((kind, day)) = dated(&stored.record) else { return true };
            let list = matches!(stored.record, Record::WholeList { .. }) && what == "whole_list";
            let hit = (kind == what || list)
                && from <= day
                && day <= to
                && (kind == "complete_through" || customer_of(&stored.record, &owners).as_deref() == customer)
                && (service.is_none() || service_of(&stored.record).is_none_or(|s| Some(s) == service));
            !hit
        });
    }

    /// Takes back rows recorded before a time, of every customer where none is named.
    fn retract_rows(
        &mut self,
        what: &str,
        customer: Option<&str>,
        from: NaiveDate,
        to: NaiveDate,
        before: DateTime<Utc>,
    ) {
        let owners = self.owners();
        self.records.retain(|_, stored| {
            let Some((kind, day)) = dated(&stored.record) else { return true };
            let owner = customer_of(&stored.record, &owners);
            let whose = owner.is_some_and(|owner| customer.is_none_or(|customer| customer == owner));
            let is_row = !matches!(stored.record, Record::WholeList { .. });
            !(is_row && kind == what && from <= day && day <= to && whose && stored.recorded_at < before)
        });
    }

    /// Customer by subscription.
    fn owners(&self) -> BTreeMap<String, String> {
        self.stored()
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
    let part = |sku: &Option<String>| sku.iter().map(|sku| format!("part {sku}")).collect::<Vec<_>>();
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
        Record::LicenceList { customer, service, day } => text(&[&"licence_list", customer, service, day]),
        Record::WholeList { source, what, customer, day, ids, part } => {
            let customer = customer.as_deref().unwrap_or_default();
            let of_part = if *part { ids.join("+") } else { String::new() };
            text(&[&"whole_list", source, what, &customer, day, part, &of_part])
        }
        Record::Activity { customer, user, service, day, .. } => text(&[&"activity", customer, user, service, day]),
        Record::Revenue { of: owner, sku, month, currency, .. } => {
            [text(&[&"revenue", month, currency]), of(owner), part(sku)].concat()
        }
        Record::SupportCases { customer, month } => text(&[&"support_cases", customer, month]),
        Record::ReportedSeats { of: owner, sku, month, .. } => {
            [text(&[&"reported_seats", month]), of(owner), part(sku)].concat()
        }
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
        Record::LicenceList { day, .. } => ("licensed", *day),
        Record::WholeList { what, day, .. } => match what.as_str() {
            "subscriptions" => ("subscription_state", *day),
            "skus" => ("reported_seats", *day),
            _ => ("whole_list", *day),
        },
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
        Record::WholeList { customer, .. } => customer.clone(),
        Record::State { subscription, .. } | Record::Assignment { subscription, .. } => {
            owners.get(subscription).cloned()
        }
        Record::Licensed { customer, .. }
        | Record::LicenceList { customer, .. }
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
        Record::Licensed { service, .. }
        | Record::LicenceList { service, .. }
        | Record::Activity { service, .. }
        | Record::ReportedUsage { service, .. } => Some(service),
        _ => None,
    }
}
