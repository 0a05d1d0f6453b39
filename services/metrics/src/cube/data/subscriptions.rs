//! What is known of subscriptions beside their figures.

use std::collections::BTreeSet;

use insights_domain::{calendar::Month, facts::Attribution};

use crate::cube::data::chunk::{AttributeRun, ChunkSubscription, CustomerChunk};
use crate::cube::data::cube::{Cube, Visibility};
use crate::rollups::header::{CustomerHeader, SkuHeader, SubscriptionHeader};

/// A subscription, whose it is and what of.
#[derive(Clone, Copy, Debug)]
pub struct ListedSubscription<'a> {
    /// Its customer.
    pub customer: &'a CustomerHeader,
    /// The subscription.
    pub subscription: &'a SubscriptionHeader,
    /// The SKU in force at the end of the month asked for, or last before it; of one that began after it, the first.
    pub sku: Option<&'a SkuHeader>,
}

/// The subscriptions of a cube as of a month, for a caller bound to locations those alone that were ever attributed to one.
pub fn subscriptions<'a>(
    cube: &'a Cube,
    view: Visibility<'a>,
    month: Option<Month>,
) -> impl Iterator<Item = ListedSubscription<'a>> {
    cube.chunks.values().flat_map(move |chunk| {
        chunk.customers.iter().flat_map(move |customer| {
            let subscriptions = customer.header.subscriptions.iter().zip(customer.subscriptions());
            // Further parts are of the subscription before them.
            subscriptions.filter(|(subscription, _)| !subscription.number.is_part()).filter_map(
                move |(subscription, position)| {
                    let columns = &chunk.subscriptions[position];
                    let mut parts =
                        chunk.subscriptions[position..].iter().take_while(|it| it.whole as usize == position);
                    let seen =
                        view.locations.is_none_or(|bound| parts.any(|part| was_attributed(cube, chunk, part, bound)));
                    let runs = chunk.runs_of(columns);
                    let begun = |run: &&AttributeRun| {
                        month.is_none_or(|month| chunk.first + i32::from(run.from) <= month.index())
                    };
                    let run = runs.iter().rev().find(begun).or(runs.first());
                    let sku = run.and_then(|run| cube.partner.skus.get(&run.sku));
                    seen.then_some(ListedSubscription { customer: &customer.header, subscription, sku })
                },
            )
        })
    })
}

fn was_attributed(
    cube: &Cube,
    chunk: &CustomerChunk,
    subscription: &ChunkSubscription,
    bound: &BTreeSet<String>,
) -> bool {
    let to_one = |attribution: &Attribution| attribution.location.as_ref().is_some_and(|it| bound.contains(it));
    let any = |code: u32| cube.dictionaries.attributions.value(code).iter().any(to_one);
    any(subscription.attributions) || chunk.runs_of(subscription).iter().any(|run| any(run.attributions))
}
