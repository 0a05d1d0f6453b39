//! From the wire to a [`Query`]: every fault of a request is found at once, each with the path of its field.

use chrono::{DateTime, Utc};
use insights_domain::calendar::Month;
use insights_domain::measures::Subject;
use insights_domain::standing::Switches;
use insights_proto::metrics::v1::{self, Dimension, Measure};
use insights_service::{Error, FieldViolation};
use prost_types::Timestamp;

use crate::config::QueryLimits;
use crate::query::{Basis, Filter, Query, Scope, Slice, Top};

/// A query, and the time at which reported rows are read.
#[derive(Clone, Debug)]
pub struct ParsedQuery {
    /// The query.
    pub query: Query,
    /// Reported rows as they stood then; none: as they stand now.
    pub as_of: Option<DateTime<Utc>>,
}

impl ParsedQuery {
    /// About how much work it is, to compare with others: months by measures, and by what it is split into.
    pub fn cost(&self) -> u64 {
        let Query { measures, group_by, from, to, .. } = &self.query;
        let months = u64::try_from(to.index() - from.index() + 1).unwrap_or(1);
        months * (measures.len() as u64).max(1) * 8_u64.pow(group_by.len().min(4) as u32)
    }
}

/// Checks requests against the limits and collects what is wrong with them.
pub struct Parser<'a> {
    limits: &'a QueryLimits,
    faults: Vec<FieldViolation>,
}

impl<'a> Parser<'a> {
    /// A parser that has found nothing wrong yet.
    pub const fn new(limits: &'a QueryLimits) -> Self {
        Self { limits, faults: Vec::new() }
    }

    /// What was parsed, or everything that is wrong.
    pub fn finish<T>(self, parsed: T) -> Result<T, Error> {
        if self.faults.is_empty() { Ok(parsed) } else { Err(Error::Invalid(self.faults)) }
    }

    /// Parses queries under the name of their field.
    pub fn queries(&mut self, field: &str, queries: &[v1::Query]) -> Vec<ParsedQuery> {
        if queries.len() > self.limits.queries {
            self.fault(field, format!("has {} entries, more than {}", queries.len(), self.limits.queries));
            return Vec::new();
        }
        queries.iter().enumerate().filter_map(|(at, query)| self.query(&format!("{field}[{at}]"), query)).collect()
    }

    /// Parses one query under the name of its field; `None` when something is wrong with it.
    pub fn one(&mut self, field: &str, query: Option<&v1::Query>) -> Option<ParsedQuery> {
        let Some(query) = query else {
            self.fault(field, "is required");
            return None;
        };
        self.query(field, query)
    }

    /// Parses queries to explain, each with one usage percentage as its measure.
    pub fn explanations(&mut self, field: &str, queries: &[v1::Query]) -> Vec<ParsedQuery> {
        for (at, query) in queries.iter().enumerate().take(self.limits.queries) {
            self.explainable(&format!("{field}[{at}]"), query);
        }
        self.queries(field, queries)
    }

    /// Parses one query to explain; `None` when something is wrong with it.
    pub fn explanation(&mut self, field: &str, query: Option<&v1::Query>) -> Option<ParsedQuery> {
        let Some(query) = query else {
            self.fault(field, "is required");
            return None;
        };
        self.explainable(field, query);
        self.query(field, query)
    }

    /// Faults a `min_version` that no version can be.
    pub fn min_version(&mut self, version: i64) {
        if version < 0 {
            self.fault("min_version", "is negative");
        }
    }

    /// Notes a fault.
    pub fn fault(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.faults.push(FieldViolation::new(field, description));
    }

    /// Faults what only answers with rows of their own can have.
    pub fn no_further_rows(&mut self, path: &str, query: &v1::Query) {
        if query.every_subscription {
            self.fault(format!("{path}.every_subscription"), "goes without explaining and without streaming");
        }
    }

    fn explainable(&mut self, path: &str, query: &v1::Query) {
        self.no_further_rows(path, query);
        let explained = [Measure::UsagePercent as i32, Measure::ActiveUsagePercent as i32];
        if !matches!(query.measures.as_slice(), [measure] if explained.contains(measure)) {
            self.fault(
                format!("{path}.measures"),
                "to explain must be exactly one of usage_percent and active_usage_percent",
            );
        }
    }

    fn query(&mut self, path: &str, query: &v1::Query) -> Option<ParsedQuery> {
        let before = self.faults.len();
        let months = self.months(path, query);
        let basis = self.basis(path, query.basis);
        let scope = self.scope(path, query.scope);
        let mut measures = self.measures(path, &query.measures);
        let group_by = self.dimensions(path, &query.group_by);
        let filters = self.filters(path, &query.filters);
        let by_service = group_by.contains(&Dimension::Service)
            || filters.iter().any(|filter| filter.dimension == Dimension::Service);
        if by_service {
            for (at, measure) in query.measures.iter().enumerate().take(self.limits.measures) {
                let measure = Measure::try_from(*measure).unwrap_or_default();
                self.by_service(format!("{path}.measures[{at}]"), measure, query.basis());
            }
        }
        let as_of = query.as_of.and_then(|as_of| self.as_of(path, as_of));
        let top = query.top.and_then(|top| self.top(path, top, by_service));
        let slice = query.slice.as_ref().and_then(|slice| self.slice(path, query, slice));
        let (from, to) = months?;
        let switches = Switches { include_grace: query.include_grace, include_free: query.include_free };
        let hidden = query.every_subscription && !measures.contains(&Measure::Subscriptions);
        measures.extend(hidden.then_some(Measure::Subscriptions));
        let query = Query { measures, group_by, from, to, filters, basis, scope, switches, top, slice, hidden };
        let parsed = ParsedQuery { query, as_of };
        (self.faults.len() == before).then_some(parsed)
    }

    fn as_of(&mut self, path: &str, as_of: Timestamp) -> Option<DateTime<Utc>> {
        let time = u32::try_from(as_of.nanos).ok().and_then(|nanos| DateTime::from_timestamp(as_of.seconds, nanos));
        // The feed counts nanoseconds since 1970 in 64 bits.
        let time = time.filter(|time| time.timestamp_nanos_opt().is_some());
        if time.is_none() {
            self.fault(format!("{path}.as_of"), "is not a time");
        }
        time
    }

    fn top(&mut self, path: &str, top: v1::Top, by_service: bool) -> Option<Top> {
        let field = format!("{path}.top.measure");
        let measure = match Measure::try_from(top.measure) {
            Ok(measure) if measure.is_percentage() => {
                self.fault(field, "is a percentage: rank by a count or by billed revenue");
                return None;
            }
            Ok(Measure::Unspecified) | Err(_) => {
                self.fault(field, format!("{} is not a measure", top.measure));
                return None;
            }
            Ok(measure) => measure,
        };
        if by_service && !self.by_service(field, measure, v1::Basis::Users) {
            return None;
        }
        match usize::try_from(top.count) {
            Ok(count) if count > 0 => Some(Top { measure, count }),
            _ => {
                self.fault(format!("{path}.top.count"), "is less than 1");
                None
            }
        }
    }

    fn slice(&mut self, path: &str, query: &v1::Query, slice: &v1::Slice) -> Option<Slice> {
        let before = self.faults.len();
        if query.top.is_some() {
            self.fault(format!("{path}.slice"), "goes without top");
        }
        if query.group_by.is_empty() {
            self.fault(format!("{path}.slice"), "needs something to split by");
        } else if !slice.after.is_empty() && slice.after.len() != query.group_by.len() {
            self.fault(format!("{path}.slice.after"), "must have one value for each of group_by, or none");
        }
        let count = usize::try_from(slice.count).unwrap_or_default();
        if count == 0 {
            self.fault(format!("{path}.slice.count"), "is less than 1");
        }
        let after = slice.after.iter().map(|value| value.value.clone()).collect();
        (self.faults.len() == before).then_some(Slice { after, count })
    }

    /// Faults a measure that is not defined by service; `false` when it is not.
    fn by_service(&mut self, field: String, measure: Measure, basis: v1::Basis) -> bool {
        let defined = measure.subject(basis).map_or(Ok(()), Subject::by_service);
        if let Err(reason) = defined {
            self.fault(field, format!("{} {reason}", measure.short_name()));
        }
        defined.is_ok()
    }

    fn months(&mut self, path: &str, query: &v1::Query) -> Option<(Month, Month)> {
        let from = self.month(format!("{path}.from_month"), &query.from_month);
        let to = self.month(format!("{path}.to_month"), &query.to_month);
        let (from, to) = (from?, to?);
        let months = to.index() - from.index() + 1;
        if months < 1 {
            self.fault(format!("{path}.to_month"), format!("{to} comes before from_month {from}"));
        } else if usize::try_from(months).is_ok_and(|months| months > self.limits.months) {
            self.fault(format!("{path}.to_month"), format!("spans {months} months, more than {}", self.limits.months));
        }
        Some((from, to))
    }

    fn month(&mut self, field: String, text: &str) -> Option<Month> {
        match text.parse() {
            Ok(month) => Some(month),
            Err(_) if text.is_empty() => {
                self.fault(field, "is required, as YYYY-MM");
                None
            }
            Err(error) => {
                self.fault(field, format!("{:?} {error}", shortened(text)));
                None
            }
        }
    }

    fn measures(&mut self, path: &str, measures: &[i32]) -> Vec<Measure> {
        let path = format!("{path}.measures");
        if measures.is_empty() {
            self.fault(path.as_str(), "is required: name at least one measure");
        } else if measures.len() > self.limits.measures {
            self.fault(path, format!("has {} entries, more than {}", measures.len(), self.limits.measures));
            return Vec::new();
        }
        let mut parsed = Vec::with_capacity(measures.len());
        for (at, measure) in measures.iter().enumerate() {
            match Measure::try_from(*measure) {
                Ok(Measure::Unspecified) | Err(_) => {
                    self.fault(format!("{path}[{at}]"), format!("{measure} is not a measure"))
                }
                Ok(measure) if parsed.contains(&measure) => self.fault(format!("{path}[{at}]"), "is named twice"),
                Ok(measure) => parsed.push(measure),
            }
        }
        parsed
    }

    fn dimensions(&mut self, path: &str, dimensions: &[i32]) -> Vec<Dimension> {
        let path = format!("{path}.group_by");
        if dimensions.len() > self.limits.dimensions {
            self.fault(path, format!("has {} entries, more than {}", dimensions.len(), self.limits.dimensions));
            return Vec::new();
        }
        let mut parsed = Vec::with_capacity(dimensions.len());
        for (at, dimension) in dimensions.iter().enumerate() {
            match Dimension::try_from(*dimension) {
                Ok(Dimension::Unspecified) | Err(_) => {
                    self.fault(format!("{path}[{at}]"), format!("{dimension} is not a dimension"))
                }
                Ok(dimension) if parsed.contains(&dimension) => self.fault(format!("{path}[{at}]"), "is named twice"),
                Ok(dimension) => parsed.push(dimension),
            }
        }
        parsed
    }

    /// Filters of one dimension are one filter: within a dimension any value will do.
    fn filters(&mut self, path: &str, filters: &[v1::Filter]) -> Vec<Filter> {
        let path = format!("{path}.filters");
        let values: usize = filters.iter().map(|filter| filter.values.len()).sum();
        if values > self.limits.filter_values {
            self.fault(path, format!("have {values} values, more than {}", self.limits.filter_values));
            return Vec::new();
        }
        let mut parsed: Vec<Filter> = Vec::new();
        for (at, filter) in filters.iter().enumerate() {
            let path = format!("{path}[{at}]");
            let dimension = match Dimension::try_from(filter.dimension) {
                Ok(Dimension::Unspecified) | Err(_) => {
                    self.fault(format!("{path}.dimension"), format!("{} is not a dimension", filter.dimension));
                    continue;
                }
                Ok(dimension) => dimension,
            };
            if filter.values.is_empty() {
                self.fault(format!("{path}.values"), "is required: name at least one value");
            }
            let values = self.values(&path, dimension, &filter.values);
            match parsed.iter_mut().find(|other| other.dimension == dimension) {
                Some(other) => other.values.extend(values),
                None => parsed.push(Filter { dimension, values }),
            }
        }
        for filter in &mut parsed {
            filter.values.sort();
            filter.values.dedup();
        }
        parsed
    }

    fn values(&mut self, path: &str, dimension: Dimension, values: &[v1::DimensionValue]) -> Vec<Option<String>> {
        let mut parsed = Vec::with_capacity(values.len());
        for (at, value) in values.iter().enumerate() {
            let Some(text) = value.value.as_deref() else {
                parsed.push(None);
                continue;
            };
            if text.len() > self.limits.value_bytes {
                self.fault(format!("{path}.values[{at}]"), format!("is longer than {} bytes", self.limits.value_bytes));
                continue;
            }
            match dimension.value_kind().normalise(text) {
                Ok(value) => parsed.push(Some(value)),
                Err(unknown) => self.fault(format!("{path}.values[{at}]"), format!("{:?} {unknown}", shortened(text))),
            }
        }
        parsed
    }

    fn basis(&mut self, path: &str, basis: i32) -> Basis {
        match v1::Basis::try_from(basis) {
            Ok(v1::Basis::Unspecified | v1::Basis::Users) => Basis::Users,
            Ok(v1::Basis::Entitlements) => Basis::Entitlements,
            Err(_) => {
                self.fault(format!("{path}.basis"), format!("{basis} is not a basis"));
                Basis::Users
            }
        }
    }

    fn scope(&mut self, path: &str, scope: i32) -> Scope {
        match v1::Scope::try_from(scope) {
            Ok(v1::Scope::Unspecified | v1::Scope::AllSellers) => Scope::AllSellers,
            Ok(v1::Scope::SoldOrManaged) => Scope::SoldOrManaged,
            Ok(v1::Scope::Own) => Scope::Own,
            Err(_) => {
                self.fault(format!("{path}.scope"), format!("{scope} is not a scope"));
                Scope::AllSellers
            }
        }
    }
}

/// What was sent, short enough for a message.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN { text.to_owned() } else { text.chars().take(SHOWN).chain(['…']).collect() }
}
