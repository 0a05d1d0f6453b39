//! What is summed up of a chunk when it is made, ahead of any question: whoever asks for all of something need not look at
//! every subscription.

use std::ops::Range;

use crate::cube::data::chunk::{ConstantRun, CustomerChunk, NOT_CONSTANT};
use crate::cube::data::months::stretches;

/// Seats are summed by shape where a shape has so many subscriptions on average; else little would be saved.
const WORTH_SUMMING: usize = 4;

/// What is known of a chunk ahead of any question.
#[derive(Clone, Debug, Default)]
pub struct PreAggregates {
    /// The codes of its steady subscriptions' shapes, sorted.
    pub attribute_groups: Vec<u16>,
    /// Their seats, in the same order; `None` where it has too many shapes for that.
    pub seats: Option<Vec<SeatSums>>,
    /// The positions of subscriptions that are not steady.
    pub varying: Vec<u32>,
    /// No customer ever had more seats, in good standing or not.
    pub most_seats: u64,
}

/// Seats of one shape by month of the chunk; empty where there are none in any month.
#[derive(Clone, Debug, Default)]
pub struct SeatSums {
    /// In months in which a subscription is active and not on trial: seats, those assigned, by how much more were assigned
    /// than sold, those assigned and not used, and those with use.
    pub seats: Vec<u64>,
    pub assigned: Vec<u64>,
    pub over: Vec<u64>,
    pub idle: Vec<u64>,
    pub active: Vec<u64>,
    /// In the other months: those with use.
    pub active_unpaid: Vec<u64>,
}

impl CustomerChunk {
    /// Sums up what the columns say.
    pub fn pre_aggregate(&mut self) {
        for customer in 0..self.customers.len() {
            self.pre_aggregate_customer(customer);
        }
        let constant = |constant_run: &&ConstantRun| constant_run.attributes != NOT_CONSTANT;
        let mut attribute_groups: Vec<u16> =
            self.constant_runs.iter().filter(constant).map(|constant_run| constant_run.attributes).collect();
        let worth = attribute_groups.len() / WORTH_SUMMING;
        attribute_groups.sort_unstable();
        attribute_groups.dedup();
        let varying =
            (0..).zip(&self.constant_runs).filter(|(_, constant_run)| constant_run.attributes == NOT_CONSTANT);
        self.pre_aggregates = PreAggregates {
            seats: (attribute_groups.len() <= worth).then(|| self.seat_sums(&attribute_groups)),
            varying: varying.map(|(position, _)| position).collect(),
            most_seats: self.customers.iter().map(|customer| customer.most_seats).max().unwrap_or_default(),
            attribute_groups,
        };
    }

    /// In which months it counts, as far as its lifespans tell, and the most seats it ever had.
    fn pre_aggregate_customer(&mut self, customer: usize) {
        let subscriptions = self.customers[customer].subscriptions();
        let constant_runs = &self.constant_runs[subscriptions.clone()];
        let constant = constant_runs.iter().all(|constant_run| constant_run.attributes != NOT_CONSTANT);
        let counted = constant_runs.iter().fold(0, |counted, constant_run| counted | constant_run.active);
        let mut seats = vec![0; self.months.len()];
        for subscription in &self.subscriptions[subscriptions] {
            for run in self.runs_of(subscription) {
                let first = self.count_at(subscription, run.from.into());
                let months = usize::from(run.from)..usize::from(run.to);
                self.seats.add_to(first..first + months.len(), &mut seats[months]);
            }
        }
        let columns = &mut self.customers[customer];
        columns.counted = constant.then_some(counted);
        columns.most_seats = seats.into_iter().max().unwrap_or_default();
    }

    /// The seats of its steady subscriptions, by shape in this order.
    fn seat_sums(&self, attribute_groups: &[u16]) -> Vec<SeatSums> {
        let mut sums = vec![SeatSums::of_months(self.months.len()); attribute_groups.len()];
        for constant_run in self.constant_runs.iter().filter(|constant_run| constant_run.attributes != NOT_CONSTANT) {
            let Ok(at) = attribute_groups.binary_search(&constant_run.attributes) else { continue };
            for months in stretches(constant_run.paid) {
                sums[at].add_paid(self, constant_run.counts_in(&months), &months);
            }
            for months in stretches(constant_run.known & !constant_run.paid) {
                self.active.add_to(constant_run.counts_in(&months), &mut sums[at].active_unpaid[months]);
            }
        }
        sums.into_iter().map(SeatSums::without_zeros).collect()
    }
}

impl SeatSums {
    fn of_months(months: usize) -> Self {
        let none = vec![0; months];
        let [seats, assigned, over, idle, active] = [(); 5].map(|()| none.clone());
        Self { seats, assigned, over, idle, active, active_unpaid: none }
    }

    fn add_paid(&mut self, chunk: &CustomerChunk, counts: Range<usize>, months: &Range<usize>) {
        chunk.seats.add_to(counts.clone(), &mut self.seats[months.clone()]);
        chunk.assigned.add_to(counts.clone(), &mut self.assigned[months.clone()]);
        chunk.assigned.add_excess_to(&chunk.seats, counts.clone(), &mut self.over[months.clone()]);
        chunk.assigned.add_excess_to(&chunk.active_assigned, counts.clone(), &mut self.idle[months.clone()]);
        chunk.active.add_to(counts, &mut self.active[months.clone()]);
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
