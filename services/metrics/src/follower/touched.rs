//! Whose figures change though nothing of them came: a SKU that they have has other services now, or reports cover other months.

use std::collections::{BTreeMap, BTreeSet};

use insights_domain::calendar::Month;
use insights_domain::coverage::CarriedMonth;
use insights_domain::facts::SkuNumber;

use crate::rollups::model::StoredCustomer;
use crate::rollups::{RollupError, Store, read_customer};

/// Headers read at a time.
const PAGE: u64 = 1_000;

/// What changed of the partner as a whole.
#[derive(Debug, Default)]
pub struct PartnerChanges {
    /// SKUs whose services changed, or that came or went.
    pub skus: BTreeSet<SkuNumber>,
    /// Months of reports that are carried elsewhere now, each with the first month into which they are or were.
    pub carried: BTreeMap<CarriedMonth, Month>,
}

impl PartnerChanges {
    /// The customers whose figures change, each with the first month that may differ. A SKU changes all months, from `floor` on.
    pub async fn customers(
        &self,
        store: &Store,
        partner_no: i32,
        floor: Month,
    ) -> Result<BTreeMap<i64, Month>, RollupError> {
        let mut touched = BTreeMap::new();
        if self.skus.is_empty() && self.carried.is_empty() {
            return Ok(touched);
        }
        let mut last = None;
        loop {
            let page = Store::page_of_headers(store.database().reader(), partner_no, last, PAGE).await?;
            let Some(end) = page.last() else { return Ok(touched) };
            last = Some(end.key);
            for rows in &page {
                let first = self.first_month(&read_customer(rows.key, &rows.body)?, floor);
                touched.extend(first.map(|month| (rows.key.customer, month)));
            }
        }
    }

    fn first_month(&self, customer: &StoredCustomer, floor: Month) -> Option<Month> {
        if customer.skus.iter().any(|sku| self.skus.contains(sku)) {
            return Some(floor);
        }
        let carried = self.carried.iter().filter(|(carried, _)| {
            let of_all = customer.reports.iter().filter(|it| !it.of_customer);
            of_all
                .filter(|it| it.report == carried.report && it.by_sku == carried.by_sku)
                .any(|it| it.months.binary_search(&carried.from).is_ok())
        });
        carried.map(|(_, first)| (*first).max(floor)).min()
    }
}

/// The first month that may differ of a customer of whom something changed from a month on: a row of a report about it alone is or
/// was carried into the months that the report does not cover.
pub fn carried_since(customer: &StoredCustomer, from: Month) -> Month {
    let own = customer.reports.iter().filter(|report| report.of_customer);
    let before = own.filter_map(|report| report.months.iter().rev().find(|month| **month < from));
    before.map(|month| month.plus(1)).min().map_or(from, |month| month.min(from))
}
