//! What seats and users count for under the switches, and why usage exceeds what covers it.

use crate::measures::{idle, unassigned};
use crate::standing::{Holding, Standing, Switches};

/// Seats of one subscription on one day, as they are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeatCounts {
    /// Sold.
    pub seats: u32,
    /// In grace, beside those sold.
    pub grace: u32,
    /// Users assigned.
    pub assigned: u32,
    /// Users who used it while they held it.
    pub active: u32,
    /// Those of them still assigned.
    pub active_assigned: u32,
}

/// Which of a subscription's seats count, by its standing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeatRule {
    /// Its seats are available, its assignments count.
    pub available: bool,
    /// Its use counts.
    pub active: bool,
    /// Seats in grace are available with the others.
    pub grace: bool,
}

impl SeatRule {
    /// Free SKUs are out of every number unless the switches take them in; use counts whatever the standing.
    pub fn of(standing: Standing, trial: bool, free: bool, switches: Switches) -> Self {
        let active = !free || switches.include_free;
        let available = active && Holding::of(standing, trial, free, switches) == Holding::Good;
        Self { available, active, grace: switches.include_grace }
    }

    /// What the seats of one subscription on one day come to.
    pub fn figures(self, counts: SeatCounts) -> SeatFigures {
        let SeatCounts { assigned, active, active_assigned, .. } = counts;
        let seats = counts.held(self.grace);
        let [seats, assigned, active, active_assigned] = [seats, assigned, active, active_assigned].map(u64::from);
        let available = |count: u64| if self.available { count } else { 0 };
        SeatFigures {
            available: available(seats),
            assigned: available(assigned),
            active: if self.active { active } else { 0 },
            unassigned: available(unassigned(seats, assigned)),
            idle: available(idle(assigned, active_assigned)),
        }
    }
}

/// Seats of one subscription on one day that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeatFigures {
    /// Available: sold, in good standing.
    pub available: u64,
    /// Assigned, in good standing.
    pub assigned: u64,
    /// With use, whatever the standing.
    pub active: u64,
    /// Available and not assigned: see [`unassigned`].
    pub unassigned: u64,
    /// Assigned and not used: see [`idle`].
    pub idle: u64,
}

impl SeatCounts {
    /// Those sold, with those in grace where they count.
    const fn held(self, grace: bool) -> u32 {
        if grace { self.seats.saturating_add(self.grace) } else { self.seats }
    }

    /// Why the active seats are or are not covered; sums to the active seats that count.
    pub fn reasons(self, standing: Standing, trial: bool, free: bool, switches: Switches) -> Reasons {
        let mut reasons = Reasons::default();
        if !SeatRule::of(standing, trial, free, switches).active {
            return reasons;
        }
        let active = u64::from(self.active);
        match Holding::of(standing, trial, free, switches) {
            Holding::Trial => reasons.trial = active,
            Holding::NotInGoodStanding => reasons.not_in_good_standing = active,
            Holding::Free => reasons.free = active,
            Holding::Good => {
                let covered = self.active_assigned.min(self.held(switches.include_grace));
                reasons.covered = u64::from(covered);
                reasons.over_assigned = u64::from(self.active_assigned - covered);
                reasons.license_transferred = u64::from(self.active - self.active_assigned);
            }
        }
        reasons
    }
}

/// What covers an active user, or why nothing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserCover {
    /// Holds a seat in good standing.
    Covered,
    /// Holds a trial at best.
    Trial,
    /// Holds seats of no good standing.
    NotInGoodStanding,
    /// Holds free seats.
    Free,
    /// Held a seat in the window.
    LicenseTransferred,
    /// Held nothing in the window.
    UnlicensedUse,
}

impl UserCover {
    /// From what the user holds of what matches on the day, the best first, and whether it held any of it in the window.
    pub fn of(best: Option<Holding>, held_before: bool) -> Self {
        match best {
            Some(Holding::Good) => Self::Covered,
            Some(Holding::Trial) => Self::Trial,
            Some(Holding::NotInGoodStanding) => Self::NotInGoodStanding,
            Some(Holding::Free) => Self::Free,
            None if held_before => Self::LicenseTransferred,
            None => Self::UnlicensedUse,
        }
    }
}

/// How many of a usage numerator the denominator covers, and why it does not cover the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    /// Covered.
    pub covered: u64,
    /// On a trial.
    pub trial: u64,
    /// On a subscription whose standing is not a good one.
    pub not_in_good_standing: u64,
    /// On a free SKU.
    pub free: u64,
    /// Held in the window, not at its end.
    pub license_transferred: u64,
    /// Never held in the window.
    pub unlicensed_use: u64,
    /// Assigned beyond the seats.
    pub over_assigned: u64,
}

impl Reasons {
    /// Covered and all reasons together: the numerator.
    pub const fn total(self) -> u64 {
        self.covered
            + self.trial
            + self.not_in_good_standing
            + self.free
            + self.license_transferred
            + self.unlicensed_use
            + self.over_assigned
    }

    /// Counts `users` more under `cover`.
    pub const fn add(&mut self, cover: UserCover, users: u64) {
        match cover {
            UserCover::Covered => self.covered += users,
            UserCover::Trial => self.trial += users,
            UserCover::NotInGoodStanding => self.not_in_good_standing += users,
            UserCover::Free => self.free += users,
            UserCover::LicenseTransferred => self.license_transferred += users,
            UserCover::UnlicensedUse => self.unlicensed_use += users,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            covered: self.covered + other.covered,
            trial: self.trial + other.trial,
            not_in_good_standing: self.not_in_good_standing + other.not_in_good_standing,
            free: self.free + other.free,
            license_transferred: self.license_transferred + other.license_transferred,
            unlicensed_use: self.unlicensed_use + other.unlicensed_use,
            over_assigned: self.over_assigned + other.over_assigned,
        }
    }
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
