//! A subscription on the snapshot day of a month.

use crate::record::Attribution;
use std::collections::{BTreeMap, BTreeSet};

/// A subscription on the snapshot day of a month.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Snapshot {
    pub id: String,
    pub customer: String,
    /// A state by d, of any standing.
    pub has_state: bool,
    pub standing: &'static str,
    pub trial: bool,
    pub seats: u64,
    /// Seats in grace, beside those.
    pub grace: u64,
    pub sku: String,
    pub product: String,
    pub services: Vec<String>,
    pub free: bool,
    pub seller: String,
    pub sales_channel: Option<String>,
    pub pricing_model: Option<String>,
    pub attributions: Vec<Attribution>,
    pub held_on_day: BTreeSet<String>,
    pub held_in_window: BTreeSet<String>,
    /// Users who used a service of the SKU on a day of the window on which they held a seat.
    pub used: BTreeSet<String>,
    /// Whether standing and seats come from a reported row.
    pub standing_reported: bool,
    /// Reported assigned seats, where they serve.
    pub assigned_reported: Option<u64>,
    /// Reported active seats, where they serve.
    pub active_reported: Option<u64>,
    /// Standing, seats or assigned are those of the month before, for nobody reported this one.
    pub carried: bool,
    /// Nobody knows what was used.
    pub active_unknown: bool,
    /// Millionths by currency.
    pub revenue: BTreeMap<String, i128>,
}

impl Snapshot {
    /// In good standing under the switches.
    pub fn good(&self, include_grace: bool, include_free: bool) -> bool {
        self.standing_good(include_grace) && !self.trial && (!self.free || include_free)
    }

    /// Its standing is a good one under the switch.
    pub fn standing_good(&self, include_grace: bool) -> bool {
        self.standing == "ACTIVE" || (include_grace && self.standing == "GRACE")
    }

    /// Seats sold, with those in grace where the switch includes them.
    pub fn seats(&self, include_grace: bool) -> u64 {
        if include_grace { (self.seats + self.grace).min(u64::from(u32::MAX)) } else { self.seats }
    }

    /// Users assigned, whatever the standing.
    pub fn assigned(&self) -> u64 {
        self.assigned_reported.unwrap_or(self.held_on_day.len() as u64)
    }

    /// Users active, whatever the standing.
    pub fn active(&self) -> u64 {
        self.active_reported.unwrap_or(self.used.len() as u64)
    }

    /// Users active and still assigned. Reported users have no ids: all count as assigned.
    pub fn active_and_assigned(&self) -> u64 {
        self.active_reported.unwrap_or(self.used.intersection(&self.held_on_day).count() as u64)
    }
}

/// The standing a source word means.
pub fn standing(word: &str) -> &'static str {
    let word: String = word.to_lowercase().chars().filter(|c| !c.is_whitespace() && *c != '-' && *c != '_').collect();
    match word.as_str() {
        "active" | "enabled" | "open" | "renewed" => "ACTIVE",
        "warning" | "ingraceperiod" | "grace" | "expired" => "GRACE",
        "suspended" | "lockedout" => "SUSPENDED",
        "disabled" | "deprovisioned" | "deleted" | "cancelled" | "canceled" | "closed" | "inactive" | "churned" => {
            "DISABLED"
        }
        "upgraded" | "converted" | "convertedtoanothersubscription" => "UPGRADED",
        "pending" | "none" => "PENDING",
        _ => "OTHER",
    }
}
