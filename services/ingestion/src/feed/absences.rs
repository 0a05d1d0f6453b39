//! The days on which whole lists say that something is gone.
//!
//! What an earlier list of a source named and a later one leaves out, is gone from the later one's day on: until a list of that day or
//! later names it, a state of a later day, or a reported row of a later month. All of this is worked out from what is stored, so it
//! does not depend on the order of arrival.

use std::collections::{BTreeMap, HashMap, HashSet};

use insights_proto::ingestion::v1::{AbsenceFacts, ReportedSeats, Subscription, WholeList, absence_facts::Subject};
use prost::Message;

use crate::{
    error::Error,
    records::fact::FactKind,
    tables::fact::{CustomerListFact, FeedFact},
};

/// Days since 1970-01-01: the first one gone, and the first one no longer.
type Gap = (i32, Option<i32>);

/// Lists of one kind.
#[derive(Default)]
struct Lists {
    /// Days of whole lists by source, each with the ids it names.
    whole: HashMap<String, BTreeMap<i32, HashSet<String>>>,
    /// The first day on which a list of a source, or a part of one, names an id.
    first: HashMap<(String, String), i32>,
    /// The days on which any list, or a part of one, names an id; sorted.
    named: HashMap<String, Vec<i32>>,
}

impl Lists {
    fn add(&mut self, day: i32, list: WholeList) {
        for id in &list.ids {
            let first = self.first.entry((list.source.clone(), id.clone())).or_insert(day);
            *first = day.min(*first);
            self.named.entry(id.clone()).or_default().push(day);
        }
        if !list.part {
            self.whole.entry(list.source).or_default().insert(day, list.ids.into_iter().collect());
        }
    }

    fn sort(&mut self) {
        self.named.values_mut().for_each(|days| days.sort_unstable());
    }

    fn named(&self, id: &str) -> &[i32] {
        self.named.get(id).map_or(&[], Vec::as_slice)
    }

    /// The days on which `id` is gone. `from_there_on` are days on which something else names it, `after` are days after which
    /// that is so; both sorted.
    fn gaps(&self, id: &str, from_there_on: &[i32], after: &[i32]) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (source, lists) in &self.whole {
            let Some(first) = self.first.get(&(source.clone(), id.to_owned())) else { continue };
            for (day, _) in lists.range(first + 1..).filter(|(_, ids)| !ids.contains(id)) {
                let next = lists.range(day + 1..).next().map(|(next, _)| *next);
                let named = [self.named(id), from_there_on].into_iter().filter_map(|days| at_or_after(days, *day));
                let end = next.into_iter().chain(named).chain(at_or_after(after, day + 1)).min();
                if end != Some(*day) {
                    gaps.push((*day, end));
                }
            }
        }
        gaps
    }
}

fn at_or_after(days: &[i32], day: i32) -> Option<i32> {
    days.get(days.partition_point(|known| *known < day)).copied()
}

/// What of a customer is gone, and when. `lists` are the lists of customers that are whole.
pub(super) fn absences(facts: &[FeedFact], lists: &[CustomerListFact]) -> Result<Vec<AbsenceFacts>, Error> {
    let is_list = |kind| matches!(kind, FactKind::SubscriptionList | FactKind::SkuList | FactKind::CustomerList);
    if facts.iter().all(|row| !is_list(row.kind)) {
        return Ok(Vec::new());
    }
    let (mut subscriptions, mut skus) = (Lists::default(), Lists::default());
    for row in facts {
        match row.kind {
            FactKind::SubscriptionList => subscriptions.add(row.day, WholeList::decode(row.body.as_slice())?),
            FactKind::SkuList => skus.add(row.day, WholeList::decode(row.body.as_slice())?),
            _ => {}
        }
    }
    subscriptions.sort();
    skus.sort();
    let customer = lists_of_customers(facts, lists)?;
    let mut absences = of_subscriptions(facts, &subscriptions, &customer)?;
    for (sku, months) in rows_by_sku(facts)? {
        let gone = skus.gaps(&sku, &[], &months);
        absences.extend(united(gone).into_iter().map(|gap| absence(Subject::SkuId(sku.clone()), gap)));
    }
    Ok(absences)
}

/// The customer as lists of customers name it: under the empty id.
fn lists_of_customers(facts: &[FeedFact], whole: &[CustomerListFact]) -> Result<Lists, Error> {
    let mut known = HashMap::new();
    for row in whole {
        known.insert((WholeList::decode(row.body.as_slice())?.source, row.day), row.recorded_at);
    }
    let mut lists = Lists::default();
    for row in facts.iter().filter(|row| row.kind == FactKind::CustomerList) {
        let source = WholeList::decode(row.body.as_slice())?.source;
        // Named by a list that another one of its day replaced.
        if known.get(&(source.clone(), row.day)).is_some_and(|recorded| row.recorded < *recorded) {
            continue;
        }
        let part = !known.contains_key(&(source.clone(), row.day));
        lists.add(row.day, WholeList { source, part, ids: vec![String::new()], ..WholeList::default() });
    }
    for (source, day) in known.into_keys() {
        lists.whole.entry(source).or_default().entry(day).or_default();
    }
    lists.sort();
    Ok(lists)
}

fn of_subscriptions(facts: &[FeedFact], lists: &Lists, customer: &Lists) -> Result<Vec<AbsenceFacts>, Error> {
    let mut after: HashMap<u32, Vec<i32>> = HashMap::new();
    let dated = facts.iter().filter(|row| matches!(row.kind, FactKind::State | FactKind::ReportedSeats));
    for row in dated.filter(|row| row.prefix() != 0) {
        after.entry(row.prefix()).or_default().push(row.day);
    }
    after.values_mut().for_each(|days| days.sort_unstable());
    let mut absences = Vec::new();
    for row in facts.iter().filter(|row| row.kind == FactKind::Subscription) {
        let subscription = Subscription::decode(row.body.as_slice())?;
        let after = after.get(&row.prefix()).map_or(&[][..], Vec::as_slice);
        let mut gone = lists.gaps(&subscription.subscription_id, &[], after);
        if subscription.seller.as_deref() == Some("own") {
            gone.extend(customer.gaps("", lists.named(&subscription.subscription_id), after));
        }
        absences.extend(united(gone).into_iter().map(|gap| absence(Subject::Subscription(row.prefix()), gap)));
    }
    Ok(absences)
}

/// The months of the rows by customer and SKU, each as its first day, by the SKU's id.
fn rows_by_sku(facts: &[FeedFact]) -> Result<BTreeMap<String, Vec<i32>>, Error> {
    let mut months: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for row in facts.iter().filter(|row| row.kind == FactKind::ReportedSeats && row.prefix() == 0) {
        if let Some(sku) = ReportedSeats::decode(row.body.as_slice())?.sku_id {
            months.entry(sku).or_default().push(row.day);
        }
    }
    months.values_mut().for_each(|days| days.sort_unstable());
    Ok(months)
}

fn absence(subject: Subject, (from_day, to_day): Gap) -> AbsenceFacts {
    AbsenceFacts { subject: Some(subject), from_day, to_day }
}

/// The same days, in gaps that do not touch.
fn united(mut gaps: Vec<Gap>) -> Vec<Gap> {
    gaps.sort_unstable_by_key(|(from, _)| *from);
    let mut united: Vec<Gap> = Vec::with_capacity(gaps.len());
    for (from, to) in gaps {
        match united.last_mut().filter(|(_, end)| end.is_none_or(|end| from <= end)) {
            Some((_, end)) => *end = end.and_then(|end| Some(end.max(to?))),
            None => united.push((from, to)),
        }
    }
    united
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(source: &str, ids: &[&str], part: bool) -> WholeList {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        WholeList { source: source.into(), ids, part, ..WholeList::default() }
    }

    fn lists(of: &[(i32, &str, &[&str], bool)]) -> Lists {
        let mut lists = Lists::default();
        for (day, source, ids, part) in of {
            lists.add(*day, list(source, ids, *part));
        }
        lists.sort();
        lists
    }

    #[test]
    fn what_a_later_list_leaves_out_is_gone_until_something_names_it_again() {
        let known = lists(&[(10, "p", &["a", "b"], false), (20, "p", &["a"], false), (30, "p", &["a"], false)]);
        assert_eq!(united(known.gaps("b", &[], &[])), [(20, None)]);
        assert_eq!(known.gaps("a", &[], &[]), []);
        assert_eq!(known.gaps("c", &[], &[]), [], "never named");
        assert_eq!(united(known.gaps("b", &[], &[20])), [(20, None)], "a state of the day of the list");
        assert_eq!(united(known.gaps("b", &[], &[25])), [(20, Some(25)), (30, None)]);
        assert_eq!(united(known.gaps("b", &[20], &[35])), [(30, Some(35))]);
    }

    #[test]
    fn another_list_of_the_day_names_it_and_a_part_ends_nothing() {
        let known = lists(&[
            (10, "p", &["a", "b"], false),
            (20, "p", &["a"], false),
            (20, "q", &["b"], true),
            (25, "p", &["a"], true),
            (40, "p", &[], false),
            (50, "p", &["b"], false),
        ]);
        assert_eq!(known.gaps("b", &[], &[]), [(40, Some(50))]);
        assert_eq!(known.gaps("a", &[], &[]), [(40, Some(50)), (50, None)]);
        assert_eq!(united(known.gaps("a", &[], &[])), [(40, None)]);
    }
}
