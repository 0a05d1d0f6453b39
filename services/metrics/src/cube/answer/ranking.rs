//! Ranks groups and keeps the best.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use insights_proto::metrics::v1::Measure;

use crate::cube::answer::pages::with_rows;
use crate::cube::answer::rows::GroupFigures;
use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Projection;
use crate::cube::data::cube::{Cube, Visibility};
use crate::cube::scan::accumulators::Accumulators;
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::parallel::{new_accumulators, on_threads, read};
use crate::cube::scan::scratch::Scratch;
use crate::query::{Query, Top};

/// The keys of the groups that rank highest. Who may not see revenue ranks by available seats instead.
pub fn best(cube: &Cube, query: &Query, top: Top, view: Visibility<'_>) -> HashSet<GroupKey> {
    let hidden = top.measure == Measure::BilledRevenue && !view.revenue;
    let measure = if hidden { Measure::Available } else { top.measure };
    let last = query.to.min(cube.partner.last_month());
    let from = if measure.is_flow() { query.from } else { last };
    let ranking = Query { measures: vec![measure], from, to: last, top: None, ..query.clone() };
    let compiled = CompiledQuery::new(&ranking, cube, view);
    let ranked = rank(&compiled, measure, top.count);
    // A group that scores in a measure that is shown has a row, and stands above all that the ranking knows nothing of.
    let (scored, shown) = (ranked.iter().all(|(score, _)| *score > 0), query.measures.contains(&measure));
    let best = choose(&compiled, ranked, top.count);
    let whole = Query { top: None, ..query.clone() };
    if best.len() == top.count && scored && (shown || have_rows(CompiledQuery::new(&whole, cube, view), &best)) {
        return best;
    }
    // A group without any row takes no place, and one that the ranking knows nothing of may still have one.
    let with_rows = with_rows(&CompiledQuery::new(&whole, cube, view));
    if with_rows.len() <= top.count {
        return with_rows;
    }
    let compiled = compiled.limited_to(with_rows.clone());
    let ranked = rank(&compiled, measure, with_rows.len());
    let scores: HashMap<GroupKey, i128> = ranked.into_iter().map(|(score, key)| (key, score)).collect();
    let scored = |key: GroupKey| (scores.get(&key).copied().unwrap_or_default(), key);
    choose(&compiled, with_rows.into_iter().map(scored).collect(), top.count)
}

/// All of these groups have a row.
fn have_rows(compiled: CompiledQuery<'_>, groups: &HashSet<GroupKey>) -> bool {
    with_rows(&compiled.limited_to(groups.clone())).len() == groups.len()
}

/// Groups by their scores, without those that have `count` others above them.
fn rank(compiled: &CompiledQuery<'_>, measure: Measure, count: usize) -> Vec<(i128, GroupKey)> {
    if !compiled.grouping().is_within_chunks() {
        let mut ranked = Ranked::default();
        let accumulators = read(compiled, &Projection::of(compiled, false));
        ranked.add(compiled, &accumulators, measure, count);
        keep_best(&mut ranked.groups, count);
        return ranked.groups;
    }
    // No group is in two chunks: each is ranked by itself, and little is kept of it.
    let projection = Projection::of(compiled, false).for_scores();
    let (mut order, bounded) = (compiled.chunks().as_slice().to_vec(), is_at_most_the_seats(measure));
    if bounded {
        order.sort_unstable_by_key(|placed| Reverse(placed.chunk.pre_aggregates.most_seats));
    }
    // So many groups are known to have at least this score.
    let least = AtomicU64::new(0);
    let parts = on_threads(&order, |chunks| {
        let mut accumulators = new_accumulators(compiled, &projection, true);
        let (mut scratch, mut ranked) = (Scratch::default(), Ranked::default());
        while let Some(placed) = chunks.next() {
            let least_seats = if bounded { least.load(Ordering::Relaxed) } else { 0 };
            if placed.chunk.pre_aggregates.most_seats < least_seats {
                break;
            }
            if let Some(scan) = ChunkScan::new(compiled, placed, &projection, &accumulators) {
                scan.with_least_seats(least_seats).read(&mut accumulators, &mut scratch);
                accumulators.finish();
                ranked.add(compiled, &accumulators, measure, count);
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

/// The groups with the highest scores; ties go by their values.
fn choose(compiled: &CompiledQuery<'_>, mut ranked: Vec<(i128, GroupKey)>, count: usize) -> HashSet<GroupKey> {
    keep_best(&mut ranked, count);
    if ranked.len() > count {
        let last = ranked.iter().map(|(score, _)| *score).min();
        let tied = ranked.extract_if(.., |(score, _)| Some(*score) == last);
        // Only groups that tie for the last place need their values to be told apart.
        let mut tied: Vec<_> = tied.map(|(score, key)| (compiled.values_of(key), score, key)).collect();
        let places = count - ranked.len();
        if places < tied.len() {
            tied.select_nth_unstable(places);
        }
        ranked.extend(tied.into_iter().take(places).map(|(_, score, key)| (score, key)));
    }
    ranked.into_iter().map(|(_, key)| key).collect()
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

impl Ranked {
    /// Adds the groups of some accumulators.
    fn add(&mut self, compiled: &CompiledQuery<'_>, accumulators: &Accumulators, measure: Measure, count: usize) {
        let figures = GroupFigures { compiled, accumulators };
        let score = |group| compiled.months().map(|month| figures.score(measure, group, month)).sum();
        self.groups.extend(accumulators.groups.iter().zip(0..).map(|(group, position)| (score(position), group.key)));
        // Sorting out what has no chance costs less the more there is of it.
        if self.groups.len() > 2 * self.kept.max(count) {
            let least = keep_best(&mut self.groups, count);
            self.kept = self.groups.len();
            self.least = least.and_then(|least| u64::try_from(least).ok()).unwrap_or_default();
        }
    }
}

/// No group of a customer can score higher by this than the customer has seats.
const fn is_at_most_the_seats(measure: Measure) -> bool {
    matches!(measure, Measure::Available | Measure::TotalEntitlements | Measure::DeploymentOpportunity)
}

/// Drops those that have `count` others above them. Returns the least score left, when there were so many.
fn keep_best(ranked: &mut Vec<(i128, GroupKey)>, count: usize) -> Option<i128> {
    let place = count.checked_sub(1).filter(|place| *place < ranked.len())?;
    let (_, (last, _), _) = ranked.select_nth_unstable_by_key(place, |(score, _)| Reverse(*score));
    let last = *last;
    ranked.retain(|(score, _)| *score >= last);
    Some(last)
}
