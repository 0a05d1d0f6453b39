//! Figures out of nothing.

use std::sync::Mutex;

use insights_domain::calendar::Month;
use insights_proto::metrics::v1::{
    Basis, BatchQueryRequest, Dimension, DimensionValue, Explanation, ExplanationList, Freshness, LookUpNamesRequest,
    Measure, Name, Percentage, Query, Reason, ReasonCount, Result as QueryResult, Row, Source, Value, value::Kind,
};

/// The month in which the data ends.
pub const LAST: &str = "2026-03";

/// Made-up metrics.
pub struct Figures {
    /// The earliest month with data.
    pub first_month: String,
    /// The last day with data.
    pub complete_through: String,
    /// How many customers there are, each with a hundredth of the whole.
    pub customers: usize,
    /// What was asked so far.
    pub asked: Mutex<Vec<BatchQueryRequest>>,
}

impl Default for Figures {
    fn default() -> Self {
        let (first_month, complete_through) = ("2024-04".into(), format!("{LAST}-18"));
        Self { first_month, complete_through, customers: 2, asked: Mutex::default() }
    }
}

/// Values of a dimension and their share of the whole, in percent.
fn groups(dimension: Dimension) -> Vec<(Option<&'static str>, i64)> {
    match dimension {
        Dimension::Product => vec![
            (Some("Office 365"), 71),
            (Some("Dynamics 365 Sales"), 24),
            (Some("Azure"), 18),
            (Some("Dynamics 365 Business Central"), 12),
            (Some("<b>Markup & \"quotes\"</b>"), 3),
        ],
        Dimension::Country => {
            vec![(Some("BR"), 40), (Some("US"), 25), (Some("DE"), 20), (Some("PT"), 10), (None, 5)]
        }
        Dimension::Sku => vec![(Some("sku-sales-ent"), 60), (Some("sku-bc-ess"), 30), (Some("sku-team"), 10)],
        Dimension::Service => {
            vec![(Some("Exchange"), 92), (Some("Teams"), 80), (Some("SharePoint"), 63), (Some("Yammer"), 31)]
        }
        Dimension::Segment => vec![(Some("SMB"), 70), (Some("Enterprise"), 30)],
        _ => vec![(Some("A"), 50), (Some("B"), 50)],
    }
}

/// A count of the whole in a month: grows steadily with a season in it.
pub fn count(measure: Measure, month: i32) -> i64 {
    let age = i64::from(month - (2024 * 12 + 3));
    let season = [0, 3, 5, 4, 1, -2, -4, -3, 0, 2, 3, 1][usize::try_from(month.rem_euclid(12)).unwrap_or(0)];
    let customers = 380 + age * 5 + season;
    match measure {
        Measure::Customers => customers,
        Measure::ActiveCustomers => customers * 83 / 100 - season,
        Measure::New => 12 + season.abs(),
        Measure::Churned => 7 + season.abs() - season / 2,
        Measure::Existing => customers - 12 - season.abs(),
        Measure::Returning => 2 + season.abs() / 3,
        Measure::Subscriptions => customers * 3 - season,
        Measure::Available | Measure::TotalEntitlements => 4_200 + age * 60,
        Measure::Assigned => (4_200 + age * 60) * 81 / 100 + season * 9,
        Measure::Active | Measure::ActiveEntitlements => (4_200 + age * 60) * 58 / 100 + age * 12 + season * 20,
        Measure::DeploymentOpportunity => (4_200 + age * 60) * 19 / 100 + 40,
        Measure::TotalUsers => 3_300 + age * 41,
        Measure::ActiveUsers => 2_200 + age * 45 + season * 11,
        _ => 0,
    }
}

fn value(measure: Measure, month: i32, share: i64, use_share: i64) -> Value {
    let of = |measure| count(measure, month) * share / 100;
    let ratio = |numerator: i64, denominator: i64| {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let value = (denominator != 0).then(|| 100.0 * numerator as f64 / denominator as f64);
        Kind::Percentage(Percentage { value, numerator: Some(numerator), denominator: Some(denominator) })
    };
    let kind = match measure {
        Measure::ActiveUsagePercent => ratio(of(Measure::Active), of(Measure::Available)),
        Measure::DeploymentPercent => ratio(of(Measure::Assigned), of(Measure::Available)),
        Measure::UsagePercent => ratio(of(Measure::ActiveUsers) * use_share / 100, of(Measure::TotalUsers)),
        Measure::ActiveUsers => Kind::Count(of(measure) * use_share / 100),
        _ => Kind::Count(of(measure)),
    };
    Value { kind: Some(kind) }
}

impl Figures {
    /// How fresh they are.
    pub fn freshness(&self) -> Freshness {
        Freshness {
            version: 42,
            epoch: 1,
            complete_through: self.complete_through.clone(),
            first_month: self.first_month.clone(),
            currency: "USD".into(),
        }
    }

    /// Answers a query.
    pub fn answer(&self, query: &Query) -> QueryResult {
        let rows = self.months(query).flat_map(|month| self.rows(query, month)).collect();
        let overlapping = query.group_by().any(|dimension| dimension != Dimension::Country);
        QueryResult { rows, overlapping, redacted: false }
    }

    /// Explains a percentage: what exceeds the denominator and a tenth more is use without a licence.
    pub fn explain(&self, query: &Query) -> ExplanationList {
        let explain = |row: Row| {
            let Some(Kind::Percentage(percentage)) = row.values.first().and_then(|value| value.kind.clone()) else {
                return Explanation::default();
            };
            let (numerator, denominator) =
                (percentage.numerator.unwrap_or_default(), percentage.denominator.unwrap_or_default());
            let covered = denominator.min(numerator - numerator / 10);
            let transferred = (numerator - covered) / 3;
            let reasons = [
                (Reason::LicenseTransferred, transferred),
                (Reason::UnlicensedUse, numerator - covered - transferred),
                (Reason::Trial, 0),
            ];
            Explanation {
                month: row.month,
                dimensions: row.dimensions,
                numerator,
                denominator,
                covered,
                reasons: reasons.map(|(reason, count)| ReasonCount { reason: reason as i32, count }).to_vec(),
            }
        };
        let mut query = query.clone();
        if query.basis() == Basis::Entitlements {
            query.measures = vec![Measure::ActiveUsagePercent as i32];
        }
        ExplanationList { explanations: self.answer(&query).rows.into_iter().map(explain).collect() }
    }

    /// Names of customers, SKUs and products.
    pub fn names(&self, request: &LookUpNamesRequest) -> Vec<Name> {
        let all: Vec<(String, String)> = match request.dimension() {
            Dimension::Customer => (1..=40).map(|n| (format!("C-{n}"), format!("Customer number {n}"))).collect(),
            Dimension::Sku => [
                ("sku-sales-ent", "Dynamics 365 Sales Enterprise"),
                ("sku-bc-ess", "Dynamics 365 Business Central Essentials"),
                ("sku-team", "Dynamics 365 Team Members"),
            ]
            .map(|(id, name)| (id.to_owned(), name.to_owned()))
            .to_vec(),
            dimension => groups(dimension)
                .into_iter()
                .filter_map(|(id, _)| id)
                .map(|id| (id.to_owned(), id.to_owned()))
                .collect(),
        };
        let search = request.search.to_lowercase();
        let wanted = |(id, name): &(String, String)| {
            (request.ids.is_empty() || request.ids.contains(id))
                && (id.to_lowercase().contains(&search) || name.to_lowercase().contains(&search))
        };
        all.into_iter().filter(wanted).map(|(id, name)| Name { id, name }).collect()
    }

    fn months(&self, query: &Query) -> impl Iterator<Item = i32> + use<> {
        let index = |text: &str| text.parse::<Month>().expect("a month").index();
        let (from, to) = (index(&query.from_month), index(&query.to_month));
        let (first, last) = (index(&self.first_month), index(LAST));
        (from.max(first - 1)..=to.min(last)).filter(move |month| *month >= first)
    }

    fn rows(&self, query: &Query, month: i32) -> Vec<Row> {
        let row = |dimensions: Vec<DimensionValue>, share: i64, use_share: i64| Row {
            month: Month::from_index(month).expect("a month").to_string(),
            dimensions,
            values: query.measures().map(|measure| value(measure, month, share, use_share)).collect(),
            currency: String::new(),
            source: Source::Computed as i32,
            partial: Month::from_index(month).expect("a month").to_string() == LAST,
            lower_bound: false,
            carried: false,
        };
        match query.group_by().next() {
            None => vec![row(Vec::new(), 100, 100)],
            Some(Dimension::Customer) => {
                let customer = |number| DimensionValue { value: Some(format!("C-{number}")) };
                (0..self.customers).map(|number| row(vec![customer(number)], 1, 100)).collect()
            }
            Some(dimension) => groups(dimension)
                .into_iter()
                .map(|(key, share)| {
                    let use_share = if key == Some("Yammer") { 190 } else { 100 };
                    row(vec![DimensionValue { value: key.map(str::to_owned) }], share, use_share)
                })
                .collect(),
        }
    }
}
