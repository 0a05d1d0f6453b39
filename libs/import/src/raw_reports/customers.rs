//! CustomersAndTenants: customers, why they belong to the partner, and what they were billed, by SKU and month.
//!
//! The report does not name subscriptions. Attributions and revenue stand on the row of a customer's SKU, which gives way
//! to any subscription of that SKU. Its seats are 0: whether `AvailableSeats` is a stock or a flow here nobody says.

use std::{collections::BTreeMap, io::BufRead, str::FromStr as _};

use insights_domain::{amount::Amount, ids::folded_name};
use insights_proto::ingestion::v1::{Precedence, ReportedSeats, Revenue, record::Kind};

use super::{
    Bad, Gathered, Notes, RawReportColumn, ReadError, ReadOptions, ReportRow, RowGroup, RowReader, Sink, columns,
    gather, open, plain, refuse_without_sku,
};

/// Reads CustomersAndTenants.
pub(crate) fn read(input: &mut dyn BufRead, options: &ReadOptions, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let mut table = open(input, columns::CUSTOMERS)?;
    let names_products = columns::PRODUCT_KEYS.iter().any(|key| table.has(*key));
    if table.has(RawReportColumn::Revenue) && !names_products {
        refuse_without_sku(&table)?;
    }
    let gathered = gather(&mut table, options, sink, take)?;
    gathered.send(options, sink, |groups, sink| {
        for group in groups {
            send(group, sink)?;
        }
        Ok(())
    })
}

fn take(read: &RowReader<'_, '_>, gathered: &mut Gathered) -> Result<(), Bad> {
    let month = read.month()?;
    let customer = read.id(RawReportColumn::Customer)?;
    let revenue = read.revenue(&mut gathered.notes);
    let other_revenue = read.other_revenue(&mut gathered.notes);
    let sku = read.sku();
    if sku.is_none() && (revenue.is_some() || !other_revenue.is_empty()) {
        return Err(read.reject(RawReportColumn::Sku, "is missing: the revenue belongs to nothing".into()).into());
    }
    let sku = sku.map(|sku| gathered.spelling(sku));
    let line = read.row.line;
    let record = plain(Kind::Customer(read.customer(&customer, &mut gathered.notes)));
    gathered.named.take(line, month, record)?;
    gathered.location_stub(read, month)?;
    gathered.last_month = gathered.last_month.max(Some(month));
    let Some(sku) = sku else { return Ok(()) };
    gathered.stub(line, month, Precedence::Described, Kind::Sku(read.sku_stub(&sku, None)))?;
    let status = read.text(RawReportColumn::CustomerStatus);
    if let Some(status) = &status {
        gathered.notes.status(status);
    }
    let article = [RawReportColumn::PartNumber, RawReportColumn::RawProduct]
        .map(|key| folded_name(&read.text(key).unwrap_or_default()))
        .join("\n");
    gathered.add(ReportRow {
        line,
        month: month.index(),
        subject: customer,
        object: sku,
        article,
        duplicate: read.flag(RawReportColumn::Duplicate).unwrap_or(false),
        attribution: read.attribution(),
        status,
        revenue,
        other_revenue,
        ..ReportRow::default()
    })?;
    Ok(())
}

fn send(group: RowGroup, sink: &mut dyn Sink) -> Result<(), ReadError> {
    let amounts = amounts(&group);
    let RowGroup { first, attributions, .. } = group;
    let month = first.month_text();
    // The partner's report lists what it sold or manages; without an attribution that says which, it sold it.
    let seller = attributions.is_empty().then(|| "own".to_owned());
    let seats = ReportedSeats {
        customer_id: Some(first.subject.clone()),
        sku_id: Some(first.object.clone()),
        month: month.clone(),
        available: Some(0),
        status: first.status,
        seller: seller.clone(),
        attributions,
        report: Some("insights-customers".to_owned()),
        ..ReportedSeats::default()
    };
    sink.record(first.line, plain(Kind::ReportedSeats(seats)))?;
    for (currency, amount) in amounts {
        let revenue = Revenue {
            customer_id: Some(first.subject.clone()),
            sku_id: Some(first.object.clone()),
            month: month.clone(),
            amount,
            currency,
            seller: seller.clone(),
            ..Revenue::default()
        };
        sink.record(first.line, plain(Kind::Revenue(revenue)))?;
    }
    Ok(())
}

/// The sums over the articles sold under the SKU, by currency. An amount too large to add is left for the server to refuse.
fn amounts(group: &RowGroup) -> BTreeMap<String, String> {
    let mut sums: BTreeMap<String, String> = BTreeMap::new();
    for line in std::iter::once(&group.first).chain(&group.others) {
        for (currency, amount) in line.amounts() {
            let Some(sum) = sums.get_mut(currency) else {
                sums.insert(currency.to_owned(), amount.to_owned());
                continue;
            };
            if let (Ok(one), Ok(other)) = (Amount::from_str(sum), Amount::from_str(amount)) {
                *sum = Amount::from_micros(one.micros().saturating_add(other.micros())).to_string();
            } else {
                amount.clone_into(sum);
            }
        }
    }
    sums
}
