//! Reported rows as the rollup serves them: those of a month, or those that are carried into it, and the parts of a subscription.

use crate::amount::Amount;
use crate::calendar::Month;
use crate::coverage::Coverage;
use crate::facts::{Attribution, Catalogue, CustomerFacts, ReportedSeats, Revenue, SkuNumber};

/// What reports say of a subscription, or of a customer's SKU, in a month.
#[derive(Clone, Debug)]
pub(crate) struct ReportedMonth<'a> {
    /// The parts: the rows that name a SKU, that of the subscription's own first; without any, the row about all of it.
    pub(crate) parts: Vec<&'a ReportedSeats>,
    /// The row about all of it, beside parts.
    whole: Option<&'a ReportedSeats>,
    /// The report does not cover the month: these are the rows of the last month that it does.
    pub(crate) carried: bool,
}

/// A figure that a row may tell.
type ToldFigure = fn(&ReportedSeats) -> Option<u32>;

impl<'a> ReportedMonth<'a> {
    /// The rows of a month, those carried into it if it has none. `from` says which month is carried where a row is of.
    pub(crate) fn find(
        rows: impl Iterator<Item = &'a ReportedSeats> + Clone,
        own_sku: SkuNumber,
        month: Month,
        from: Option<impl Fn(&ReportedSeats) -> Option<Month>>,
    ) -> Option<Self> {
        let found: Vec<_> = rows.clone().filter(|row| row.month == month).collect();
        if !found.is_empty() {
            return Some(Self::of(&found, own_sku, false));
        }
        let from = from?;
        let carried = || rows.clone().filter(|row| row.month < month && from(row) == Some(row.month));
        let last = carried().map(|row| row.month).max()?;
        let found: Vec<_> = carried().filter(|row| row.month == last).collect();
        Some(Self::of(&found, own_sku, true))
    }

    fn of(rows: &[&'a ReportedSeats], own_sku: SkuNumber, carried: bool) -> Self {
        let (mut parts, whole): (Vec<_>, Vec<_>) = rows.iter().copied().partition(|row| row.sku.is_some());
        if let Some(own) = parts.iter().position(|row| row.sku == Some(own_sku)) {
            parts[..=own].rotate_right(1);
        }
        if parts.is_empty() {
            return Self { parts: whole, whole: None, carried };
        }
        Self { parts, whole: whole.first().copied(), carried }
    }

    /// The SKUs of the parts.
    pub(crate) fn skus(&self, own_sku: SkuNumber) -> impl Iterator<Item = SkuNumber> {
        self.parts.iter().map(move |row| row.sku.unwrap_or(own_sku))
    }

    /// What is told of a part. What no part tells and the row about all of it does, is told of the first.
    pub(crate) fn told(&self, part: usize, figure: ToldFigure) -> Option<u32> {
        if part == 0 && self.parts.iter().all(|row| figure(row).is_none()) {
            return self.whole.and_then(figure);
        }
        self.parts.get(part).and_then(|row| figure(row))
    }

    /// What is told of all parts together.
    pub(crate) fn total(&self, figure: ToldFigure) -> Option<u32> {
        (0..self.parts.len()).filter_map(|part| self.told(part, figure)).reduce(u32::saturating_add)
    }

    /// The attributions of all parts, sorted.
    pub(crate) fn attributions(&self) -> Vec<Attribution> {
        let mut all: Vec<Attribution> = self.parts.iter().flat_map(|row| row.attributions.iter().cloned()).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// The months that reports about one customer alone cover; rows that wait for a SKU say nothing.
pub(crate) fn own_coverage(facts: &CustomerFacts, catalogue: &Catalogue) -> Coverage {
    let mut coverage = Coverage::default();
    let come = |sku: SkuNumber| catalogue.services.contains_key(&sku);
    let subscriptions = facts.subscriptions.iter().filter(|facts| come(facts.sku));
    let by_subscription = subscriptions.flat_map(|facts| &facts.reported).map(|row| (row, false));
    let skus = facts.by_sku.iter().filter(|facts| come(facts.sku));
    let by_sku = skus.flat_map(|facts| &facts.reported).map(|row| (row, true));
    let own = by_subscription.chain(by_sku).filter(|(row, _)| row.of_customer && row.sku.is_none_or(come));
    own.for_each(|(row, by_sku)| coverage.add(&row.report, by_sku, row.month));
    coverage
}

/// Revenue of a subscription in a month: the SKU it is shown under, currency and amount. Amounts without a SKU give way to those
/// with one; a SKU that is none of the month's parts is that of all of it.
pub(crate) fn billed<'a>(
    revenue: &'a [Revenue],
    month: Month,
    sku: SkuNumber,
    parts: &[SkuNumber],
) -> Vec<(SkuNumber, &'a str, Amount)> {
    let of_month = || revenue.iter().filter(|row| row.month == month);
    let named = |currency: &str| of_month().any(|row| row.sku.is_some() && row.currency == currency);
    let counts = of_month().filter(|row| row.sku.is_some() || !named(&row.currency));
    let shown_under = |row: &Revenue| row.sku.filter(|sku| parts.contains(sku)).unwrap_or(sku);
    counts.map(|row| (shown_under(row), row.currency.as_str(), row.amount)).collect()
}
