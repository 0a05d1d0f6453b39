//! The rules of advice: pure functions from seats or cases to at most one finding.

use insights_domain::calendar::Month;
use insights_proto::reporting::v1::{AdviceCode, EvidenceKind};

use super::config::AdviceConfig;
use super::findings::{
    AdviceFinding, CustomerCases, CustomerSeats, EndingSubscription, MonthSeats, SkuSeats, count, day, evidence, month,
    percent, text,
};

/// Whether `part` is at least `percent` of `whole`.
fn at_least(part: i64, percent: i64, whole: i64) -> bool {
    part.saturating_mul(100) >= whole.saturating_mul(percent)
}

/// Low adoption: active seats are few of the available ones.
#[must_use]
pub fn low_adoption(of: &CustomerSeats, config: &AdviceConfig) -> Option<AdviceFinding> {
    let MonthSeats { available, active, unassigned, idle, .. } = of.seats.last();
    if available < config.min_seats || at_least(active, config.low_adoption_percent, available) {
        return None;
    }
    let score = (available - active) * config.weights.low_adoption;
    Some(AdviceFinding {
        arguments: vec![
            count("active", active),
            count("available", available),
            percent("usage", active, available),
            count("unassigned", unassigned),
            count("idle", idle),
        ],
        evidence: vec![
            of.seats.evidence(EvidenceKind::AvailableSeats, |seats| seats.available),
            of.seats.evidence(EvidenceKind::ActiveSeats, |seats| seats.active),
        ],
        ..AdviceFinding::of(AdviceCode::LowAdoption, &of.customer, score)
    })
}

/// Idle seats: many assigned seats are not active.
#[must_use]
pub fn idle_seats(of: &CustomerSeats, config: &AdviceConfig) -> Option<AdviceFinding> {
    let MonthSeats { assigned, idle, available, .. } = of.seats.last();
    let many = idle >= config.idle_seats && at_least(idle, config.idle_percent, assigned);
    (available >= config.min_seats && many).then(|| AdviceFinding {
        arguments: vec![count("idle", idle), count("assigned", assigned), percent("share", idle, assigned)],
        evidence: vec![
            of.seats.evidence(EvidenceKind::AssignedSeats, |seats| seats.assigned),
            of.seats.evidence(EvidenceKind::IdleSeats, |seats| seats.idle),
        ],
        ..AdviceFinding::of(AdviceCode::IdleSeats, &of.customer, idle * config.weights.idle_seats)
    })
}

/// Steady decline: active seats fell in several of the last months without recovery, and the customer still has seats.
#[must_use]
pub fn steady_decline(of: &CustomerSeats, config: &AdviceConfig) -> Option<AdviceFinding> {
    let steps = usize::try_from(config.decline_months).unwrap_or_default();
    let from = of.seats.0.len().checked_sub(steps + 1)?;
    let months = &of.seats.0[from..];
    let ((first, before), (last, now)) = (months.first()?, months.last()?);
    let lost = before.active - now.active;
    let most = config.decline_tolerance_percent * before.active;
    let falls = months.windows(2).all(|pair| (pair[1].1.active - pair[0].1.active).saturating_mul(100) <= most);
    // A single fall is no decline, and a customer without seats is already lost.
    let times = months.windows(2).filter(|pair| pair[1].1.active < pair[0].1.active).count();
    if now.available == 0 || times < steps.min(2) {
        return None;
    }
    if !falls || before.active < config.decline_seats || !at_least(lost, config.decline_percent, before.active) {
        return None;
    }
    let trend = |figure: fn(&MonthSeats) -> i64| months.iter().map(move |(month, seats)| (*month, figure(seats)));
    Some(AdviceFinding {
        arguments: vec![
            count("before", before.active),
            count("now", now.active),
            percent("loss", lost, before.active),
            count("months", config.decline_months.into()),
            month("first_month", *first),
            month("last_month", *last),
        ],
        evidence: vec![
            evidence(EvidenceKind::ActiveSeats, trend(|seats| seats.active)),
            evidence(EvidenceKind::AvailableSeats, trend(|seats| seats.available)),
        ],
        ..AdviceFinding::of(AdviceCode::SteadyDecline, &of.customer, lost * config.weights.steady_decline)
    })
}

/// Seats nearly exhausted: nearly all seats of a SKU are assigned and active.
#[must_use]
pub fn seats_nearly_exhausted(of: &SkuSeats, config: &AdviceConfig) -> Option<AdviceFinding> {
    let MonthSeats { available, assigned, active, .. } = of.seats.last();
    let exhausted = at_least(assigned, config.exhausted_percent, available);
    if available < config.min_seats || !exhausted || !at_least(active, config.exhausted_usage_percent, available) {
        return None;
    }
    let beyond = assigned - available * 9 / 10;
    Some(AdviceFinding {
        sku: (of.sku.clone(), String::new()),
        arguments: vec![
            count("assigned", assigned),
            count("available", available),
            count("active", active),
            count("missing", (assigned - available).max(0)),
        ],
        evidence: vec![
            of.seats.evidence(EvidenceKind::AvailableSeats, |seats| seats.available),
            of.seats.evidence(EvidenceKind::AssignedSeats, |seats| seats.assigned),
            of.seats.evidence(EvidenceKind::ActiveSeats, |seats| seats.active),
        ],
        ..AdviceFinding::of(
            AdviceCode::SeatsNearlyExhausted,
            &of.customer,
            beyond * config.weights.seats_nearly_exhausted,
        )
    })
}

/// Unassigned before renewal: a subscription that ends soon has unassigned seats.
#[must_use]
pub fn unassigned_before_renewal(of: &EndingSubscription, config: &AdviceConfig) -> Option<AdviceFinding> {
    let MonthSeats { available, unassigned, .. } = of.seats.last();
    let soon = (0..=config.renewal_days).contains(&of.days);
    let many = unassigned >= config.renewal_seats && at_least(unassigned, config.renewal_percent, available);
    (soon && many).then(|| AdviceFinding {
        arguments: vec![
            count("unassigned", unassigned),
            count("available", available),
            percent("share", unassigned, available),
            day("end", of.end),
            count("days", of.days.into()),
        ],
        evidence: vec![
            of.seats.evidence(EvidenceKind::AvailableSeats, |seats| seats.available),
            of.seats.evidence(EvidenceKind::UnassignedSeats, |seats| seats.unassigned),
        ],
        ..ending(AdviceCode::UnassignedBeforeRenewal, of, unassigned * config.weights.unassigned_before_renewal)
    })
}

/// Trial ending: a trial with active users ends soon.
#[must_use]
pub fn trial_ending(of: &EndingSubscription, config: &AdviceConfig) -> Option<AdviceFinding> {
    let active = of.seats.last().active;
    let soon = (0..=config.trial_days).contains(&of.days);
    (soon && active >= config.trial_users).then(|| AdviceFinding {
        arguments: vec![count("active", active), day("end", of.end), count("days", of.days.into())],
        evidence: vec![of.seats.evidence(EvidenceKind::ActiveSeats, |seats| seats.active)],
        ..ending(AdviceCode::TrialEnding, of, active * config.weights.trial_ending)
    })
}

/// How-to cases: many support cases of a customer are how-to questions.
#[must_use]
pub fn how_to_cases(of: &CustomerCases, last: Month, config: &AdviceConfig) -> Option<AdviceFinding> {
    let first = last.plus(1 - config.cases_months);
    let within: Vec<_> = of.months.iter().filter(|(month, ..)| (first..=last).contains(month)).collect();
    let total: i64 = within.iter().map(|(_, total, _)| total).sum();
    let how_to: i64 = within.iter().map(|(.., how_to)| how_to).sum();
    let many = how_to >= config.how_to_cases && at_least(how_to, config.how_to_percent, total);
    let of_month = |month: Month| within.iter().find(|(known, ..)| *known == month);
    let months = || (0..config.cases_months).map(|later| first.plus(later));
    let trend = |kind, figure: fn(&(Month, i64, i64)) -> i64| {
        let points = months().map(|month| (month, of_month(month).map_or(0, |cases| figure(cases))));
        let by_month = evidence(kind, points);
        insights_proto::reporting::v1::Evidence { value: by_month.trend.iter().map(|it| it.value).sum(), ..by_month }
    };
    many.then(|| AdviceFinding {
        arguments: vec![
            count("how_to", how_to),
            count("total", total),
            percent("share", how_to, total),
            count("months", config.cases_months.into()),
        ],
        evidence: vec![
            trend(EvidenceKind::HowToCases, |(.., how_to)| *how_to),
            trend(EvidenceKind::SupportCases, |(_, total, _)| *total),
        ],
        ..AdviceFinding::of(AdviceCode::HowToCases, &of.customer, how_to * config.weights.how_to_cases)
    })
}

fn ending(code: AdviceCode, of: &EndingSubscription, score: i64) -> AdviceFinding {
    let found = AdviceFinding::of(code, &of.customer, score);
    AdviceFinding { subscription: of.subscription.clone(), sku: of.sku.clone(), ..found }
}

/// Adds the names of the customer and the SKU to the arguments.
pub(super) fn name(found: &mut AdviceFinding, customer: &str, sku: &str) {
    found.arguments.push(text("customer", customer));
    if !found.sku.0.is_empty() {
        found.arguments.push(text("sku", sku));
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
