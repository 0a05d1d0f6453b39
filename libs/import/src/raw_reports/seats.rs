//! The two reports about subscriptions: SeatsSubscriptionsAndRevenue and DynamicsUsage.

use std::{
    collections::{HashMap, HashSet},
    io::BufRead,
};

use insights_domain::calendar::Month;
use insights_proto::ingestion::v1::{Precedence, ReportedSeats, Revenue, Subscription, record::Kind};

use super::{
    Bad, Gathered, Notes, RawReportColumn, ReadError, ReadOptions, ReportRow, RowGroup, RowReader, Sink, columns,
    gather, open, plain, refuse_without_sku, values,
};
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
    let notes = &mut gathered.notes;
    let line = ReportRow {
        line: read.row.line,
        month: month.index(),
        subject,
        start: read.date(RawReportColumn::Start, notes).map(|day| day.to_string()),
        end: read.date(RawReportColumn::End, notes).map(|day| day.to_string()),
        auto_renew: read.flag(RawReportColumn::AutoRenew),
        sales_channel: read.text(RawReportColumn::SalesChannel),
        // Products without seats leave the column empty; their status still counts.
        available: available?.unwrap_or(0),
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

fn send(groups: Vec<RowGroup>, owns_subscriptions: bool, sink: &mut dyn Sink) -> Result<(), ReadError> {
    // A month without attributions has its subscription's own. Where a row says that it has none, neither has the subscription.
    let unattributed: HashSet<&str> =
        groups.iter().filter(|group| group.attributions.is_empty()).map(|group| group.first.subject.as_str()).collect();
    for group in latest(&groups) {
        let mut subscription = subscription(group);
        if unattributed.contains(group.first.subject.as_str()) {
            subscription.attributions.clear();
        }
        let kind = Kind::Subscription(subscription);
        let line = group.first.line;
        match Month::from_index(group.first.month).filter(|_| !owns_subscriptions) {
            Some(month) => sink.stub(line, of_month(Precedence::Described, month, kind))?,
            None => sink.record(line, plain(kind))?,
        }
    }
    for group in groups {
        let (line, seats, revenue) = monthly(group);
        sink.record(line, plain(Kind::ReportedSeats(seats)))?;
        for revenue in revenue {
            sink.record(line, plain(Kind::Revenue(revenue)))?;
        }
    }
    Ok(())
}

/// The group of each subscription's latest month, in the order of the file.
fn latest(groups: &[RowGroup]) -> Vec<&RowGroup> {
    let mut latest: HashMap<&str, usize> = HashMap::new();
    for (at, group) in groups.iter().enumerate() {
        let best = latest.entry(&group.first.subject).or_insert(at);
        if groups[*best].first.month < group.first.month {
            *best = at;
        }
    }
    let mut order: Vec<usize> = latest.into_values().collect();
    order.sort_unstable();
    order.into_iter().map(|at| &groups[at]).collect()
}

fn subscription(group: &RowGroup) -> Subscription {
    let line = &group.first;
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
        attributions: group.attributions.clone(),
        ..Subscription::default()
    }
}

fn monthly(group: RowGroup) -> (u64, ReportedSeats, Vec<Revenue>) {
    let RowGroup { first, attributions, .. } = group;
    let month = first.month_text();
    let revenue = first.amounts().map(|(currency, amount)| Revenue {
        subscription_id: Some(first.subject.clone()),
        month: month.clone(),
        amount: amount.to_owned(),
        currency: currency.to_owned(),
        ..Revenue::default()
    });
    let revenue = revenue.collect();
    let seats = ReportedSeats {
        subscription_id: Some(first.subject),
        month,
        available: Some(first.available),
        assigned: first.assigned,
        active: first.active,
        status: first.status,
        attributions,
        ..ReportedSeats::default()
    };
    (first.line, seats, revenue)
}
