//! Figures as rows: one per month, group and currency.

use insights_domain::amount::Amount;
use insights_domain::calendar::Month;
use insights_domain::percentage::Percentage;
use insights_domain::standing::Standing;
use insights_proto::metrics::v1::{Dimension, Measure};

use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::dimensions::{SUBSCRIPTION_LEVEL, WHAT_LEVEL};
use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Sum;
use crate::cube::data::cube::{Cube, View};
use crate::cube::scan::accumulators::{Accumulators, Mark};
use crate::cube::scan::chunk_scan::seller_of;
use crate::query::{Basis, Query};

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAnswer {
    /// Ordered by month, then by the dimensions' values, then by currency.
    pub rows: Vec<AnswerRow>,
    /// Groups may sum to more than the whole.
    pub overlapping: bool,
}

/// One month, group and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRow {
    /// The month.
    pub month: Month,
    /// In the order of `group_by`; `None` is the missing value.
    pub dimensions: Vec<Option<String>>,
    /// In the order of `measures`.
    pub values: Vec<Figure>,
    /// ISO 4217 code, where revenue is asked for and there is some.
    pub currency: Option<String>,
    /// Where the figures come from.
    pub source: FigureSource,
    /// The month is not complete.
    pub partial: bool,
    /// A measure rests on use that may be greater than what is known of it.
    pub lower_bound: bool,
}

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Nothing known.
    Null,
    /// A count.
    Count(i64),
    /// A percentage.
    Percentage(Percentage),
    /// An amount in the row's currency.
    Amount(Amount),
}

impl Figure {
    /// Says nothing: 0, null, or 0 over 0.
    fn is_nothing(self) -> bool {
        match self {
            Self::Null | Self::Count(0) => true,
            Self::Percentage(percentage) => {
                percentage.numerator.unwrap_or_default() == 0 && percentage.denominator.unwrap_or_default() == 0
            }
            Self::Count(_) => false,
            Self::Amount(amount) => amount.micros() == 0,
        }
    }
}

/// Where figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureSource {
    /// From detail.
    Computed,
    /// From rows somebody else computed.
    Reported,
    /// From both.
    Mixed,
}

impl Cube {
    /// Answers a query for who looks. Months after that of `complete_through` give no rows.
    pub fn query(&self, query: &Query, view: View<'_>) -> QueryAnswer {
        let compiled = self.compiled(query, view);
        let counted = compiled.count(false);
        let mut rows = Vec::new();
        compiled.each_row(&counted, |group, row| rows.push(row.with(counted.groups[group].1.clone())));
        QueryAnswer { rows, overlapping: compiled.overlapping() }
    }

    /// The plan of a query, limited to the groups it is about.
    pub fn compiled<'a>(&'a self, query: &'a Query, view: View<'a>) -> CompiledQuery<'a> {
        let mut compiled = CompiledQuery::new(query, self, view);
        if let Some(top) = query.top {
            compiled.limit_to(self.best(query, top, view));
        } else if let Some(slice) = &query.slice {
            let whole = Query { slice: None, ..query.clone() };
            compiled.limit_to(CompiledQuery::new(&whole, self, view).first_after(slice));
        }
        compiled
    }
}

/// A row before its dimensions are spelled.
pub struct ResultRow<'f> {
    pub month: Month,
    pub values: &'f [Figure],
    pub currency: Option<&'f str>,
    pub source: FigureSource,
    pub partial: bool,
    pub lower_bound: bool,
}

impl ResultRow<'_> {
    fn with(&self, dimensions: Vec<Option<String>>) -> AnswerRow {
        AnswerRow {
            month: self.month,
            dimensions,
            values: self.values.to_vec(),
            currency: self.currency.map(str::to_owned),
            source: self.source,
            partial: self.partial,
            lower_bound: self.lower_bound,
        }
    }
}

/// A query's groups in the order of their values, with their figures.
pub struct SortedGroups {
    pub accumulators: Accumulators,
    pub groups: Vec<(u32, Vec<Option<String>>)>,
}

impl CompiledQuery<'_> {
    /// Reads every chunk and puts the groups in order.
    pub fn count(&self, explained: bool) -> SortedGroups {
        let accumulators = self.read(explained);
        let keys = accumulators.groups.iter().zip(0..);
        let mut groups: Vec<(u32, Vec<Option<String>>)> =
            keys.map(|(group, position)| (position, self.values_of(group.key))).collect();
        groups.sort_unstable_by(|(_, left), (_, right)| left.cmp(right));
        SortedGroups { accumulators, groups }
    }

    /// The months that give rows.
    pub fn months(&self) -> impl Iterator<Item = Month> + use<> {
        (self.range.0.index()..=self.range.1.index()).filter_map(Month::from_index)
    }

    /// Takes every row, in order, and the place of its group.
    pub fn each_row(&self, counted: &SortedGroups, mut take: impl FnMut(usize, ResultRow<'_>)) {
        let mut values = Vec::new();
        for month in self.months() {
            for (place, (group, dimensions)) in counted.groups.iter().enumerate() {
                let is_whole = dimensions.is_empty();
                self.rows_of(&counted.accumulators, *group, is_whole, month, &mut values, |row| take(place, row));
            }
        }
    }

    /// Takes the rows of a group in a month; the whole has one even where nothing is known. `values` is used again.
    pub fn rows_of(
        &self,
        accumulators: &Accumulators,
        group: u32,
        is_whole: bool,
        month: Month,
        values: &mut Vec<Figure>,
        mut take: impl FnMut(ResultRow<'_>),
    ) {
        let mut row = |currency: Option<&str>, amount: Option<Amount>| {
            values.clear();
            values.extend(
                self.query.measures.iter().map(|measure| self.figure(*measure, accumulators, group, month, amount)),
            );
            if is_whole || values.iter().any(|value| !value.is_nothing()) {
                take(ResultRow {
                    month,
                    values,
                    currency,
                    source: source(accumulators, group, month),
                    partial: self.cube.partner.complete_through < month.last_day(),
                    lower_bound: accumulators.is_marked(Mark::LowerBound, group, month),
                });
            }
        };
        let texts = &self.cube.dictionaries.texts;
        let mut amounts: Vec<(Option<&str>, Amount)> =
            accumulators.revenue(group, month).map(|(code, amount)| (texts.value(code).as_deref(), amount)).collect();
        if amounts.is_empty() {
            row(None, None);
        }
        amounts.sort();
        amounts.into_iter().for_each(|(currency, amount)| row(currency, Some(amount)));
    }

    fn figure(
        &self,
        measure: Measure,
        accumulators: &Accumulators,
        group: u32,
        month: Month,
        amount: Option<Amount>,
    ) -> Figure {
        let sum = |sum| accumulators.sum(sum, group, month);
        let count = |value: u64| Figure::Count(i64::try_from(value).unwrap_or(i64::MAX));
        match measure {
            Measure::Unspecified => Figure::Null,
            Measure::Customers => count(sum(Sum::Customers)),
            Measure::ActiveCustomers => count(sum(Sum::ActiveCustomers)),
            Measure::New => count(sum(Sum::New)),
            Measure::Existing => count(sum(Sum::Customers) - sum(Sum::New)),
            Measure::Churned => count(sum(Sum::Churned)),
            Measure::Returning => count(sum(Sum::Returning)),
            Measure::Subscriptions => count(sum(Sum::Subscriptions)),
            Measure::Available | Measure::TotalEntitlements => count(sum(Sum::Available)),
            Measure::Assigned => count(sum(Sum::Assigned)),
            Measure::Active | Measure::ActiveEntitlements => count(sum(Sum::Active)),
            Measure::DeploymentOpportunity => count(sum(Sum::DeploymentOpportunity)),
            Measure::IdleSeats => count(sum(Sum::IdleSeats)),
            Measure::NewSeats => {
                let before = accumulators.sum(Sum::Available, group, month.previous());
                Figure::Count(sum(Sum::Available).cast_signed() - before.cast_signed())
            }
            Measure::ActiveUsagePercent => Figure::Percentage(Percentage::of(sum(Sum::Active), sum(Sum::Available))),
            Measure::DeploymentPercent => Figure::Percentage(Percentage::of(sum(Sum::Assigned), sum(Sum::Available))),
            Measure::ActiveUsers => active_users(accumulators, group, month).map_or(Figure::Null, count),
            Measure::TotalUsers => total_users(accumulators, group, month).map_or(Figure::Null, count),
            Measure::UsagePercent => Figure::Percentage(match self.query.basis {
                Basis::Entitlements => Percentage::of(sum(Sum::Active), sum(Sum::Available)),
                Basis::Users => Percentage {
                    numerator: active_users(accumulators, group, month),
                    denominator: total_users(accumulators, group, month),
                },
            }),
            Measure::BilledRevenue => amount.map_or(Figure::Null, Figure::Amount),
        }
    }

    /// What a group ranks by in one month: revenue in the reporting currency, in millionths; else the count.
    pub fn score(&self, measure: Measure, accumulators: &Accumulators, group: u32, month: Month) -> i128 {
        if measure == Measure::BilledRevenue {
            let texts = &self.cube.dictionaries.texts;
            let amounts = accumulators.revenue(group, month);
            let in_reporting =
                amounts.filter(|(code, _)| texts.value(*code).as_ref() == Some(&self.cube.partner.currency));
            return in_reporting.map(|(_, amount)| i128::from(amount.micros())).sum();
        }
        match self.figure(measure, accumulators, group, month, None) {
            Figure::Count(count) => count.into(),
            Figure::Null | Figure::Percentage(_) | Figure::Amount(_) => 0,
        }
    }

    /// The values of a key, in the order of `group_by`.
    pub fn values_of(&self, key: GroupKey) -> Vec<Option<String>> {
        self.query
            .group_by
            .iter()
            .enumerate()
            .map(|(at, dimension)| self.value_of(*dimension, self.layout.code(key, at)))
            .collect()
    }

    fn value_of(&self, dimension: Dimension, code: u32) -> Option<String> {
        let partner = self.cube.partner();
        match dimension {
            Dimension::Unspecified => None,
            Dimension::Country
            | Dimension::Segment
            | Dimension::Industry
            | Dimension::Location
            | Dimension::AttributionType
            | Dimension::SalesChannel
            | Dimension::PricingModel => self.cube.dictionaries.texts.value(code).clone(),
            Dimension::Customer => self.customer_at(code).map(|header| header.id.clone()),
            Dimension::Subscription => self.subscription_at(code),
            Dimension::Product => self.products.get((code as usize).checked_sub(1)?).cloned(),
            Dimension::Sku => partner.skus.get(&code).map(|sku| sku.id.clone()),
            Dimension::Service => partner.services.get(&code).cloned(),
            Dimension::Seller => seller_of(code).map(str::to_owned),
            Dimension::Trial => Some((code == 2).to_string()),
            Dimension::Standing => {
                let code = u8::try_from(code.checked_sub(1)?).ok()?;
                Some(Standing::from_code(code).name().to_owned())
            }
        }
    }

    pub fn asks_active_users(&self) -> bool {
        self.asks(Measure::ActiveUsers)
    }

    pub fn asks_total_users(&self) -> bool {
        self.asks(Measure::TotalUsers)
    }

    /// The measure is asked for, or a usage % on users that shows it.
    fn asks(&self, measure: Measure) -> bool {
        let measures = &self.query.measures;
        measures.contains(&measure) || self.query.basis == Basis::Users && measures.contains(&Measure::UsagePercent)
    }

    /// Parts may sum to more than the whole.
    pub fn overlapping(&self) -> bool {
        let grouped = |wanted: &[Dimension]| self.query.group_by.iter().any(|dimension| wanted.contains(dimension));
        let of_people = self.query.measures.iter().any(|measure| match measure {
            Measure::Customers
            | Measure::ActiveCustomers
            | Measure::New
            | Measure::Existing
            | Measure::Churned
            | Measure::Returning
            | Measure::ActiveUsers
            | Measure::TotalUsers => true,
            Measure::UsagePercent => self.query.basis == Basis::Users,
            _ => false,
        });
        grouped(&[Dimension::Location, Dimension::AttributionType, Dimension::Service])
            || of_people && (grouped(&WHAT_LEVEL) || grouped(&SUBSCRIPTION_LEVEL))
    }
}

fn active_users(accumulators: &Accumulators, group: u32, month: Month) -> Option<u64> {
    (!accumulators.is_marked(Mark::ActiveUsersUnknown, group, month))
        .then(|| accumulators.sum(Sum::ActiveUsers, group, month))
}

fn total_users(accumulators: &Accumulators, group: u32, month: Month) -> Option<u64> {
    (!accumulators.is_marked(Mark::TotalUsersUnknown, group, month))
        .then(|| accumulators.sum(Sum::TotalUsers, group, month))
}

fn source(accumulators: &Accumulators, group: u32, month: Month) -> FigureSource {
    let from = |mark| accumulators.is_marked(mark, group, month);
    match (from(Mark::FromDetail), from(Mark::FromReport)) {
        (_, false) => FigureSource::Computed,
        (false, true) => FigureSource::Reported,
        (true, true) => FigureSource::Mixed,
    }
}
