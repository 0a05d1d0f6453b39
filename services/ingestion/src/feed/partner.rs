//! The facts of a partner as a whole.

use std::collections::HashMap;

use insights_database::{Database, Transaction};
use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{
    GetPartnerFactsResponse, Location, Partner as Settings, ReportCoverage, ServiceFacts, Sku, SkuFacts,
};
use prost::Message;

use crate::{
    error::Error,
    records::fact::FactKind,
    tables::{
        catalogue,
        coverage::{self, CoveredMonth},
        fact,
        partner::{NO_DAY, StoredPartner},
    },
};

/// Reads settings, catalogue, locations and coverage in one snapshot. Coverage is that of a time in nanoseconds since 1970; none: now.
pub(crate) async fn partner_facts(
    database: &Database,
    id: &str,
    as_of: Option<i64>,
) -> Result<GetPartnerFactsResponse, Error> {
    let snapshot = database.snapshot().await?;
    let facts = partner_facts_in(&snapshot, id, as_of).await?;
    snapshot.rollback().await?;
    Ok(facts)
}

/// The same as a transaction sees them.
pub(crate) async fn partner_facts_in(
    snapshot: &Transaction,
    id: &str,
    as_of: Option<i64>,
) -> Result<GetPartnerFactsResponse, Error> {
    let partner = StoredPartner::find(snapshot, id).await?.ok_or(Error::NoPartner)?;
    let mut response = GetPartnerFactsResponse {
        epoch: partner.epoch,
        version: partner.version,
        complete_through: (partner.complete_through != NO_DAY).then_some(partner.complete_through),
        last_activity: (partner.last_activity != NO_DAY).then_some(partner.last_activity),
        ..GetPartnerFactsResponse::default()
    };
    let mut skus: HashMap<i32, Sku> = HashMap::new();
    for (kind, key, body) in fact::all_of_partner(snapshot, &partner).await? {
        match kind {
            FactKind::Partner => response.settings = Some(Settings::decode(body.as_slice())?),
            FactKind::Location => response.locations.push(Location::decode(body.as_slice())?),
            FactKind::Sku => {
                let number = key.first_chunk::<4>().map_or(0, |bytes| i32::from_be_bytes(*bytes));
                skus.insert(number, Sku::decode(body.as_slice())?);
            }
            _ => {}
        }
    }
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for row in catalogue::all_services(snapshot, &partner).await? {
        let service = ServiceFacts { number: row.service_no.cast_unsigned(), name: row.name };
        numbers.insert(service.name.clone(), service.number);
        response.services.push(service);
    }
    for row in catalogue::all_skus(snapshot, &partner).await? {
        let sku = skus.remove(&row.sku_no).filter(|_| row.known);
        let sku = sku.unwrap_or_else(|| Sku { sku_id: row.sku_id, ..Sku::default() });
        let services = sku.services.iter().filter_map(|name| numbers.get(name).copied()).collect();
        response.skus.push(SkuFacts { number: row.sku_no.cast_unsigned(), known: row.known, sku: Some(sku), services });
    }
    response.coverage = by_report(coverage::at(snapshot, &partner, as_of.unwrap_or(i64::MAX - 1)).await?);
    Ok(response)
}

/// Months in order, together by report.
fn by_report(months: Vec<CoveredMonth>) -> Vec<ReportCoverage> {
    let mut reports: Vec<ReportCoverage> = Vec::new();
    for CoveredMonth { report, by_sku, day } in months {
        let Some(month) = Day::from_epoch_days(day).map(|day| day.month().index()) else { continue };
        match reports.last_mut().filter(|last| last.report == report && last.by_sku == by_sku) {
            Some(last) => last.months.push(month),
            None => reports.push(ReportCoverage { report, by_sku, months: vec![month] }),
        }
    }
    reports
}
