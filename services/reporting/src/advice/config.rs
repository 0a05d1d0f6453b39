//! Thresholds and weights of the advice rules.

use insights_service::Validate;
use serde::{Deserialize, Serialize};

/// Settings of advice. Plain data with defaults; unknown keys are refused. Percentages are whole.
// House: one setting per threshold, named in the settings file; grouping them would nest the names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdviceConfig {
    /// Customers (and SKUs of theirs) with fewer available seats get no advice on adoption, idle or exhausted seats.
    pub min_seats: i64,
    /// Low adoption: active seats are below this percentage of the available ones.
    pub low_adoption_percent: i64,
    /// Idle seats: minimum number, …
    pub idle_seats: i64,
    /// … and minimum percentage of the assigned ones.
    pub idle_percent: i64,
    /// Renewals: days before the end of a subscription.
    pub renewal_days: i32,
    /// Renewals: minimum number of unassigned seats, …
    pub renewal_seats: i64,
    /// … and minimum percentage of the available ones.
    pub renewal_percent: i64,
    /// Trials: days before the end.
    pub trial_days: i32,
    /// Trials: minimum number of active users.
    pub trial_users: i64,
    /// Nearly exhausted: minimum percentage of a SKU's available seats that is assigned, …
    pub exhausted_percent: i64,
    /// … and minimum percentage that is active.
    pub exhausted_usage_percent: i64,
    /// Steady decline: number of months in which active seats fell, …
    pub decline_months: i32,
    /// … minimum percentage that was lost, …
    pub decline_percent: i64,
    /// … largest rise between two months, as a percentage of the first month, …
    pub decline_tolerance_percent: i64,
    /// … and minimum number of active seats in the first month.
    pub decline_seats: i64,
    /// How-to cases: number of months, …
    pub cases_months: i32,
    /// … minimum number of cases, …
    pub how_to_cases: i64,
    /// … and minimum percentage of all cases.
    pub how_to_percent: i64,
    /// Customers examined per ranking; the rankings are by available, unassigned and idle seats.
    pub customers: i32,
    /// Factors of the score that orders advice.
    pub weights: Weights,
}

/// The weight of each rule: a factor for the seats, users or cases at stake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    /// Of seats available and not active.
    pub low_adoption: i64,
    /// Of how-to cases.
    pub how_to_cases: i64,
    /// Of unassigned seats.
    pub unassigned_before_renewal: i64,
    /// Of idle seats.
    pub idle_seats: i64,
    /// Of active users.
    pub trial_ending: i64,
    /// Of assigned seats beyond nine tenths of the available ones.
    pub seats_nearly_exhausted: i64,
    /// Of seats no longer active.
    pub steady_decline: i64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            low_adoption: 2,
            how_to_cases: 2,
            unassigned_before_renewal: 4,
            idle_seats: 2,
            trial_ending: 4,
            seats_nearly_exhausted: 2,
            steady_decline: 5,
        }
    }
}

impl Default for AdviceConfig {
    fn default() -> Self {
        Self {
            min_seats: 10,
            low_adoption_percent: 40,
            idle_seats: 5,
            idle_percent: 33,
            renewal_days: 60,
            renewal_seats: 5,
            renewal_percent: 25,
            trial_days: 30,
            trial_users: 3,
            exhausted_percent: 98,
            exhausted_usage_percent: 75,
            decline_months: 3,
            decline_percent: 30,
            decline_tolerance_percent: 10,
            decline_seats: 10,
            cases_months: 3,
            how_to_cases: 8,
            how_to_percent: 60,
            customers: 1_000,
            weights: Weights::default(),
        }
    }
}

impl Validate for AdviceConfig {
    fn faults(&self) -> Vec<(String, String)> {
        let weights = &self.weights;
        let at_least_1 = [
            ("min_seats", self.min_seats),
            ("low_adoption_percent", self.low_adoption_percent),
            ("idle_seats", self.idle_seats),
            ("idle_percent", self.idle_percent),
            ("renewal_days", self.renewal_days.into()),
            ("renewal_seats", self.renewal_seats),
            ("renewal_percent", self.renewal_percent),
            ("trial_days", self.trial_days.into()),
            ("trial_users", self.trial_users),
            ("exhausted_percent", self.exhausted_percent),
            ("exhausted_usage_percent", self.exhausted_usage_percent),
            ("decline_months", self.decline_months.into()),
            ("decline_percent", self.decline_percent),
            ("decline_seats", self.decline_seats),
            ("cases_months", self.cases_months.into()),
            ("how_to_cases", self.how_to_cases),
            ("how_to_percent", self.how_to_percent),
            ("customers", self.customers.into()),
            ("weights.low_adoption", weights.low_adoption),
            ("weights.how_to_cases", weights.how_to_cases),
            ("weights.unassigned_before_renewal", weights.unassigned_before_renewal),
            ("weights.idle_seats", weights.idle_seats),
            ("weights.trial_ending", weights.trial_ending),
            ("weights.seats_nearly_exhausted", weights.seats_nearly_exhausted),
            ("weights.steady_decline", weights.steady_decline),
        ];
        let mut faults: Vec<(String, String)> = at_least_1
            .into_iter()
            .filter(|(_, value)| *value < 1)
            .map(|(setting, _)| (setting.to_owned(), "must be at least 1".to_owned()))
            .collect();
        if self.decline_tolerance_percent < 0 {
            faults.push(("decline_tolerance_percent".to_owned(), "must be at least 0".to_owned()));
        }
        // One batch of queries asks for all these months and customers.
        let at_most = [
            ("decline_months", self.decline_months, 24),
            ("cases_months", self.cases_months, 24),
            ("renewal_days", self.renewal_days, 366),
            ("trial_days", self.trial_days, 366),
            ("customers", self.customers, 4_000),
        ];
        let above = at_most.into_iter().filter(|(_, value, most)| value > most);
        faults.extend(above.map(|(setting, _, most)| (setting.to_owned(), format!("must be at most {most}"))));
        faults
    }
}
