//! What concerns a whole partner.

use std::collections::HashMap;

use insights_database::{
    Database,
    bulk::statement,
    sea_orm::{ConnectionTrait, Value},
};
use insights_proto::ingestion::v1::{
    GetPartnerFactsResponse, Location, Partner as Settings, ServiceFacts, Sku, SkuFacts,
};
use prost::Message;

use crate::{
    error::Error,
    records::fact::FactKind,
    tables::partner::{NO_DAY, PartnerRow},
};

/// Reads settings, catalogue and locations in one snapshot.
pub(crate) async fn partner_facts(database: &Database, id: &str) -> Result<GetPartnerFactsResponse, Error> {
    let snapshot = database.snapshot().await?;
    let partner = PartnerRow::find(&snapshot, id).await?.ok_or(Error::NoPartner)?;
    let mut response = GetPartnerFactsResponse {
        epoch: partner.epoch,
        version: partner.version,
        complete_through: (partner.complete_through != NO_DAY).then_some(partner.complete_through),
        last_activity: (partner.last_activity != NO_DAY).then_some(partner.last_activity),
        ..GetPartnerFactsResponse::default()
    };
    let of_partner: Vec<Value> = vec![partner.number.into()];
    let sql = "SELECT kind, key, body FROM ingestion_fact WHERE partner_no = $1 AND cell = 0 AND customer_no = 0";
    let mut skus: HashMap<i32, Sku> = HashMap::new();
    for row in snapshot.query_all_raw(statement(&snapshot, sql, of_partner.clone())).await? {
        let (key, body): (Vec<u8>, Vec<u8>) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        match FactKind::from_number(row.try_get_by_index(0)?) {
            Some(FactKind::Partner) => response.settings = Some(Settings::decode(body.as_slice())?),
            Some(FactKind::Location) => response.locations.push(Location::decode(body.as_slice())?),
            Some(FactKind::Sku) => {
                let number = key.first_chunk::<4>().map_or(0, |bytes| i32::from_be_bytes(*bytes));
                skus.insert(number, Sku::decode(body.as_slice())?);
            }
            _ => {}
        }
    }
    let sql = "SELECT service_no, name FROM ingestion_service WHERE partner_no = $1 ORDER BY service_no";
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for row in snapshot.query_all_raw(statement(&snapshot, sql, of_partner.clone())).await? {
        let service =
            ServiceFacts { number: row.try_get_by_index::<i32>(0)?.cast_unsigned(), name: row.try_get_by_index(1)? };
        numbers.insert(service.name.clone(), service.number);
        response.services.push(service);
    }
    let sql = "SELECT sku_no, sku_id, known FROM ingestion_sku WHERE partner_no = $1 ORDER BY sku_no";
    for row in snapshot.query_all_raw(statement(&snapshot, sql, of_partner)).await? {
        let number: i32 = row.try_get_by_index(0)?;
        let known: bool = row.try_get_by_index(2)?;
        let only_id = || -> Result<Sku, Error> { Ok(Sku { sku_id: row.try_get_by_index(1)?, ..Sku::default() }) };
        let sku = match skus.remove(&number).filter(|_| known) {
            Some(sku) => sku,
            None => only_id()?,
        };
        let services = sku.services.iter().filter_map(|name| numbers.get(name).copied()).collect();
        response.skus.push(SkuFacts { number: number.cast_unsigned(), known, sku: Some(sku), services });
    }
    snapshot.rollback().await?;
    Ok(response)
}
