//! Ranks groups and keeps the best.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use insights_proto::metrics::v1::Measure;

use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Projection;
use crate::cube::data::cube::{Cube, View};
use crate::cube::scan::accumulators::Accumulators;
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::scratch::Scratch;
use crate::query::{Query, Top};

impl Cube {
    /// The keys of the groups that rank highest. Whoever may not see revenue ranks by available seats instead.
    pub fn best(&self, query: &Query, top: Top, view: View<'_>) -> HashSet<GroupKey> {
        let hidden = top.measure == Measure::BilledRevenue && !view.revenue;
        let measure = if hidden { Measure::Available } else { top.measure };
        let flow = matches!(
            measure,
            Measure::New | Measure::Churned | Measure::Returning | Measure::NewSeats | Measure::BilledRevenue
        );
        let last = query.to.min(self.partner.last_month());
        let from = if flow { query.from } else { last };
        let ranking = Query { measures: vec![measure], from, to: last, top: None, ..query.clone() };
        let mut compiled = CompiledQuery::new(&ranking, self, view);
        let ranked = compiled.rank(measure, top.count);
        // Whoever scores in a measure that is shown has a row, and stands above all that the ranking knows nothing of.
        let (scored, shown) = (ranked.iter().all(|(score, _)| *score > 0), query.measures.contains(&measure));
        let best = compiled.choose(ranked, top.count);
        let whole = Query { top: None, ..query.clone() };
        if best.len() == top.count && scored && (shown || CompiledQuery::new(&whole, self, view).have_rows(&best)) {
            return best;
        }
        // A group without any row takes no place, and one that the ranking knows nothing of may still have one.
        let with_rows = CompiledQuery::new(&whole, self, view).with_rows();
        if with_rows.len() <= top.count {
            return with_rows;
        }
        compiled.limit_to(with_rows.clone());
        let scores: HashMap<GroupKey, i128> =
            compiled.rank(measure, with_rows.len()).into_iter().map(|(score, key)| (key, score)).collect();
        let scored = |key: GroupKey| (scores.get(&key).copied().unwrap_or_default(), key);
        compiled.choose(with_rows.into_iter().map(scored).collect(), top.count)
    }
}

impl CompiledQuery<'_> {
    /// Groups by their scores, without those that have `count` others above them.
    pub fn rank(&self, measure: Measure, count: usize) -> Vec<(i128, GroupKey)> {
        let projection = Projection::of(self, false).for_scores();
        if !self.groups_are_within_chunks() {
            let mut ranked = Ranked::default();
            self.rank_table(measure, &self.read(false), count, &mut ranked);
            keep_best(&mut ranked.groups, count);
            return ranked.groups;
        }
        // No group is in two chunks: each is ranked by itself, and little is kept of it.
        let (mut order, bounded) = (self.chunks.clone(), is_at_most_the_seats(measure));
        if bounded {
            order.sort_unstable_by_key(|placed| Reverse(placed.chunk.pre_aggregates.most_seats));
        }
        // So many groups are known to have at least this score.
        let least = AtomicU64::new(0);
        let parts = self.on_threads(&order, |chunks| {
            let (mut accumulators, mut scratch) = (self.accumulators(&projection, false, true), Scratch::default());
            let mut ranked = Ranked::default();
            while let Some(placed) = chunks.next() {
                let least_seats = if bounded { least.load(Ordering::Relaxed) } else { 0 };
                if placed.chunk.pre_aggregates.most_seats < least_seats {
                    break;
                }
                if let Some(mut scan) = ChunkScan::new(self, placed, &projection, &accumulators) {
                    scan.least_seats = least_seats;
                    scan.read(&mut accumulators, &mut scratch);
                    accumulators.finish();
                    self.rank_table(measure, &accumulators, count, &mut ranked);
                    accumulators.clear();
                    least.fetch_max(ranked.least, Ordering::Relaxed);
                }
            }
            ranked.groups
        });
        let mut ranked = parts.concat();
        keep_best(&mut ranked, count);
        ranked
    }

    /// Adds the groups of a table to those ranked so far.
    fn rank_table(&self, measure: Measure, accumulators: &Accumulators, count: usize, ranked: &mut Ranked) {
        let score = |group| self.months().map(|month| self.score(measure, accumulators, group, month)).sum();
        ranked.groups.extend(accumulators.groups.iter().zip(0..).map(|(group, position)| (score(position), group.key)));
        // Sorting out what has no chance costs less the more there is of it.
        if ranked.groups.len() > 2 * ranked.kept.max(count) {
            let least = keep_best(&mut ranked.groups, count);
            ranked.kept = ranked.groups.len();
            ranked.least = least.and_then(|least| u64::try_from(least).ok()).unwrap_or_default();
        }
    }

    /// All of these groups have a row.
    fn have_rows(mut self, groups: &HashSet<GroupKey>) -> bool {
        self.limit_to(groups.clone());
        self.with_rows().len() == groups.len()
    }

    /// The groups with the highest scores; ties go by their values.
    fn choose(&self, mut ranked: Vec<(i128, GroupKey)>, count: usize) -> HashSet<GroupKey> {
        keep_best(&mut ranked, count);
        if ranked.len() > count {
            let last = ranked.iter().map(|(score, _)| *score).min();
            let tied = ranked.extract_if(.., |(score, _)| Some(*score) == last);
            // Only groups that tie for the last place need their values to be told apart.
            let mut tied: Vec<_> = tied.map(|(score, key)| (self.values_of(key), score, key)).collect();
            let layout = count - ranked.len();
            if layout < tied.len() {
                tied.select_nth_unstable(layout);
            }
            ranked.extend(tied.into_iter().take(layout).map(|(_, score, key)| (score, key)));
        }
        ranked.into_iter().map(|(_, key)| key).collect()
    }
}

/// Groups ranked so far.
#[derive(Default)]
struct Ranked {
    /// With their scores.
    groups: Vec<(i128, GroupKey)>,
    /// How many were left when those without a chance were last sorted out, and the least score of them.
    kept: usize,
    least: u64,
}

/// No group of a customer can score higher by this than the customer has seats.
const fn is_at_most_the_seats(measure: Measure) -> bool {
    matches!(measure, Measure::Available | Measure::TotalEntitlements | Measure::DeploymentOpportunity)
}

/// Drops those that have `count` others above them. Returns the least score left, when there were so many.
pub fn keep_best(ranked: &mut Vec<(i128, GroupKey)>, count: usize) -> Option<i128> {
    let place = count.checked_sub(1).filter(|place| *place < ranked.len())?;
    let (_, (last, _), _) = ranked.select_nth_unstable_by_key(place, |(score, _)| Reverse(*score));
    let last = *last;
    ranked.retain(|(score, _)| *score >= last);
    Some(last)
}
