//! What is summed up of a chunk when it is made, ahead of any question: whoever asks for all of something need not look at
//! every subscription.

use std::collections::BTreeMap;

use super::chunk::{Chunk, Lifespan, UNSTEADY};
use super::window::{Months, set_bits};

/// Seats are summed by shape where a shape has so many subscriptions on average; else little would be saved.
const WORTH_SUMMING: usize = 4;

/// What is known of a chunk ahead of any question.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    /// The codes of its steady subscriptions' shapes, sorted.
    pub shapes: Vec<u16>,
    /// Their seats, in the same order; `None` where it has too many shapes for that.
    pub seats: Option<Vec<SeatSums>>,
    /// The positions of subscriptions that are not steady.
    pub unsteady: Vec<u32>,
    /// No customer ever had more seats, in good standing or not.
    pub most_seats: u64,
}

/// Seats of one shape by month of the chunk; empty where there are none in any month.
#[derive(Clone, Debug, Default)]
pub(super) struct SeatSums {
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

impl Chunk {
    /// Sums up what the columns say.
    pub(super) fn look_ahead(&mut self) {
        for customer in 0..self.customers.len() {
            self.look_at_customer(customer);
        }
        let steady = |lifespan: &&Lifespan| lifespan.shape != UNSTEADY;
        let mut shapes: Vec<u16> = self.lifespans.iter().filter(steady).map(|lifespan| lifespan.shape).collect();
        let worth = shapes.len() / WORTH_SUMMING;
        shapes.sort_unstable();
        shapes.dedup();
        let unsteady = (0..).zip(&self.lifespans).filter(|(_, lifespan)| lifespan.shape == UNSTEADY);
        self.ahead = Ahead {
            seats: (shapes.len() <= worth).then(|| self.seat_sums()),
            unsteady: unsteady.map(|(position, _)| position).collect(),
            most_seats: self.customers.iter().map(|customer| customer.most_seats).max().unwrap_or_default(),
            shapes,
        };
    }

    /// In which months it counts, as far as its lifespans tell, and the most seats it ever had.
    fn look_at_customer(&mut self, customer: usize) {
        let subscriptions = self.customers[customer].subscriptions();
        let lifespans = &self.lifespans[subscriptions.clone()];
        let steady = lifespans.iter().all(|lifespan| lifespan.shape != UNSTEADY);
        let counted = lifespans.iter().fold(0, |counted, lifespan| counted | lifespan.active);
        let mut seats = vec![0; self.months.len()];
        for subscription in &self.subscriptions[subscriptions] {
            for run in self.runs_of(subscription) {
                let first = self.count_at(subscription, run.from.into());
                for (at, sum) in (first..).zip(&mut seats[run.from.into()..run.to.into()]) {
                    *sum += u64::from(self.seats.at(at));
                }
            }
        }
        let columns = &mut self.customers[customer];
        columns.counted = steady.then_some(counted);
        columns.most_seats = seats.into_iter().max().unwrap_or_default();
    }

    /// The seats of its steady subscriptions, by shape.
    fn seat_sums(&self) -> Vec<SeatSums> {
        let mut sums: BTreeMap<u16, SeatSums> = BTreeMap::new();
        for lifespan in self.lifespans.iter().filter(|lifespan| lifespan.shape != UNSTEADY) {
            let of = sums.entry(lifespan.shape).or_default();
            for bit in set_bits(Months::from(lifespan.known), 0..self.months.len()) {
                let counts = self.counts(lifespan.counts.wrapping_add(bit as u32) as usize);
                let add = |sums: &mut Vec<u64>, more: u32| {
                    if more > 0 {
                        sums.resize(self.months.len(), 0);
                        sums[bit] += u64::from(more);
                    }
                };
                if lifespan.paid >> bit & 1 == 1 {
                    add(&mut of.seats, counts.seats);
                    add(&mut of.assigned, counts.assigned);
                    add(&mut of.over, counts.assigned.saturating_sub(counts.seats));
                    add(&mut of.idle, counts.assigned.saturating_sub(counts.active_assigned));
                    add(&mut of.active, counts.active);
                } else {
                    add(&mut of.active_unpaid, counts.active);
                }
            }
        }
        sums.into_values().collect()
    }
}
