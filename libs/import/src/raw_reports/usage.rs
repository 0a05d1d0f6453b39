//! OfficeUsage: users by workload and month, without saying who.

use std::{collections::HashMap, io::BufRead};

use insights_proto::ingestion::v1::{ReportedUsage, record::Kind};

use super::{
    Bad, Gathered, Notes, RawReportColumn, ReadError, ReadOptions, ReportRow, RowGroup, RowReader, Sink, columns,
    gather, open, plain, values,
};
use crate::product_names::services::service_of_workload;
use crate::text::values::one_spaced;

const FOLDED: &str = "OneDrive and SharePoint are one service: of a month that reports both, the greater numbers are \
    taken, a lower bound of the users of either";

/// Reads OfficeUsage.
pub(crate) fn read(input: &mut dyn BufRead, options: &ReadOptions, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let mut table = open(input, columns::OFFICE_USAGE)?;
    let gathered = gather(&mut table, options, sink, take)?;
    let mut folded = false;
    let mut notes = gathered.send(options, sink, |groups, sink| {
        for (line, usage) in by_service(groups, &mut folded) {
            sink.record(line, plain(Kind::ReportedUsage(usage)))?;
        }
        Ok(())
    })?;
    if folded {
        notes.remarks.insert(FOLDED);
    }
    Ok(notes)
}

fn take(read: &RowReader<'_, '_>, gathered: &mut Gathered) -> Result<(), Bad> {
    let month = read.month()?;
    let customer = read.id(RawReportColumn::Customer)?;
    let workload = read
        .text(RawReportColumn::Workload)
        .ok_or_else(|| read.reject(RawReportColumn::Workload, "is missing".into()))?;
    let units = read.parsed(RawReportColumn::Units, values::units)?;
    let users = read.parsed(RawReportColumn::Users, values::users)?;
    if units.is_none() && users.is_none() {
        return Err(read.reject(RawReportColumn::Units, "is missing, and so is MonthlyActiveUsers".into()).into());
    }
    if service_of_workload(&workload).is_none() {
        gathered.notes.unmapped_service(&workload);
    }
    let workload = gathered.spelling(one_spaced(&workload));
    gathered.customer_stub(read, month, &customer)?;
    gathered.location_stub(read, month)?;
    gathered.add(ReportRow {
        line: read.row.line,
        month: month.index(),
        subject: customer,
        object: workload,
        duplicate: read.flag(RawReportColumn::Duplicate).unwrap_or(false),
        attribution: read.attribution(),
        available: units.unwrap_or(0),
        active: users,
        ..ReportRow::default()
    })?;
    Ok(())
}

/// Workloads that are one service are one row.
fn by_service(groups: Vec<RowGroup>, folded: &mut bool) -> Vec<(u64, ReportedUsage)> {
    let mut rows: Vec<(u64, ReportedUsage)> = Vec::new();
    let mut places: HashMap<(String, String, i32), usize> = HashMap::new();
    for RowGroup { first, attributions, .. } in groups {
        let service = service_of_workload(&first.object).unwrap_or(&first.object).to_owned();
        let (units, users) = (Some(first.available), Some(first.active.unwrap_or(0)));
        let key = (first.subject.clone(), service.clone(), first.month);
        if let Some(&at) = places.get(&key) {
            *folded = true;
            let known = &mut rows[at].1;
            known.paid_available_units = known.paid_available_units.max(units);
            known.monthly_active_users = known.monthly_active_users.max(users);
            for attribution in attributions {
                if !known.attributions.contains(&attribution) {
                    known.attributions.push(attribution);
                }
            }
            continue;
        }
        places.insert(key, rows.len());
        let month = first.month_text();
        let usage = ReportedUsage {
            customer_id: first.subject,
            service,
            month,
            paid_available_units: units,
            monthly_active_users: users,
            attributions,
        };
        rows.push((first.line, usage));
    }
    rows
}
