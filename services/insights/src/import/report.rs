//! The two subscription reports of Partner Center Insights: SeatsSubscriptionsAndRevenue and DynamicsUsage.
//!
//! Several rows of one subscription and month under different partner ids are one subscription with several attributions:
//! seats and revenue count once. Such rows may stand anywhere in the file, so the file is gathered by subscription and month
//! before anything is sent.
//!
//! What the file names without being its source for (customer, SKU, location; the subscription too in DynamicsUsage) is sent as
//! a stub: recorded in the first hours of 1970, one second per month of the file, so that every real record wins over it and
//! a later month wins over an earlier one.

mod gather;
mod row;

use std::{collections::HashMap, io::BufRead};

use insights_domain::calendar::Month;
use insights_proto::ingestion::v1::{CompleteThrough, Record, ReportedSeats, Revenue, Subscription, record::Kind};
use prost_types::Timestamp;

use self::{
    gather::{Gathered, Group, Stubs},
    row::{Key, ParsedRow},
};
use super::{
    Notes, Options, ReadError, Sink, Stopped,
    table::{Column, Table},
    values,
};

/// What makes one report differ from the other.
pub(super) struct Report {
    columns: &'static [Column<Key>],
    ignored: &'static [&'static str],
    /// The product of every row, where the report is about one.
    product: Option<&'static str>,
    /// Whether the report is the source of its subscriptions, or only names them.
    owns_subscriptions: bool,
}

/// SeatsSubscriptionsAndRevenue. `AvailableSeats` is a flow here and not used.
pub(super) static SUBSCRIPTIONS: Report = Report {
    columns: row::SUBSCRIPTION_COLUMNS,
    ignored: row::SUBSCRIPTION_IGNORED,
    product: None,
    owns_subscriptions: true,
};

/// DynamicsUsage. `AvailableSeats` is the stock here.
pub(super) static DYNAMICS_USAGE: Report = Report {
    columns: row::DYNAMICS_COLUMNS,
    ignored: row::DYNAMICS_IGNORED,
    product: Some("Dynamics 365"),
    owns_subscriptions: false,
};

/// Reads a report.
pub(super) fn read(
    report: &Report,
    input: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    let mut table = Table::open(input, report.columns, report.ignored)?;
    if !row::SKU_KEYS.iter().any(|key| table.has(*key)) {
        return Err(ReadError::Refused("the file lacks the required column SKU (or SKUId, ProductPartNumber)".into()));
    }
    let mut notes = Notes { unknown_columns: table.unknown.clone(), ..Notes::default() };
    let mut gathered = Gathered::default();
    while let Some(found) = table.next_row()? {
        match found.and_then(|found| row::parse(&table, &found, report.product, &mut notes)) {
            Ok((parsed, stubs)) => gathered.take(parsed, stubs),
            Err(rejection) => sink.rejected(rejection)?,
        }
    }
    send(report, gathered, options, sink)?;
    Ok(notes)
}

fn send(report: &Report, gathered: Gathered, options: &Options, sink: &mut dyn Sink) -> Result<(), Stopped> {
    let mut last_month: Option<Month> = None;
    let Gathered { groups, stubs, .. } = gathered;
    send_stubs(stubs, sink)?;
    for subscription in latest(&groups) {
        let recorded_at = if report.owns_subscriptions { None } else { Some(stub_time(subscription.first.month)) };
        sink.record(subscription.first.line, Record { recorded_at, kind: Some(subscription_of(subscription)) })?;
    }
    for group in groups {
        last_month = last_month.max(Some(group.first.month));
        let (line, seats, revenue) = monthly(group);
        sink.record(line, Record { recorded_at: None, kind: Some(Kind::ReportedSeats(seats)) })?;
        if let Some(revenue) = revenue {
            sink.record(line, Record { recorded_at: None, kind: Some(Kind::Revenue(revenue)) })?;
        }
    }
    if let Some(month) = last_month {
        let day = month.last_day().min(options.today).to_string();
        sink.record(1, Record { recorded_at: None, kind: Some(Kind::CompleteThrough(CompleteThrough { day })) })?;
    }
    Ok(())
}

/// When the stub of something named in `month` counts as recorded.
fn stub_time(month: Month) -> Timestamp {
    Timestamp { seconds: i64::from(month.index() - 1970 * 12), nanos: 0 }
}

fn send_stubs(stubs: Stubs, sink: &mut dyn Sink) -> Result<(), Stopped> {
    let Stubs { customers, skus, locations } = stubs;
    let mut send =
        |line, month, kind| sink.record(line, Record { recorded_at: Some(stub_time(month)), kind: Some(kind) });
    for (line, month, location) in locations.into_values() {
        send(line, month, Kind::Location(location))?;
    }
    for (line, month, sku) in skus.into_values() {
        send(line, month, Kind::Sku(sku))?;
    }
    for (line, month, customer) in customers.into_values() {
        send(line, month, Kind::Customer(customer))?;
    }
    Ok(())
}

/// The group of each subscription's latest month, in the order of the file.
fn latest(groups: &[Group]) -> Vec<&Group> {
    let mut latest: HashMap<&str, usize> = HashMap::new();
    for (at, group) in groups.iter().enumerate() {
        let best = latest.entry(&group.first.subscription).or_insert(at);
        if groups[*best].first.month < group.first.month {
            *best = at;
        }
    }
    let mut order: Vec<usize> = latest.into_values().collect();
    order.sort_unstable();
    order.into_iter().map(|at| &groups[at]).collect()
}

fn subscription_of(group: &Group) -> Kind {
    let row = &group.first;
    Kind::Subscription(Subscription {
        subscription_id: row.subscription.clone(),
        customer_id: row.customer.clone(),
        sku_id: row.sku.clone(),
        sales_channel: row.sales_channel.clone(),
        auto_renew: row.auto_renew,
        start: row.start.map(|day| day.to_string()),
        end: row.end.map(|day| day.to_string()),
        attributions: group.attributions.clone(),
        ..Subscription::default()
    })
}

fn monthly(group: Group) -> (u64, ReportedSeats, Option<Revenue>) {
    let Group { first, attributions } = group;
    let ParsedRow { line, subscription, month, revenue, .. } = first;
    let month = month.to_string();
    let revenue = revenue.map(|amount| Revenue {
        subscription_id: Some(subscription.clone()),
        month: month.clone(),
        amount,
        currency: "USD".into(),
        ..Revenue::default()
    });
    let seats = ReportedSeats {
        subscription_id: Some(subscription),
        month,
        available: Some(first.available),
        assigned: first.assigned,
        active: first.active,
        status: first.status,
        attributions,
        ..ReportedSeats::default()
    };
    (line, seats, revenue)
}
