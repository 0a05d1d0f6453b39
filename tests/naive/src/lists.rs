//! Whole lists: what an earlier list of a source named and the latest one up to a day leaves out, is gone.

use crate::record::Record;
use chrono::NaiveDate;

/// Lists, and parts of them, of subscriptions and SKUs of customers, and of customers.
#[derive(Clone, Debug, Default)]
pub struct Lists(Vec<List>);

#[derive(Clone, Debug)]
struct List {
    source: String,
    what: String,
    /// Whose, or who is named; none: the list of customers is whole.
    customer: Option<String>,
    day: NaiveDate,
    ids: Vec<String>,
    part: bool,
}

impl Lists {
    /// Takes a record that is a list.
    pub fn take(&mut self, record: &Record) {
        if let Record::WholeList { source, what, customer, day, ids, part } = record.clone() {
            self.0.push(List { source, what, customer, day, ids, part });
        }
    }

    /// Whether lists of a customer leave something out on a day, unless something says `again` after a day.
    pub fn leave_out(
        &self,
        what: &str,
        customer: &str,
        id: &str,
        day: NaiveDate,
        again: impl Fn(NaiveDate) -> bool,
    ) -> bool {
        let of = || self.0.iter().filter(|list| list.what == what && list.customer.as_deref() == Some(customer));
        let names = |list: &&List| list.ids.iter().any(|named| named == id);
        of().any(|one| {
            let of_source = || of().filter(|list| list.source == one.source);
            let latest = of_source().filter(|list| !list.part && list.day <= day).max_by_key(|list| list.day);
            latest.is_some_and(|latest| {
                !names(&latest)
                    && of_source().filter(names).any(|list| list.day < latest.day)
                    && !of().filter(names).any(|list| latest.day <= list.day && list.day <= day)
                    && !again(latest.day)
            })
        })
    }

    /// Whether lists of customers leave one out on a day, unless something says `again` after a day.
    pub fn leave_customer_out(&self, customer: &str, day: NaiveDate, again: impl Fn(NaiveDate) -> bool) -> bool {
        let of = || self.0.iter().filter(|list| list.what == "customers");
        let names = |list: &&List| list.customer.as_deref() == Some(customer);
        of().any(|one| {
            let of_source = || of().filter(|list| list.source == one.source);
            let whole = of_source().filter(|list| list.customer.is_none() && list.day <= day);
            whole.max_by_key(|list| list.day).is_some_and(|latest| {
                of_source().filter(names).any(|list| list.day < latest.day)
                    && !of().filter(names).any(|list| latest.day <= list.day && list.day <= day)
                    && !again(latest.day)
            })
        })
    }

    /// Whether a list names a subscription on one of these days.
    pub fn name_subscription(&self, customer: &str, id: &str, from: NaiveDate, to: NaiveDate) -> bool {
        self.0.iter().any(|list| {
            list.what == "subscriptions"
                && list.customer.as_deref() == Some(customer)
                && from <= list.day
                && list.day <= to
                && list.ids.iter().any(|named| named == id)
        })
    }
}
