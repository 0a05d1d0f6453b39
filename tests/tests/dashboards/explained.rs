//! Above 100 % the reasons stand beside the number, wherever it is shown.

use insights_proto::metrics::v1::{Basis, Measure, Percentage, Value, value::Kind};
use insights_proto::reporting::v1::{
    Breakdown, GetDynamicsUsageDashboardResponse, GetLicenceAdoptionDashboardResponse, Reasons, SubscriptionPerformance,
};

/// Checks every group of both pages; how many are above 100 %.
pub fn check(
    dynamics: &GetDynamicsUsageDashboardResponse,
    adoption: &GetLicenceAdoptionDashboardResponse,
    what: &str,
) -> usize {
    let of_dynamics = [("by SKU", &dynamics.by_sku), ("by country", &dynamics.by_country)];
    let of_adoption = [
        ("by product", &adoption.by_product),
        ("by service", &adoption.by_service),
        ("by customer", &adoption.by_customer),
    ];
    let named = of_dynamics.into_iter().chain(of_adoption);
    named.filter_map(|(name, of)| Some(groups(of.as_ref()?, &format!("{what} {name}")))).sum()
}

fn groups(breakdown: &Breakdown, what: &str) -> usize {
    let mut above = 0;
    for group in &breakdown.groups {
        for (measure, value) in breakdown.measures().zip(&group.values) {
            let basis = match measure {
                Measure::ActiveUsagePercent => Basis::Entitlements,
                Measure::UsagePercent => Basis::Users,
                _ => continue,
            };
            let reasons = group.reasons.iter().find(|reasons| reasons.basis() == basis);
            above += usize::from(one(value, reasons, &format!("{what}, {:?}, {measure:?}", group.key)));
        }
    }
    above
}

/// Checks the usage of a subscription; whether it is above 100 %.
pub fn subscription(of: &SubscriptionPerformance, usage: usize) -> bool {
    one(&of.values[usage], of.reasons.first(), &of.subscription_id)
}

fn one(value: &Value, reasons: Option<&Reasons>, what: &str) -> bool {
    let Some(Kind::Percentage(Percentage { value: Some(percent), numerator, denominator })) = value.kind else {
        return false;
    };
    let why = reasons.and_then(|reasons| reasons.explanation.as_ref());
    if let Some(why) = why {
        assert_eq!((Some(why.numerator), Some(why.denominator)), (numerator, denominator), "{what}");
        let uncovered: i64 = why.reasons.iter().map(|reason| reason.count).sum();
        assert_eq!(why.covered + uncovered, why.numerator, "{what}");
    }
    assert!(percent <= 100.0 || why.is_some_and(|why| !why.reasons.is_empty()), "{what}: {percent} without a reason");
    percent > 100.0
}
