//! Which months reports cover: a month that nobody reported is not one in which there was nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::calendar::Month;

/// The report that rows of users by service are of.
pub const USERS_REPORT: &str = "reported_usage";

/// The months that each report covers: those of which any row has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    by_subscription: BTreeMap<String, BTreeSet<Month>>,
    by_sku: BTreeMap<String, BTreeSet<Month>>,
}

impl Coverage {
    /// Adds a month of a report, whose rows are by customer and SKU or else by subscription.
    pub fn add(&mut self, report: &str, by_sku: bool, month: Month) {
        let reports = if by_sku { &mut self.by_sku } else { &mut self.by_subscription };
        match reports.get_mut(report) {
            Some(months) => drop(months.insert(month)),
            None => drop(reports.insert(report.to_owned(), BTreeSet::from([month]))),
        }
    }

    /// Every report, whether its rows are by customer and SKU, and its months.
    pub fn reports(&self) -> impl Iterator<Item = (&str, bool, &BTreeSet<Month>)> {
        let by_subscription = self.by_subscription.iter().map(|(report, months)| (report.as_str(), false, months));
        by_subscription.chain(self.by_sku.iter().map(|(report, months)| (report.as_str(), true, months)))
    }

    /// The months of a report.
    pub fn months(&self, report: &str, by_sku: bool) -> Option<&BTreeSet<Month>> {
        if by_sku { self.by_sku.get(report) } else { self.by_subscription.get(report) }
    }

    /// The month that is carried into this one.
    pub fn carried(&self, report: &str, by_sku: bool, month: Month) -> Option<Month> {
        carried(self.months(report, by_sku)?, month)
    }

    /// Something may be carried into a month.
    pub fn has_gap(&self, month: Month) -> bool {
        self.reports().any(|(_, _, months)| carried(months, month).is_some())
    }

    /// What differs from what was covered before: for each month of a report that is or was carried elsewhere, the first month in
    /// which that is so.
    pub fn changes(&self, before: &Self) -> BTreeMap<CarriedMonth, Month> {
        let mut changes = BTreeMap::new();
        let reports: BTreeSet<(&str, bool)> =
            self.reports().chain(before.reports()).map(|(report, by_sku, _)| (report, by_sku)).collect();
        let none = BTreeSet::new();
        for (report, by_sku) in reports {
            let [now, then] = [self, before].map(|coverage| coverage.months(report, by_sku).unwrap_or(&none));
            if now == then {
                continue;
            }
            let bounds = now.iter().chain(then).min().zip(now.iter().chain(then).max());
            let Some((first, last)) = bounds else { continue };
            for month in (first.index()..=last.index()).filter_map(Month::from_index) {
                let [now, then] = [now, then].map(|months| carried(months, month));
                for from in now.into_iter().chain(then).filter(|_| now != then) {
                    let carried = CarriedMonth { report: report.to_owned(), by_sku, from };
                    changes.entry(carried).or_insert(month);
                }
            }
        }
        changes
    }
}

/// A month of a report whose rows are carried into later ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CarriedMonth {
    /// The report.
    pub report: String,
    /// Its rows are by customer and SKU, else by subscription.
    pub by_sku: bool,
    /// The month.
    pub from: Month,
}

/// The month that is carried into this one: the last one covered, where this is not covered and some later one is.
pub fn carried(covered: &BTreeSet<Month>, month: Month) -> Option<Month> {
    let (before, after) = (covered.range(..month).next_back(), covered.range(month..).next());
    before.zip(after).filter(|(_, after)| **after != month).map(|(before, _)| *before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    fn coverage(months: &[&str]) -> Coverage {
        let mut coverage = Coverage::default();
        months.iter().for_each(|text| coverage.add("seats", false, month(text)));
        coverage
    }

    #[test]
    fn only_months_between_two_that_are_covered_are_carried_into() {
        let covered = coverage(&["2026-01", "2026-04", "2026-05"]);
        let into = |text: &str| covered.carried("seats", false, month(text)).map(|month| month.to_string());
        assert_eq!(
            ["2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-06"].map(into),
            [None, None, Some("2026-01".into()), Some("2026-01".into()), None, None]
        );
        assert_eq!(["2026-01", "2026-03"].map(|text| covered.has_gap(month(text))), [false, true]);
        assert_eq!(covered.carried("seats", true, month("2026-02")), None, "rows by SKU are of another report");
    }

    #[test]
    fn a_change_says_what_was_carried_from_where_and_since_when() {
        let changed = |before: &[&str], after: &[&str]| {
            let changes = coverage(after).changes(&coverage(before));
            changes.iter().map(|(it, first)| format!("{} {first}", it.from)).collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        assert_eq!(changed(&["2026-01", "2026-02"], &["2026-01", "2026-02", "2026-03"]), none, "no gap, no change");
        assert_eq!(changed(&["2026-01"], &["2026-01", "2026-04"]), ["2026-01 2026-02"]);
        let (gap, filled) = (&["2026-01", "2026-04"], &["2026-01", "2026-03", "2026-04"]);
        assert_eq!(changed(gap, filled), ["2026-01 2026-03"]);
        assert_eq!(changed(filled, gap), ["2026-01 2026-03"]);
        assert_eq!(changed(&["2026-04"], &["2026-01", "2026-04"]), ["2026-01 2026-02"]);
        assert_eq!(
            changed(&["2026-01", "2026-05"], &["2026-01", "2026-03", "2026-05"]),
            ["2026-01 2026-03", "2026-03 2026-04"]
        );
        assert_eq!(changed(&[], &[]), none);
    }
}
