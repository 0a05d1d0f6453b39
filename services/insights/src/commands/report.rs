//! `insights report`: a dashboard in the terminal.

use std::time::Duration;

use insights_proto::{
    metrics::v1::{Basis, Value, value::Kind},
    reporting::v1::{
        Breakdown, Card, Coverage, Figure, GetCustomersDashboardRequest, GetDynamicsUsageDashboardRequest,
        GetLicenceAdoptionDashboardRequest, Group, PageFilters, Reasons,
    },
};
use serde_json::{Value as Json, json};

use crate::{
    cli::{self, Page},
    client::Caller,
    commands::query::{dimension_name, filters, measure_name},
    failure::Failure,
    output::{self, grouped, reason_name},
};

const DEADLINE: Duration = Duration::from_secs(60);
/// Groups shown of a breakdown.
const SHOWN: usize = 12;

/// What a page shows, whichever it is.
struct Shown {
    title: &'static str,
    coverage: Coverage,
    cards: Vec<Card>,
    breakdowns: Vec<Breakdown>,
}

/// Shows a dashboard.
pub async fn run(caller: &Caller, command: &cli::Report, json: bool) -> Result<(), Failure> {
    let mut given = command.filter.clone();
    if let Some(customer) = &command.customer
        && command.page != Page::Adoption
    {
        given.push(format!("customer={}", customer.replace(',', "\\,")));
    }
    let page = PageFilters {
        from_month: command.from.clone().unwrap_or_default(),
        to_month: command.to.clone().unwrap_or_default(),
        filters: filters(&given).map_err(|faults| Failure::Usage(faults.join("\n")))?,
        include_grace: command.include_grace,
        include_free: command.include_free,
        ..PageFilters::default()
    };
    let shown = match command.page {
        Page::Customers => customers(caller, page).await?,
        Page::DynamicsUsage => dynamics(caller, page).await?,
        Page::Adoption => adoption(caller, page, command.customer.clone().unwrap_or_default()).await?,
    };
    if json { output::print_json(&as_json(&shown)) } else { output::print(&as_text(&shown)) }
}

async fn customers(caller: &Caller, page: PageFilters) -> Result<Shown, Failure> {
    let message = GetCustomersDashboardRequest { page: Some(page), ..Default::default() };
    let answer = caller.reporting().get_customers_dashboard(caller.request(message, DEADLINE)).await?.into_inner();
    let mut breakdowns: Vec<Breakdown> = [answer.by_product, answer.by_country].into_iter().flatten().collect();
    breakdowns.extend(answer.distributions);
    breakdowns.extend(answer.skus.into_iter().filter_map(|product| {
        let named = |group| Group { name: format!("{}: {}", product.product, name_of(&group)), ..group };
        product.by_sku.map(|by_sku| {
            let groups = by_sku.groups.clone().into_iter().map(named).collect();
            Breakdown { groups, ..by_sku }
        })
    }));
    Ok(Shown { title: "Customers", coverage: answer.coverage.unwrap_or_default(), cards: answer.cards, breakdowns })
}

async fn dynamics(caller: &Caller, page: PageFilters) -> Result<Shown, Failure> {
    let message = GetDynamicsUsageDashboardRequest { page: Some(page), ..Default::default() };
    let answer = caller.reporting().get_dynamics_usage_dashboard(caller.request(message, DEADLINE)).await?.into_inner();
    let breakdowns = [answer.by_sku, answer.by_country].into_iter().flatten().collect();
    Ok(Shown {
        title: "Dynamics usage",
        coverage: answer.coverage.unwrap_or_default(),
        cards: answer.cards,
        breakdowns,
    })
}

async fn adoption(caller: &Caller, page: PageFilters, customer_id: String) -> Result<Shown, Failure> {
    let message = GetLicenceAdoptionDashboardRequest { page: Some(page), min_version: 0, customer_id };
    let answer =
        caller.reporting().get_licence_adoption_dashboard(caller.request(message, DEADLINE)).await?.into_inner();
    let breakdowns = [answer.by_product, answer.by_service].into_iter().flatten().collect();
    Ok(Shown {
        title: "Licence adoption",
        coverage: answer.coverage.unwrap_or_default(),
        cards: answer.cards,
        breakdowns,
    })
}

fn as_text(shown: &Shown) -> String {
    let Coverage { from_month, to_month, partial, redacted, lower_bound, freshness, .. } = &shown.coverage;
    let complete = freshness.as_ref().map(|freshness| freshness.complete_through.as_str()).unwrap_or_default();
    let mut text = format!("{}  {from_month} to {to_month}, complete through {complete}", shown.title);
    text.push_str(if *partial { " (the last month is under way)\n\n" } else { "\n\n" });
    let rows: Vec<Vec<String>> = shown.cards.iter().map(card_row).collect();
    text.push_str(&output::table(&["", "now", "change", "trend"], &rows, &[false, true, true, false]));
    for card in &shown.cards {
        if let Some(reasons) = &card.reasons
            && let Some(line) = reasons_line(reasons)
        {
            text.push_str(&format!("  {}: {line}\n", figure_name(card.figure())));
        }
    }
    for breakdown in &shown.breakdowns {
        text.push('\n');
        text.push_str(&breakdown_table(breakdown));
    }
    if *lower_bound {
        text.push_str("\nActivity is a lower bound: for some of it only the date of last activity is known.\n");
    }
    if *redacted {
        text.push_str("\nSomething was left out because your roles may not see it.\n");
    }
    text
}

fn card_row(card: &Card) -> Vec<String> {
    let points: Vec<Option<f64>> = card.trend.iter().map(|point| number(point.value.as_ref())).collect();
    let value = if card.undefined_because.is_empty() { figure(card.value.as_ref()) } else { "–".into() };
    vec![figure_name(card.figure()), value, change(card), sparkline(&points)]
}

fn change(card: &Card) -> String {
    let Some(value) = card.changes.first().and_then(|change| change.change.as_ref()?.value) else {
        return "–".into();
    };
    let unit = if matches!(number_kind(card.value.as_ref()), Some(true)) { " pt" } else { " %" };
    format!("{value:+.1}{unit}")
}

/// Whether a value is a percentage.
fn number_kind(value: Option<&Value>) -> Option<bool> {
    value?.kind.as_ref().map(|kind| matches!(kind, Kind::Percentage(_)))
}

fn figure(value: Option<&Value>) -> String {
    match value.and_then(|value| value.kind.as_ref()) {
        None => "–".into(),
        Some(Kind::Count(count)) => grouped(*count),
        Some(Kind::Amount(amount)) => amount.clone(),
        Some(Kind::Percentage(parts)) => match (parts.value, parts.numerator, parts.denominator) {
            (Some(value), Some(numerator), Some(denominator)) => {
                format!("{value:.2} %  ({} / {})", grouped(numerator), grouped(denominator))
            }
            (Some(value), ..) => format!("{value:.2} %"),
            _ => "–".into(),
        },
    }
}

fn number(value: Option<&Value>) -> Option<f64> {
    match value?.kind.as_ref()? {
        Kind::Count(count) => Some(*count as f64),
        Kind::Percentage(parts) => parts.value,
        Kind::Amount(amount) => amount.parse().ok(),
    }
}

/// One block per month, from the lowest to the highest; a gap where nothing is known.
fn sparkline(points: &[Option<f64>]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known = || points.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let block = |value: f64| {
        let place = if high > low { ((value - low) / (high - low) * 7.0).round() } else { 3.0 };
        BLOCKS[place.clamp(0.0, 7.0) as usize]
    };
    points.iter().map(|point| point.map_or(' ', block)).collect()
}

fn reasons_line(reasons: &Reasons) -> Option<String> {
    let explanation = reasons.explanation.as_ref()?;
    let counted: Vec<String> = explanation
        .reasons
        .iter()
        .filter(|reason| reason.count > 0)
        .map(|reason| {
            format!("{} {}", grouped(reason.count), reason_name(reason.reason()).to_lowercase().replace('_', " "))
        })
        .collect();
    (!counted.is_empty()).then(|| format!("{} covered, {}", grouped(explanation.covered), counted.join(", ")))
}

fn breakdown_table(breakdown: &Breakdown) -> String {
    let dimension = format!("by {}", dimension_name(breakdown.dimension()).replace('_', " "));
    let measures: Vec<String> = breakdown.measures().map(|measure| measure_name(measure).replace('_', " ")).collect();
    let mut columns = vec![dimension.as_str()];
    columns.extend(measures.iter().map(String::as_str));
    let row = |group: &Group| {
        let mut row = vec![name_of(group)];
        row.extend((0..measures.len()).map(|at| figure(group.values.get(at))));
        row
    };
    let rows: Vec<Vec<String>> = breakdown.groups.iter().take(SHOWN).map(row).collect();
    let right: Vec<bool> = (0..columns.len()).map(|at| at > 0).collect();
    let mut text = output::table(&columns, &rows, &right);
    if breakdown.groups.len() > SHOWN {
        text.push_str(&format!("… and {} more\n", breakdown.groups.len() - SHOWN));
    }
    text
}

/// What a group is called.
fn name_of(group: &Group) -> String {
    if group.name.is_empty() {
        group.key.as_ref().and_then(|key| key.value.clone()).unwrap_or_else(|| "(none)".into())
    } else {
        group.name.clone()
    }
}

fn figure_name(figure: Figure) -> String {
    figure.as_str_name().trim_start_matches("FIGURE_").to_lowercase().replace('_', " ")
}

fn as_json(shown: &Shown) -> Json {
    let coverage = &shown.coverage;
    let points = |card: &Card| -> Vec<Json> {
        card.trend
            .iter()
            .map(|point| json!({"month": point.month, "value": json_value(point.value.as_ref())}))
            .collect()
    };
    let card = |card: &Card| {
        json!({
            "figure": card.figure().as_str_name().trim_start_matches("FIGURE_").to_lowercase(),
            "value": json_value(card.value.as_ref()),
            "change_percent": card.changes.first().and_then(|change| change.change.as_ref()?.value),
            "trend": points(card),
        })
    };
    let breakdown = |breakdown: &Breakdown| {
        let names: Vec<String> = breakdown.measures().map(measure_name).collect();
        let groups: Vec<Json> = breakdown
            .groups
            .iter()
            .map(|group| {
                let figures: serde_json::Map<String, Json> = std::iter::zip(&names, &group.values)
                    .map(|(name, value)| (name.clone(), json_value(Some(value))))
                    .collect();
                json!({
                    "key": group.key.as_ref().and_then(|key| key.value.clone()),
                    "name": Some(&group.name).filter(|name| !name.is_empty()),
                    "figures": figures,
                    "change_percent": group.change.as_ref().and_then(|change| change.change.as_ref()?.value),
                })
            })
            .collect();
        json!({
            "dimension": dimension_name(breakdown.dimension()),
            "basis": basis_name(breakdown.basis()),
            "overlapping": breakdown.overlapping,
            "groups": groups,
        })
    };
    json!({
        "page": shown.title,
        "from": coverage.from_month,
        "to": coverage.to_month,
        "partial": coverage.partial,
        "redacted": coverage.redacted,
        "lower_bound": coverage.lower_bound,
        "source": output::source(coverage.source()),
        "complete_through": coverage.freshness.as_ref().map(|freshness| freshness.complete_through.clone()),
        "cards": shown.cards.iter().map(card).collect::<Vec<_>>(),
        "breakdowns": shown.breakdowns.iter().map(breakdown).collect::<Vec<_>>(),
    })
}

fn basis_name(basis: Basis) -> &'static str {
    if basis == Basis::Entitlements { "entitlements" } else { "users" }
}

fn json_value(value: Option<&Value>) -> Json {
    match value.and_then(|value| value.kind.as_ref()) {
        None => Json::Null,
        Some(Kind::Count(count)) => json!(count),
        Some(Kind::Amount(amount)) => json!(amount),
        Some(Kind::Percentage(parts)) => {
            json!({"value": parts.value, "numerator": parts.numerator, "denominator": parts.denominator})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparklines_go_from_low_to_high() {
        assert_eq!(sparkline(&[Some(0.0), None, Some(7.0), Some(3.5)]), "▁ █▅");
        assert_eq!(sparkline(&[Some(5.0), Some(5.0)]), "▄▄");
        assert_eq!(sparkline(&[]), "");
    }
}
