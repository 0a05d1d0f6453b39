//! The two reports about subscriptions: SeatsSubscriptionsAndRevenue and DynamicsUsage.

use std::{collections::HashMap, io::BufRead};

use insights_domain::calendar::Month;
use insights_proto::ingestion::v1::{Attribution, Precedence, ReportedSeats, Revenue, Subscription, record::Kind};

use super::{
    Bad, Gathered, Notes, RawReportColumn, ReadError, ReadOptions, ReportRow, RowGroup, RowReader, Sink, columns,
    gather, open, plain, refuse_without_sku, values,
};
use crate::shared::by_use::names_azure_plan;
use crate::shared::provisional::of_month;

/// Reads SeatsSubscriptionsAndRevenue, the source of its subscriptions.
pub(crate) fn subscriptions(
    input: &mut dyn BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    read(input, options, sink, None)
}

/// Reads DynamicsUsage, which only names its subscriptions.
pub(crate) fn dynamics_usage(
    input: &mut dyn BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    read(input, options, sink, Some("Dynamics 365"))
}

/// `product` is that of every row, where the report is about one.
fn read(
    input: &mut dyn BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
    product: Option<&'static str>,
) -> Result<Notes, ReadError> {
    let of = if product.is_some() { columns::DYNAMICS_USAGE } else { columns::SUBSCRIPTIONS };
    let mut table = open(input, of)?;
    refuse_without_sku(&table)?;
    let gathered = gather(&mut table, options, sink, |read, gathered| take(read, product, gathered))?;
    gathered.send(options, sink, |groups, sink| send(groups, product.is_none(), sink))
}

fn take(read: &RowReader<'_, '_>, product: Option<&str>, gathered: &mut Gathered) -> Result<(), Bad> {
    let subject = read.id(RawReportColumn::Subscription)?;
    let month = read.month()?;
    let customer = read.id(RawReportColumn::Customer)?;
    let sku = read.sku().ok_or_else(|| read.reject(RawReportColumn::Sku, "is missing".into()))?;
    let sku = gathered.spelling(sku);
    let [available, assigned, active] =
        [RawReportColumn::Available, RawReportColumn::Assigned, RawReportColumn::Active]
            .map(|key| read.parsed(key, values::stock));
    let names = [RawReportColumn::Sku, RawReportColumn::RawProduct, RawReportColumn::Product];
    let paid_by_use = names.iter().any(|key| read.text(*key).is_some_and(|name| names_azure_plan(&name)));
    let notes = &mut gathered.notes;
    let line = ReportRow {
        line: read.row.line,
        month: month.index(),
        subject,
        // Rows of one subscription that are about different SKUs are parts of it.
        object: sku.clone(),
        start: read.date(RawReportColumn::Start, notes).map(|day| day.to_string()),
        end: read.date(RawReportColumn::End, notes).map(|day| day.to_string()),
        auto_renew: read.flag(RawReportColumn::AutoRenew),
        sales_channel: read.text(RawReportColumn::SalesChannel),
        // Products without seats leave the column empty; their status still counts.
        available: if paid_by_use { available?.and(Some(0)) } else { available? }.unwrap_or(0),
        assigned: assigned?,
        active: active?,
        revenue: read.revenue(notes),
        other_revenue: read.other_revenue(notes),
        pricing_model: read.text(RawReportColumn::PricingModel),
        seller: read.parsed(RawReportColumn::Seller, values::seller)?,
        duplicate: read.flag(RawReportColumn::Duplicate).unwrap_or(false),
        attribution: read.attribution(),
        status: read.text(RawReportColumn::Status),
        customer,
        sku,
        paid_by_use,
        ..ReportRow::default()
    };
    if let Some(status) = &line.status {
        gathered.notes.status(status);
    }
    let stub = read.sku_stub(&line.sku, product);
    gathered.notes.seats(&stub.name, stub.free, line.available);
    gathered.stub(line.line, month, Precedence::Described, Kind::Sku(stub))?;
    gathered.customer_stub(read, month, &line.customer)?;
    gathered.location_stub(read, month)?;
    gathered.add(line)?;
    Ok(())
}

/// Sends what is about one subscription together, so that the server has it in one batch; subscriptions in the order of the file.
fn send(groups: Vec<RowGroup>, owns_subscriptions: bool, sink: &mut dyn Sink) -> Result<(), ReadError> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut place_of = |group: &RowGroup| {
        let next = places.len();
        *places.entry(group.first.subject.clone()).or_insert(next)
    };
    let mut placed: Vec<(usize, RowGroup)> = groups.into_iter().map(|group| (place_of(&group), group)).collect();
    placed.sort_by_key(|(place, _)| *place);
    let mut placed = placed.into_iter().peekable();
    while let Some((place, group)) = placed.next() {
        let mut of_one = vec![group];
        while let Some((_, group)) = placed.next_if(|(next, _)| *next == place) {
            of_one.push(group);
        }
        send_one(of_one, owns_subscriptions, sink)?;
    }
    Ok(())
}

/// Sends the groups of one subscription.
fn send_one(groups: Vec<RowGroup>, owns_subscriptions: bool, sink: &mut dyn Sink) -> Result<(), ReadError> {
    let parts = latest(&groups);
    let mut subscription = subscription(&parts);
    // A month without attributions has its subscription's own. Where a row says that it has none, neither has the subscription.
    if groups.iter().any(|group| group.attributions.is_empty()) {
        subscription.attributions.clear();
    }
    let kind = Kind::Subscription(subscription);
    let Some(RowGroup { first, .. }) = parts.first() else { return Ok(()) };
    match Month::from_index(first.month).filter(|_| !owns_subscriptions) {
        Some(month) => sink.stub(first.line, of_month(Precedence::Described, month, kind))?,
        None => sink.record(first.line, plain(kind))?,
    }
    // DynamicsUsage and SeatsSubscriptionsAndRevenue know a SKU by different ids: where a subscription has one alone, the former leaves
    // it to the subscription's own.
    let mut parts: HashMap<i32, usize> = HashMap::new();
    for RowGroup { first, .. } in &groups {
        *parts.entry(first.month).or_default() += 1;
    }
    for group in groups {
        let named = owns_subscriptions || parts.get(&group.first.month).is_some_and(|parts| *parts > 1);
        let report = if owns_subscriptions { "insights-subscriptions" } else { "insights-dynamics-usage" };
        let (line, seats, revenue) = monthly(group, named, report);
        sink.record(line, plain(Kind::ReportedSeats(seats)))?;
        for revenue in revenue {
            sink.record(line, plain(Kind::Revenue(revenue)))?;
        }
    }
    Ok(())
}

/// The groups of a subscription's latest month, in the order of their SKUs.
fn latest(groups: &[RowGroup]) -> Vec<&RowGroup> {
    let month = groups.iter().map(|group| group.first.month).max();
    let mut latest: Vec<&RowGroup> = groups.iter().filter(|group| Some(group.first.month) == month).collect();
    latest.sort_by(|left, right| left.first.sku.cmp(&right.first.sku));
    latest
}

/// The subscription that groups are parts of: what differs is that of the first, attributions are those of all.
fn subscription(parts: &[&RowGroup]) -> Subscription {
    let Some(RowGroup { first: line, .. }) = parts.first() else { return Subscription::default() };
    let mut attributions: Vec<Attribution> = Vec::new();
    for attribution in parts.iter().flat_map(|part| &part.attributions) {
        if !attributions.contains(attribution) {
            attributions.push(attribution.clone());
        }
    }
    Subscription {
        subscription_id: line.subject.clone(),
        customer_id: line.customer.clone(),
        sku_id: line.sku.clone(),
        sales_channel: line.sales_channel.clone(),
        pricing_model: line.pricing_model.clone(),
        seller: line.seller.clone(),
        auto_renew: line.auto_renew,
        start: line.start.clone(),
        end: line.end.clone(),
        attributions,
        paid_by_use: parts.iter().all(|part| part.first.paid_by_use),
        ..Subscription::default()
    }
}

/// The seats and revenue of a group; `named`: they name the SKU.
fn monthly(group: RowGroup, named: bool, report: &str) -> (u64, ReportedSeats, Vec<Revenue>) {
    let RowGroup { first, attributions, .. } = group;
    let (month, sku_id) = (first.month_text(), Some(first.sku.clone()).filter(|_| named));
    let revenue = first.amounts().map(|(currency, amount)| Revenue {
        subscription_id: Some(first.subject.clone()),
        sku_id: sku_id.clone(),
        month: month.clone(),
        amount: amount.to_owned(),
        currency: currency.to_owned(),
        ..Revenue::default()
    });
    let revenue = revenue.collect();
    let seats = ReportedSeats {
        subscription_id: Some(first.subject),
        sku_id: sku_id.clone(),
        month,
        available: Some(first.available),
        assigned: first.assigned,
        active: first.active,
        status: first.status,
        attributions,
        report: Some(report.to_owned()),
        ..ReportedSeats::default()
    };
    (first.line, seats, revenue)
}
