//! GroupFigures as rows: one per month, group and currency.

use insights_domain::amount::Amount;
use insights_domain::calendar::Month;
use insights_domain::measures::{self, Subject};
use insights_domain::percentage::Percentage;
use insights_proto::metrics::v1::Measure;

use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::projection::{Projection, Sum};
use crate::cube::scan::accumulators::{Accumulators, Mark};
use crate::cube::scan::parallel::read;
use crate::query::Basis;

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
    /// A measure rests on a month that a report does not cover.
    pub carried: bool,
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
    /// From reported rows.
    Reported,
    /// From both.
    Mixed,
}

/// A row before its dimensions are spelled.
pub struct ResultRow<'f> {
    pub month: Month,
    pub values: &'f [Figure],
    pub currency: Option<&'f str>,
    pub source: FigureSource,
    pub partial: bool,
    pub lower_bound: bool,
    pub carried: bool,
}

impl ResultRow<'_> {
    pub fn with(&self, dimensions: Vec<Option<String>>) -> AnswerRow {
        AnswerRow {
            month: self.month,
            dimensions,
            values: self.values.to_vec(),
            currency: self.currency.map(str::to_owned),
            source: self.source,
            partial: self.partial,
            lower_bound: self.lower_bound,
            carried: self.carried,
        }
    }
}

/// A query's groups in the order of their values, with their figures.
pub struct SortedGroups {
    pub accumulators: Accumulators,
    pub groups: Vec<(u32, Vec<Option<String>>)>,
}

impl SortedGroups {
    /// Reads every chunk and puts the groups in order.
    pub fn read(compiled: &CompiledQuery<'_>, explained: bool) -> Self {
        let accumulators = read(compiled, &Projection::of(compiled, explained));
        let keys = accumulators.groups.iter().zip(0..);
        let mut groups: Vec<(u32, Vec<Option<String>>)> =
            keys.map(|(group, position)| (position, compiled.values_of(group.key))).collect();
        groups.sort_unstable_by(|(_, left), (_, right)| left.cmp(right));
        Self { accumulators, groups }
    }

    /// Takes every row, in order, and the place of its group.
    pub fn each_row(&self, compiled: &CompiledQuery<'_>, mut take: impl FnMut(usize, ResultRow<'_>)) {
        let figures = GroupFigures { compiled, accumulators: &self.accumulators };
        let mut values = Vec::new();
        for month in compiled.months() {
            for (place, (group, dimensions)) in self.groups.iter().enumerate() {
                let is_whole = dimensions.is_empty();
                figures.rows_of(*group, is_whole, month, &mut values, |row| take(place, row));
            }
        }
    }
}

/// What was read for a query, as figures.
pub struct GroupFigures<'f, 'a> {
    pub compiled: &'f CompiledQuery<'a>,
    pub accumulators: &'f Accumulators,
}

impl GroupFigures<'_, '_> {
    /// Takes the rows of a group in a month; the whole has one even where nothing is known. `values` is used again.
    pub fn rows_of(
        &self,
        group: u32,
        is_whole: bool,
        month: Month,
        values: &mut Vec<Figure>,
        mut take: impl FnMut(ResultRow<'_>),
    ) {
        let (accumulators, cube) = (self.accumulators, self.compiled.cube());
        let mut row = |currency: Option<&str>, amount: Option<Amount>| {
            values.clear();
            let measures = self.compiled.query().measures.iter();
            values.extend(measures.map(|measure| self.figure(*measure, group, month, amount)));
            if is_whole || values.iter().any(|value| !value.is_nothing()) {
                take(ResultRow {
                    month,
                    values,
                    currency,
                    source: source(accumulators, group, month),
                    partial: cube.partner.complete_through < month.last_day(),
                    lower_bound: accumulators.is_marked(Mark::LowerBound, group, month),
                    carried: accumulators.is_marked(Mark::Carried, group, month),
                });
            }
        };
        let texts = &cube.dictionaries.texts;
        let mut amounts: Vec<(Option<&str>, Amount)> =
            accumulators.revenue(group, month).map(|(code, amount)| (texts.value(code).as_deref(), amount)).collect();
        if amounts.is_empty() {
            row(None, None);
        }
        amounts.sort();
        amounts.into_iter().for_each(|(currency, amount)| row(currency, Some(amount)));
    }

    fn figure(&self, measure: Measure, group: u32, month: Month, amount: Option<Amount>) -> Figure {
        let accumulators = self.accumulators;
        let sum = |sum| accumulators.sum(sum, group, month);
        let count = |value: u64| Figure::Count(i64::try_from(value).unwrap_or(i64::MAX));
        let known = |mark, sum: u64| (!accumulators.is_marked(mark, group, month)).then_some(sum);
        let active = || known(Mark::ActiveUnknown, sum(Sum::Active));
        let of_available = |numerator| Percentage { numerator, denominator: Some(sum(Sum::Available)) };
        match measure {
            Measure::Unspecified => Figure::Null,
            Measure::Customers => count(sum(Sum::Customers)),
            Measure::ActiveCustomers => {
                known(Mark::ActiveCustomersUnknown, sum(Sum::ActiveCustomers)).map_or(Figure::Null, count)
            }
            Measure::New => count(sum(Sum::New)),
            Measure::Existing => count(measures::existing(sum(Sum::Customers), sum(Sum::New))),
            Measure::Churned => count(sum(Sum::Churned)),
            Measure::Returning => count(sum(Sum::Returning)),
            Measure::Subscriptions => count(sum(Sum::Subscriptions)),
            Measure::Available | Measure::TotalEntitlements => count(sum(Sum::Available)),
            Measure::Assigned => count(sum(Sum::Assigned)),
            Measure::Active | Measure::ActiveEntitlements => active().map_or(Figure::Null, count),
            Measure::DeploymentOpportunity => count(sum(Sum::DeploymentOpportunity)),
            Measure::IdleSeats => known(Mark::IdleUnknown, sum(Sum::IdleSeats)).map_or(Figure::Null, count),
            Measure::NewSeats => {
                let before = accumulators.sum(Sum::Available, group, month.previous());
                Figure::Count(measures::new_seats(before, sum(Sum::Available)))
            }
            Measure::ActiveUsagePercent => Figure::Percentage(of_available(active())),
            Measure::DeploymentPercent => Figure::Percentage(Percentage::of(sum(Sum::Assigned), sum(Sum::Available))),
            Measure::ActiveUsers => active_users(accumulators, group, month).map_or(Figure::Null, count),
            Measure::TotalUsers => total_users(accumulators, group, month).map_or(Figure::Null, count),
            Measure::UsagePercent => Figure::Percentage(match self.compiled.query().basis {
                Basis::Entitlements => of_available(active()),
                Basis::Users => Percentage {
                    numerator: active_users(accumulators, group, month),
                    denominator: total_users(accumulators, group, month),
                },
            }),
            Measure::BilledRevenue => amount.map_or(Figure::Null, Figure::Amount),
        }
    }

    /// What a group ranks by in one month: revenue in the reporting currency, in millionths; else the count.
    pub fn score(&self, measure: Measure, group: u32, month: Month) -> i128 {
        if measure == Measure::BilledRevenue {
            let cube = self.compiled.cube();
            let reporting = |code: u32| cube.dictionaries.texts.value(code).as_ref() == Some(&cube.partner.currency);
            let amounts = self.accumulators.revenue(group, month).filter(|(code, _)| reporting(*code));
            return amounts.map(|(_, amount)| i128::from(amount.micros())).sum();
        }
        match self.figure(measure, group, month, None) {
            Figure::Count(count) => count.into(),
            Figure::Null | Figure::Percentage(_) | Figure::Amount(_) => 0,
        }
    }

    /// The group has a row in some month.
    pub fn has_row(&self, group: u32, is_whole: bool) -> bool {
        let (mut values, mut found) = (Vec::new(), false);
        self.compiled.months().any(|month| {
            self.rows_of(group, is_whole, month, &mut values, |_| found = true);
            found
        })
    }
}

/// Parts may sum to more than the whole: groups of which a subscription may be in several, and people, whom groups within a
/// customer count again.
pub fn overlapping(compiled: &CompiledQuery<'_>) -> bool {
    let (query, grouping) = (compiled.query(), compiled.grouping());
    let people = |measure: &Measure| match measure.subject(query.basis.into()) {
        Some(Subject::Customers | Subject::Users) => true,
        Some(Subject::Subscriptions | Subject::Seats | Subject::Revenue) | None => false,
    };
    grouping.columns.iter().any(|column| column.has_several())
        || grouping.splits_customers && query.measures.iter().any(people)
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
