//! The facts of a partner as a whole.

use std::collections::HashMap;

use insights_database::Database;
use insights_proto::ingestion::v1::{
    GetPartnerFactsResponse, Location, Partner as Settings, ServiceFacts, Sku, SkuFacts,
};
use prost::Message;

use crate::{
    error::Error,
    records::fact::FactKind,
    tables::{
        catalogue, fact,
        partner::{NO_DAY, StoredPartner},
    },
};

/// Reads settings, catalogue and locations in one snapshot.
pub(crate) async fn partner_facts(database: &Database, id: &str) -> Result<GetPartnerFactsResponse, Error> {
    let snapshot = database.snapshot().await?;
    let partner = StoredPartner::find(&snapshot, id).await?.ok_or(Error::NoPartner)?;
    let mut response = GetPartnerFactsResponse {
        epoch: partner.epoch,
        version: partner.version,
        complete_through: (partner.complete_through != NO_DAY).then_some(partner.complete_through),
        last_activity: (partner.last_activity != NO_DAY).then_some(partner.last_activity),
        ..GetPartnerFactsResponse::default()
    };
    let mut skus: HashMap<i32, Sku> = HashMap::new();
    for (kind, key, body) in fact::all_of_partner(&snapshot, &partner).await? {
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
    for row in catalogue::all_services(&snapshot, &partner).await? {
        let service = ServiceFacts { number: row.service_no.cast_unsigned(), name: row.name };
        numbers.insert(service.name.clone(), service.number);
        response.services.push(service);
    }
    for row in catalogue::all_skus(&snapshot, &partner).await? {
        let sku = skus.remove(&row.sku_no).filter(|_| row.known);
        let sku = sku.unwrap_or_else(|| Sku { sku_id: row.sku_id, ..Sku::default() });
        let services = sku.services.iter().filter_map(|name| numbers.get(name).copied()).collect();
        response.skus.push(SkuFacts { number: row.sku_no.cast_unsigned(), known: row.known, sku: Some(sku), services });
    }
    snapshot.rollback().await?;
    Ok(response)
}
