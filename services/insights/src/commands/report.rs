//! `insights report`: a dashboard in the terminal.

mod advice;
mod performance;

use std::time::Duration;

use insights_proto::{
    metrics::v1::{Basis, ReasonCount, Scope, Value, value::Kind},
    reporting::v1::{
        self as wire, Breakdown, Card, Coverage, GetCustomersDashboardRequest, GetDynamicsUsageDashboardRequest,
        GetLicenceAdoptionDashboardRequest, Group, GroupPoint, PageFilters, Reasons,
    },
};
use insights_reporting::words::{Language, Sentence, title};
use serde_json::{Value as Json, json};

use crate::{
    cli::{self, Page},
    client::Caller,
    commands::query::{ScopeName, dimension_name, filters, measure_name},
    failure::Failure,
    output,
};

const DEADLINE: Duration = Duration::from_secs(60);
/// Groups shown of a breakdown.
const SHOWN: usize = 12;

/// What a page shows, whichever it is.
struct Shown {
    page: wire::Page,
    coverage: Coverage,
    cards: Vec<Card>,
    breakdowns: Vec<Breakdown>,
    subscriptions: Option<performance::Shown>,
}

/// Shows a dashboard.
pub async fn run(caller: &Caller, command: &cli::Report, language: Language, json: bool) -> Result<(), Failure> {
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
        scope: command.scope.map_or(Scope::Unspecified, ScopeName::scope).into(),
        ..PageFilters::default()
    };
    let of_usage = !command.product.is_empty() || command.search.is_some() || command.all_subscriptions;
    if of_usage && command.page != Page::DynamicsUsage {
        return Err(Failure::Usage("--product, --search and --all-subscriptions belong to dynamics-usage".into()));
    }
    let shown = match command.page {
        Page::Advice => return advice::run(caller, page, language, json).await,
        Page::Customers => customers(caller, page, language).await?,
        Page::DynamicsUsage => dynamics(caller, page, command).await?,
        Page::Adoption => adoption(caller, page, command.customer.clone().unwrap_or_default()).await?,
    };
    if json { output::print_json(&as_json(&shown)) } else { output::print(&as_text(&shown, language)) }
}

async fn customers(caller: &Caller, page: PageFilters, language: Language) -> Result<Shown, Failure> {
    let message = GetCustomersDashboardRequest { page: Some(page), ..Default::default() };
    let answer = caller.reporting().get_customers_dashboard(caller.request(message, DEADLINE)).await?.into_inner();
    let mut breakdowns: Vec<Breakdown> = [answer.by_product, answer.by_country].into_iter().flatten().collect();
    breakdowns.extend(answer.distributions);
    breakdowns.extend(answer.skus.into_iter().filter_map(|product| {
        let named = |group| Group { name: format!("{}: {}", product.product, name_of(&group, language)), ..group };
        product.by_sku.map(|by_sku| {
            let groups = by_sku.groups.clone().into_iter().map(named).collect();
            Breakdown { groups, ..by_sku }
        })
    }));
    let coverage = answer.coverage.unwrap_or_default();
    Ok(Shown { page: wire::Page::Customers, coverage, cards: answer.cards, breakdowns, subscriptions: None })
}

async fn dynamics(caller: &Caller, page: PageFilters, command: &cli::Report) -> Result<Shown, Failure> {
    let products = command.product.clone();
    let message = GetDynamicsUsageDashboardRequest { page: Some(page.clone()), products, ..Default::default() };
    let answer = caller.reporting().get_dynamics_usage_dashboard(caller.request(message, DEADLINE)).await?.into_inner();
    let breakdowns = [answer.by_sku, answer.by_country].into_iter().flatten().collect();
    let coverage = answer.coverage.unwrap_or_default();
    let version = coverage.freshness.as_ref().map_or(0, |freshness| freshness.version);
    let subscriptions = Some(performance::ask(caller, page, version, command).await?);
    Ok(Shown { page: wire::Page::DynamicsUsage, coverage, cards: answer.cards, breakdowns, subscriptions })
}

async fn adoption(caller: &Caller, page: PageFilters, customer_id: String) -> Result<Shown, Failure> {
    let message = GetLicenceAdoptionDashboardRequest { page: Some(page), min_version: 0, customer_id };
    let answer =
        caller.reporting().get_licence_adoption_dashboard(caller.request(message, DEADLINE)).await?.into_inner();
    let breakdowns = [answer.by_product, answer.by_service, answer.by_customer].into_iter().flatten().collect();
    Ok(Shown {
        page: wire::Page::LicenceAdoption,
        coverage: answer.coverage.unwrap_or_default(),
        cards: answer.cards,
        breakdowns,
        subscriptions: None,
    })
}

fn as_text(shown: &Shown, language: Language) -> String {
    let Coverage { from_month, to_month, partial, redacted, lower_bound, freshness, .. } = &shown.coverage;
    let complete = freshness.as_ref().map(|freshness| freshness.complete_through.as_str()).unwrap_or_default();
    let say = |sentence: Sentence| sentence.say(language, &[]);
    let covers = Sentence::Covers.say(language, &[("from", from_month), ("to", to_month), ("complete", complete)]);
    let mut text = format!("{}  {covers}", title(language, shown.page.as_str_name()));
    text.push_str(&if *partial { format!(" ({})\n\n", say(Sentence::UnderWay)) } else { "\n\n".to_owned() });
    let rows: Vec<Vec<String>> = shown.cards.iter().map(|card| card_row(card, language)).collect();
    let columns = [Sentence::Now, Sentence::Change, Sentence::Trend].map(say);
    let columns = ["", &columns[0], &columns[1], &columns[2]];
    text.push_str(&output::table(&columns, &rows, &[false, true, true, false]));
    for card in &shown.cards {
        if let Some(reasons) = &card.reasons
            && let Some(line) = reasons_line(reasons, language)
        {
            text.push_str(&format!("  {}: {line}\n", title(language, card.figure().as_str_name())));
        }
    }
    for breakdown in &shown.breakdowns {
        text.push('\n');
        text.push_str(&breakdown_table(breakdown, language));
    }
    if let Some(subscriptions) = &shown.subscriptions {
        text.push('\n');
        text.push_str(&subscriptions.text(language));
    }
    for (sentence, _) in [(Sentence::LowerBound, lower_bound), (Sentence::Redacted, redacted)].iter().filter(|it| *it.1)
    {
        text.push_str(&format!("\n{}\n", say(*sentence)));
    }
    text
}

fn card_row(card: &Card, language: Language) -> Vec<String> {
    let points: Vec<Option<f64>> = card.trend.iter().map(|point| number(point.value.as_ref())).collect();
    let known = card.undefined_because.is_empty();
    let value = if known { figure(card.value.as_ref(), language) } else { "–".into() };
    vec![title(language, card.figure().as_str_name()), value, change(card, language), sparkline(&points)]
}

fn change(card: &Card, language: Language) -> String {
    let Some(value) = card.changes.first().and_then(|change| change.change.as_ref()?.value) else {
        return "–".into();
    };
    let points = matches!(number_kind(card.value.as_ref()), Some(true));
    let unit = if points { Sentence::Points.say(language, &[]) } else { "%".to_owned() };
    format!("{} {unit}", language.decimal(&format!("{value:+.1}")))
}

/// Whether a value is a percentage.
fn number_kind(value: Option<&Value>) -> Option<bool> {
    value?.kind.as_ref().map(|kind| matches!(kind, Kind::Percentage(_)))
}

fn figure(value: Option<&Value>, language: Language) -> String {
    let percent = |value: f64| format!("{} %", language.decimal(&format!("{value:.2}")));
    match value.and_then(|value| value.kind.as_ref()) {
        None => "–".into(),
        Some(Kind::Count(count)) => language.number(*count),
        Some(Kind::Amount(amount)) => language.decimal(amount),
        Some(Kind::Percentage(parts)) => match (parts.value, parts.numerator, parts.denominator) {
            (Some(value), Some(numerator), Some(denominator)) => {
                format!("{}  ({} / {})", percent(value), language.number(numerator), language.number(denominator))
            }
            (Some(value), ..) => percent(value),
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

fn reasons_line(reasons: &Reasons, language: Language) -> Option<String> {
    let explanation = reasons.explanation.as_ref()?;
    let one = |reason: &ReasonCount| {
        let name = title(language, reason.reason().as_str_name()).to_lowercase();
        Sentence::Reason.say(language, &[("count", &language.number(reason.count)), ("reason", &name)])
    };
    let counted: Vec<String> = explanation.reasons.iter().filter(|reason| reason.count > 0).map(one).collect();
    let covered = Sentence::Covered.say(language, &[("count", &language.number(explanation.covered))]);
    (!counted.is_empty()).then(|| format!("{covered}, {}", counted.join(", ")))
}

fn breakdown_table(breakdown: &Breakdown, language: Language) -> String {
    let dimension = title(language, breakdown.dimension().as_str_name());
    // Acronyms such as SKU stay as they are.
    let lower = if dimension.chars().all(char::is_uppercase) { dimension } else { dimension.to_lowercase() };
    let dimension = Sentence::By.say(language, &[("dimension", &lower)]);
    let measures: Vec<String> =
        breakdown.measures().map(|measure| title(language, measure.as_str_name()).to_lowercase()).collect();
    let mut columns = vec![dimension.as_str()];
    columns.extend(measures.iter().map(String::as_str));
    let shares = breakdown.groups.iter().any(|group| !group.shares.is_empty());
    let [share_title, trend_title] = [Sentence::Share, Sentence::Trend].map(|word| word.say(language, &[]));
    if shares {
        columns.push(&share_title);
    }
    columns.push(&trend_title);
    let row = |group: &Group| {
        let mut row = vec![name_of(group, language)];
        row.extend((0..measures.len()).map(|at| figure(group.values.get(at), language)));
        if shares {
            row.push(share(group, language));
        }
        row.push(trend_of(&group.trend, 0));
        row
    };
    let rows: Vec<Vec<String>> = breakdown.groups.iter().take(SHOWN).map(row).collect();
    let right: Vec<bool> = (0..columns.len()).map(|at| at > 0 && at + 1 < columns.len()).collect();
    let mut text = output::table(&columns, &rows, &right);
    for group in breakdown.groups.iter().take(SHOWN) {
        text.push_str(&over_100(group, language));
    }
    if breakdown.groups.len() > SHOWN {
        let more = language.number(i64::try_from(breakdown.groups.len() - SHOWN).unwrap_or(i64::MAX));
        text.push_str(&format!("{}\n", Sentence::More.say(language, &[("count", &more)])));
    }
    text
}

/// The part of its first figure in the sum over all groups.
fn share(group: &Group, language: Language) -> String {
    match group.shares.first().and_then(|share| share.kind.as_ref()) {
        Some(Kind::Percentage(parts)) => {
            parts.value.map_or("–".into(), |value| format!("{} %", language.decimal(&format!("{value:.1}"))))
        }
        _ => "–".into(),
    }
}

/// A figure month by month.
fn trend_of(trend: &[GroupPoint], at: usize) -> String {
    let points: Vec<Option<f64>> = trend.iter().map(|point| number(point.values.get(at))).collect();
    sparkline(&points)
}

/// Why usage percentages of a group exceed 100.
fn over_100(group: &Group, language: Language) -> String {
    let exceeds = |reasons: &&Reasons| reasons.explanation.as_ref().is_some_and(|why| why.numerator > why.denominator);
    let of_basis = |reasons: &Reasons| {
        let line = reasons_line(reasons, language)?;
        let basis = title(language, reasons.basis().as_str_name()).to_lowercase();
        Some(format!("  {}, {basis}: {line}\n", name_of(group, language)))
    };
    group.reasons.iter().filter(exceeds).filter_map(of_basis).collect()
}

/// What a group is called.
fn name_of(group: &Group, language: Language) -> String {
    if group.name.is_empty() {
        let value = group.key.as_ref().and_then(|key| key.value.clone());
        value.unwrap_or_else(|| Sentence::Missing.say(language, &[]))
    } else {
        group.name.clone()
    }
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
            "reasons": card.reasons.as_ref().map(reasons_json),
            "undefined_because": Some(&card.undefined_because).filter(|because| !because.is_empty()),
        })
    };
    let breakdown = |breakdown: &Breakdown| {
        let names: Vec<String> = breakdown.measures().map(measure_name).collect();
        let groups: Vec<Json> = breakdown
            .groups
            .iter()
            .map(|group| {
                json!({
                    "key": group.key.as_ref().and_then(|key| key.value.clone()),
                    "name": Some(&group.name).filter(|name| !name.is_empty()),
                    "figures": named(&names, &group.values),
                    "change_percent": group.change.as_ref().and_then(|change| change.change.as_ref()?.value),
                    "shares": named(&names, &group.shares),
                    "trend": trend_json(&names, &group.trend),
                    "reasons": group.reasons.iter().map(reasons_json).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "dimension": dimension_name(breakdown.dimension()),
            "basis": basis_name(breakdown.basis()),
            "overlapping": breakdown.overlapping,
            "undefined_because": Some(&breakdown.undefined_because).filter(|because| !because.is_empty()),
            "groups": groups,
        })
    };
    json!({
        "page": title(Language::English, shown.page.as_str_name()),
        "from": coverage.from_month,
        "to": coverage.to_month,
        "partial": coverage.partial,
        "redacted": coverage.redacted,
        "lower_bound": coverage.lower_bound,
        "source": output::source(coverage.source()),
        "complete_through": coverage.freshness.as_ref().map(|freshness| freshness.complete_through.clone()),
        "cards": shown.cards.iter().map(card).collect::<Vec<_>>(),
        "breakdowns": shown.breakdowns.iter().map(breakdown).collect::<Vec<_>>(),
        "subscriptions": shown.subscriptions.as_ref().map(performance::Shown::json),
    })
}

/// Figures by the names of their measures.
fn named(names: &[String], values: &[Value]) -> Json {
    let figures = std::iter::zip(names, values).map(|(name, value)| (name.clone(), json_value(Some(value))));
    Json::Object(figures.collect())
}

fn trend_json(names: &[String], trend: &[GroupPoint]) -> Vec<Json> {
    trend.iter().map(|point| json!({"month": point.month, "figures": named(names, &point.values)})).collect()
}

fn reasons_json(reasons: &Reasons) -> Json {
    let why = reasons.explanation.clone().unwrap_or_default();
    let count = |reason: &ReasonCount| (output::reason_name(reason.reason()).to_owned(), json!(reason.count));
    let counts: serde_json::Map<String, Json> = why.reasons.iter().map(count).collect();
    json!({
        "basis": basis_name(reasons.basis()),
        "numerator": why.numerator,
        "denominator": why.denominator,
        "covered": why.covered,
        "reasons": counts,
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
