//! `insights query` and `insights explain`.

use std::{collections::HashMap, time::Duration};

use clap::Args;
use insights_messages::Language;
use insights_proto::{
    metrics::v1::{Basis, Dimension, DimensionValue, Filter, Measure, Query, Scope},
    reporting::v1::{ExplainRequest, QueryRequest},
};
use prost_types::Timestamp;

use crate::{
    client::{Caller, LARGEST_TAKEN},
    failure::Failure,
    names::{dimension_names, measure_names},
    output,
};

/// How missing values are written in filters.
const MISSING: &str = "(none)";

/// What to ask for.
#[derive(Clone, Debug, Default, Args)]
pub struct QueryArgs {
    /// Measures, separated by commas.
    #[arg(long, value_name = "M,…", default_value = "")]
    pub measures: String,
    /// Dimensions to split by, separated by commas; months always.
    #[arg(long, value_name = "DIM,…", default_value = "")]
    pub by: String,
    /// First month, YYYY-MM.
    #[arg(long, value_name = "MONTH")]
    pub from: String,
    /// Last month, YYYY-MM.
    #[arg(long, value_name = "MONTH")]
    pub to: String,
    /// DIMENSION=VALUE,…; values of one filter are united, filters of several dimensions must all hold; (none) is a
    /// missing value, `\,` a comma.
    #[arg(long, value_name = "DIM=V,…")]
    pub filter: Vec<String>,
    /// The base of usage_percent.
    #[arg(long, value_enum)]
    pub basis: Option<BasisName>,
    /// Which subscriptions are looked at.
    #[arg(long, value_enum)]
    pub scope: Option<ScopeName>,
    /// Count grace as good standing.
    #[arg(long)]
    pub include_grace: bool,
    /// Count free SKUs.
    #[arg(long)]
    pub include_free: bool,
    /// Read reported rows as they stood at this time, RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// The answer is at least this fresh: the version an import answered.
    #[arg(long, value_name = "VERSION", default_value_t = 0)]
    pub min_version: i64,
}

/// A basis, as flags spell it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum BasisName {
    /// Active users over total users.
    Users,
    /// Active entitlements over total entitlements.
    Entitlements,
}

/// A scope, as flags spell it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum ScopeName {
    /// Sold by the partner.
    Own,
    /// Sold or managed by the partner.
    SoldOrManaged,
    /// By whomever.
    All,
}

impl QueryArgs {
    /// The query, or everything that is wrong with it.
    pub fn query(&self, default_measure: Option<Measure>) -> Result<Query, Failure> {
        let mut faults = Vec::new();
        let mut measures = each(&self.measures, measure, &mut faults);
        if self.measures.trim().is_empty() {
            match default_measure {
                Some(measure) => measures.push(measure),
                None => faults.push(format!("measures: name at least one of {}", measure_names().join(", "))),
            }
        }
        let group_by = each(&self.by, group, &mut faults).into_iter().flatten().collect::<Vec<_>>();
        let filters = filters(&self.filter, &[]).unwrap_or_else(|more| {
            faults.extend(more);
            Vec::new()
        });
        let as_of = self.as_of.as_deref().and_then(|text| time(text).map_err(|fault| faults.push(fault)).ok());
        if !faults.is_empty() {
            return Err(Failure::Usage(format!("INVALID_ARGUMENT: the query is not valid\n  {}", faults.join("\n  "))));
        }
        Ok(Query {
            measures: measures.into_iter().map(i32::from).collect(),
            group_by: group_by.into_iter().map(i32::from).collect(),
            from_month: self.from.clone(),
            to_month: self.to.clone(),
            filters,
            basis: self.basis.map_or(Basis::Unspecified, BasisName::basis).into(),
            scope: self.scope.map_or(Scope::Unspecified, ScopeName::scope).into(),
            include_grace: self.include_grace,
            include_free: self.include_free,
            as_of,
            ..Query::default()
        })
    }
}

impl BasisName {
    fn basis(self) -> Basis {
        match self {
            Self::Users => Basis::Users,
            Self::Entitlements => Basis::Entitlements,
        }
    }
}

impl ScopeName {
    /// As the API has it.
    pub fn scope(self) -> Scope {
        match self {
            Self::Own => Scope::Own,
            Self::SoldOrManaged => Scope::SoldOrManaged,
            Self::All => Scope::AllSellers,
        }
    }
}

fn each<T>(list: &str, parse: impl Fn(&str) -> Result<T, String>, faults: &mut Vec<String>) -> Vec<T> {
    let mut found = Vec::new();
    for name in list.split(',').map(str::trim).filter(|_| !list.trim().is_empty()) {
        match parse(name) {
            Ok(one) => found.push(one),
            Err(fault) => faults.push(fault),
        }
    }
    found
}

fn measure(name: &str) -> Result<Measure, String> {
    Measure::from_short_name(name)
        .ok_or_else(|| format!("measures: there is no measure \"{name}\"; known: {}", measure_names().join(", ")))
}

/// Months are always there: naming them changes nothing.
fn group(name: &str) -> Result<Option<Dimension>, String> {
    if name == "month" {
        return Ok(None);
    }
    Dimension::from_short_name(name)
        .map(Some)
        .ok_or_else(|| format!("by: there is no dimension \"{name}\"; known: {}, month", dimension_names()))
}

/// A dimension that is narrowed by a flag of its own, and the flag.
pub type Flagged = (Dimension, &'static str);

/// Filters, each of another dimension, and of none that a flag narrows: whether a dimension that is named twice were to
/// have any of the values or all of them would be a guess.
pub fn filters(texts: &[String], flags: &[Flagged]) -> Result<Vec<Filter>, Vec<String>> {
    let (mut filters, mut faults) = (Vec::<Filter>::new(), Vec::new());
    let mut named: HashMap<Dimension, String> = HashMap::new();
    for text in texts {
        let Some((name, values)) = text.split_once('=') else {
            faults.push(format!("filter: \"{text}\" is not of the form DIMENSION=VALUE,…"));
            continue;
        };
        let Some(dimension) = Dimension::from_short_name(name.trim()) else {
            let hint = if name.trim() == "month" { "use --from and --to for months" } else { "" };
            let known = if hint.is_empty() { format!("known: {}", dimension_names()) } else { hint.to_owned() };
            faults.push(format!("filter: there is no dimension \"{name}\" to filter by; {known}"));
            continue;
        };
        if let Some((_, flag)) = flags.iter().find(|(flagged, _)| *flagged == dimension) {
            faults.push(format!("filter: \"{name}\" is named twice, by {flag} too; leave one of them out"));
            continue;
        }
        if let Some(others) = named.get_mut(&dimension) {
            *others = format!("{others},{values}");
            faults.push(format!(
                "filter: \"{name}\" is named twice; values of one filter are united: --filter \"{name}={others}\""
            ));
            continue;
        }
        named.insert(dimension, values.to_owned());
        let split = split_values(values);
        if split.iter().any(String::is_empty) {
            faults.push(format!("filter: \"{text}\" has an empty value; a missing value is written {MISSING}"));
            continue;
        }
        let values = split.into_iter().map(|value| DimensionValue { value: Some(value).filter(|it| it != MISSING) });
        filters.push(Filter { dimension: dimension.into(), values: values.collect() });
    }
    if faults.is_empty() { Ok(filters) } else { Err(faults) }
}

/// A value as filters write it.
#[must_use]
pub fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(',', "\\,")
}

/// Splits at commas; `\,` is a comma and `\\` a backslash within a value.
fn split_values(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = values.len() - 1;
        match letter {
            '\\' if matches!(letters.peek(), Some(',' | '\\')) => values[last].extend(letters.next()),
            ',' => values.push(String::new()),
            letter => values[last].push(letter),
        }
    }
    values
}

fn time(text: &str) -> Result<Timestamp, String> {
    let time = chrono::DateTime::parse_from_rfc3339(text)
        .map_err(|_| format!("as_of: \"{text}\" is not a time of RFC 3339, such as 2026-03-01T12:00:00Z"))?;
    Ok(Timestamp { seconds: time.timestamp(), nanos: time.timestamp_subsec_nanos().cast_signed() })
}

/// `insights query`.
pub async fn query(caller: &Caller, args: &QueryArgs, language: Language, json: bool) -> Result<(), Failure> {
    let query = args.query(None)?;
    let message =
        QueryRequest { query: Some(query.clone()), min_version: args.min_version, max_bytes: LARGEST_TAKEN.into() };
    let request = caller.request(message, Duration::from_secs(60));
    let answer = caller.reporting().query(request).await?.into_inner();
    let result = answer.result.unwrap_or_default();
    let rows = output::rows(&query, &result);
    output::print_rows(&rows, json)?;
    if !json {
        output::note(&result, answer.freshness.as_ref(), language);
    }
    Ok(())
}

/// `insights explain`.
pub async fn explain(caller: &Caller, args: &QueryArgs, json: bool) -> Result<(), Failure> {
    let query = args.query(Some(Measure::UsagePercent))?;
    let message =
        ExplainRequest { query: Some(query.clone()), min_version: args.min_version, max_bytes: LARGEST_TAKEN.into() };
    let request = caller.request(message, Duration::from_secs(60));
    let answer = caller.reporting().explain(request).await?.into_inner();
    output::print_rows(&output::explanations(&query, &answer.explanations), json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(measures: &str, by: &str, filter: &[&str]) -> QueryArgs {
        QueryArgs {
            measures: measures.into(),
            by: by.into(),
            from: "2026-01".into(),
            to: "2026-02".into(),
            filter: filter.iter().map(ToString::to_string).collect(),
            ..QueryArgs::default()
        }
    }

    #[test]
    fn names_become_numbers() {
        let query = args("customers, usage_percent", "month,country,attribution_type", &[]).query(None).unwrap();
        assert_eq!(query.measures, [i32::from(Measure::Customers), i32::from(Measure::UsagePercent)]);
        assert_eq!(query.group_by, [i32::from(Dimension::Country), i32::from(Dimension::AttributionType)]);
        assert_eq!(measure_names().len(), 21);
    }

    #[test]
    fn filters_know_missing_values_and_commas() {
        let query = args("new", "", &["country=BR,(none),PT", r"segment=Small\, odd,Big"]).query(None).unwrap();
        let values =
            |at: usize| query.filters[at].values.iter().map(|value| value.value.as_deref()).collect::<Vec<_>>();
        assert_eq!(query.filters.len(), 2);
        assert_eq!(values(0), [Some("BR"), None, Some("PT")]);
        assert_eq!(values(1), [Some("Small, odd"), Some("Big")]);
    }

    #[test]
    fn a_dimension_is_named_once() {
        let failure = args("new", "", &["country=BR", "segment=Big", "country=PT,(none)"]).query(None).unwrap_err();
        assert_eq!(failure.code(), 2);
        assert!(failure.to_string().contains("\"country\" is named twice"), "{failure}");
        assert!(failure.to_string().ends_with(": --filter \"country=BR,PT,(none)\""), "{failure}");
        let flagged = [(Dimension::Customer, "--customer")];
        let faults = filters(&["customer=C".to_owned()], &flagged).unwrap_err();
        assert_eq!(faults, ["filter: \"customer\" is named twice, by --customer too; leave one of them out"]);
        assert!(filters(&["country=BR".to_owned()], &flagged).is_ok());
        assert_eq!(split_values(&escaped(r"A,\B")), [r"A,\B"]);
    }

    #[test]
    fn every_fault_names_its_field() {
        let failure =
            args("customers,custmers", "contry", &["country", "color=red", "segment="]).query(None).unwrap_err();
        assert_eq!(failure.code(), 2);
        let text = failure.to_string();
        for part in [
            "INVALID_ARGUMENT",
            "measures: there is no measure \"custmers\"; known: customers, ",
            "by: ",
            "filter: \"country\"",
            "\"color\"",
            "empty value",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(args("", "", &[]).query(None).is_err());
        assert!(args("CUSTOMERS", "", &[]).query(None).is_err());
    }
}
