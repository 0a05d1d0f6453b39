//! A group of customers: rolled up, compared with what is stored, and written where it differs.

use std::collections::BTreeMap;

use insights_domain::calendar::{Day, Month};
use insights_domain::facts::Catalogue;
use insights_domain::rollup::roll_up;

use super::facts::GatheredCustomer;
use crate::rollups::month_encoding::write_month;
use crate::rollups::{Application, CellCustomer, MonthRows, RollupError, Store, write_customer};

/// Customers as they ought to be stored.
#[derive(Debug, Default)]
pub struct RolledUpGroup {
    customers: Vec<Rolled>,
}

#[derive(Debug)]
struct Rolled {
    key: CellCustomer,
    /// Bytes of its header; none while the customer itself has not come.
    header: Option<Vec<u8>>,
    /// Months before it are not looked at.
    from: i32,
    months: MonthRows,
}

impl RolledUpGroup {
    /// Rolls up customers, each from its month on.
    pub fn roll_up(customers: &[(GatheredCustomer, Month)], catalogue: &Catalogue, complete_through: Day) -> Self {
        let rolled = customers.iter().map(|(customer, from)| Rolled {
            key: customer.key,
            header: customer.facts.known.then(|| write_customer(&customer.stored)),
            from: from.index(),
            months: rolled_months(customer, catalogue, complete_through, *from),
        });
        Self { customers: rolled.collect() }
    }
}

/// Bytes of a customer's months.
pub fn rolled_months(
    customer: &GatheredCustomer,
    catalogue: &Catalogue,
    complete_through: Day,
    from: Month,
) -> MonthRows {
    let months = roll_up(&customer.facts, catalogue, complete_through, from);
    months.iter().map(|(month, rollup)| (month.index(), write_month(rollup))).collect()
}

/// Writes what differs; says who changed, each with the first month that did.
pub async fn write_group(
    application: &Application,
    group: RolledUpGroup,
) -> Result<BTreeMap<CellCustomer, i32>, RollupError> {
    let keys: Vec<CellCustomer> = group.customers.iter().map(|customer| customer.key).collect();
    let Some(from) = group.customers.iter().map(|customer| customer.from).min() else { return Ok(BTreeMap::new()) };
    let stored_headers = Store::headers(application.connection(), application.partner_no(), &keys).await?;
    let mut stored_months = Store::months(application.connection(), application.partner_no(), &keys, from).await?;
    let mut changed = BTreeMap::new();
    let (mut headers, mut months, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for customer in group.customers {
        let key = customer.key;
        let mut stored = stored_months.remove(&key).unwrap_or_default().split_off(&customer.from);
        let mut first = None;
        for (month, body) in customer.months {
            if stored.remove(&month).is_none_or(|before| before != body) {
                first = first.or(Some(month));
                months.push((key, month, body));
            }
        }
        for month in stored.into_keys() {
            first = Some(first.map_or(month, |first| month.min(first)));
            gone.push((key, month));
        }
        let before = stored_headers.get(&key);
        let header = customer.header.or_else(|| before.cloned());
        let Some(header) = header else { continue };
        let renamed = before.is_none_or(|before| *before != header);
        if renamed || first.is_some() {
            // A header applies to every month, so its change alone leaves all months as they are.
            changed.insert(key, first.unwrap_or(i32::MAX));
            headers.push((key, header));
        }
    }
    application.put_headers(headers).await?;
    application.put_months(months).await?;
    application.remove_months(&gone).await?;
    Ok(changed)
}
