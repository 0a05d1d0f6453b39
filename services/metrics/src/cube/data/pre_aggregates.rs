//! Pre-aggregates: sums made when a chunk is built, so that a query about all of something need not read every subscription.

use std::ops::Range;

use crate::cube::data::chunk::{ConstantRun, CustomerChunk, NOT_CONSTANT};
use crate::cube::data::counts::SeatColumns;
use crate::cube::data::months::stretches;

/// Seats are summed by attributes where so many subscriptions on average have the same; else little would be saved.
const WORTH_SUMMING: usize = 4;

/// Sums over a chunk, made before any query.
#[derive(Clone, Debug, Default)]
pub struct PreAggregates {
    /// The codes of the attributes of its constant runs, sorted.
    pub attributes: Vec<u16>,
    /// Their seats, in the same order; `None` where there are too many for that.
    pub seats: Option<Vec<SeatSums>>,
    /// The positions of subscriptions without a constant run.
    pub varying: Vec<u32>,
    /// No customer ever had more seats, in good standing or not.
    pub most_seats: u64,
}

/// Seats of subscriptions with the same attributes, by month of the chunk; a column that is 0 in every month is empty.
///
/// They stand for the definitions of [`SeatCounts`](insights_domain::usage::SeatCounts): a sum of differences that are not
/// below 0 is the difference of the sums plus by how much the differences were below 0 (`over`).
#[derive(Clone, Debug, Default)]
pub struct SeatSums {
    /// In months that are paid for: seats sold, those assigned, by how much more were assigned than sold, those that are
    /// idle, and those with use.
    pub seats: Vec<u64>,
    pub assigned: Vec<u64>,
    pub over: Vec<u64>,
    pub idle: Vec<u64>,
    pub active: Vec<u64>,
    /// In the other months: those with use.
    pub active_unpaid: Vec<u64>,
}

/// Sums up what the columns of a chunk say.
pub fn pre_aggregate(chunk: &mut CustomerChunk) {
    for customer in 0..chunk.customers.len() {
        pre_aggregate_customer(chunk, customer);
    }
    let mut attributes: Vec<u16> = constant_runs(chunk).map(|run| run.attributes).collect();
    let worth = attributes.len() / WORTH_SUMMING;
    attributes.sort_unstable();
    attributes.dedup();
    let varying = (0..).zip(&chunk.constant_runs).filter(|(_, run)| run.attributes == NOT_CONSTANT);
    chunk.pre_aggregates = PreAggregates {
        seats: (attributes.len() <= worth).then(|| seat_sums(chunk, &attributes)),
        varying: varying.map(|(position, _)| position).collect(),
        most_seats: chunk.customers.iter().map(|customer| customer.most_seats).max().unwrap_or_default(),
        attributes,
    };
}

/// Those of subscriptions that have one.
fn constant_runs(chunk: &CustomerChunk) -> impl Iterator<Item = &ConstantRun> {
    chunk.constant_runs.iter().filter(|run| run.attributes != NOT_CONSTANT)
}

/// In which months a customer counts, as far as constant runs tell, and the most seats it ever had.
fn pre_aggregate_customer(chunk: &mut CustomerChunk, customer: usize) {
    let subscriptions = chunk.customers[customer].subscriptions();
    let runs = &chunk.constant_runs[subscriptions.clone()];
    let constant = runs.iter().all(|run| run.attributes != NOT_CONSTANT);
    let counted = runs.iter().fold(0, |counted, run| counted | run.counted);
    let mut seats = vec![0; chunk.months.len()];
    for subscription in &chunk.subscriptions[subscriptions] {
        for run in chunk.runs_of(subscription) {
            let first = chunk.count_at(subscription, run.from.into());
            let months = usize::from(run.from)..usize::from(run.to);
            chunk.seats.sold.add_to(first..first + months.len(), &mut seats[months.clone()]);
            if !chunk.seats.grace.is_empty() {
                let grace = (first..).map(|at| chunk.seats.grace(at));
                seats[months].iter_mut().zip(grace).for_each(|(seats, grace)| *seats += u64::from(grace));
            }
        }
    }
    let columns = &mut chunk.customers[customer];
    columns.counted = constant.then_some(counted);
    columns.most_seats = seats.into_iter().max().unwrap_or_default();
}

/// The seats of subscriptions with a constant run, by the codes of their attributes in this order.
fn seat_sums(chunk: &CustomerChunk, attributes: &[u16]) -> Vec<SeatSums> {
    let mut sums = vec![SeatSums::of_months(chunk.months.len()); attributes.len()];
    for run in constant_runs(chunk) {
        let Ok(at) = attributes.binary_search(&run.attributes) else { continue };
        for months in stretches(run.paid) {
            sums[at].add_paid(&chunk.seats, run.counts_in(&months), &months);
        }
        for months in stretches(run.known & !run.paid) {
            chunk.seats.active.add_to(run.counts_in(&months), &mut sums[at].active_unpaid[months]);
        }
    }
    sums.into_iter().map(SeatSums::without_zeros).collect()
}

impl SeatSums {
    fn of_months(months: usize) -> Self {
        let none = vec![0; months];
        let [seats, assigned, over, idle, active] = [(); 5].map(|()| none.clone());
        Self { seats, assigned, over, idle, active, active_unpaid: none }
    }

    fn add_paid(&mut self, seats: &SeatColumns, counts: Range<usize>, months: &Range<usize>) {
        seats.sold.add_to(counts.clone(), &mut self.seats[months.clone()]);
        seats.assigned.add_to(counts.clone(), &mut self.assigned[months.clone()]);
        seats.assigned.add_excess_to(&seats.sold, counts.clone(), &mut self.over[months.clone()]);
        seats.assigned.add_excess_to(&seats.active_assigned, counts.clone(), &mut self.idle[months.clone()]);
        seats.active.add_to(counts, &mut self.active[months.clone()]);
    }

    /// Keeps only columns that say something.
    fn without_zeros(self) -> Self {
        let kept = |sums: Vec<u64>| if sums.iter().any(|sum| *sum > 0) { sums } else { Vec::new() };
        Self {
            seats: kept(self.seats),
            assigned: kept(self.assigned),
            over: kept(self.over),
            idle: kept(self.idle),
            active: kept(self.active),
            active_unpaid: kept(self.active_unpaid),
        }
    }
}
