//! `ingestion_sku` and `ingestion_service`: the numbers of a partner's SKUs and services. Small: a catalogue has thousands of rows
//! at most.

use insights_database::{
    Transaction,
    bulk::{self, Column, Conflict, Lock},
    sea_orm::{self, ConnectionTrait, FromQueryResult},
};

use super::{partner::StoredPartner, query};
use crate::error::Error;

/// A SKU's row.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct SkuRow {
    pub sku_no: i32,
    pub sku_id: String,
    /// Its own record has come; until then it is only referred to.
    pub known: bool,
}

/// A service's row.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct ServiceRow {
    pub service_no: i32,
    pub name: String,
}

const SKU: &str = "sku_no, sku_id, known";

/// These SKUs, of those that have a row.
pub(crate) async fn look_up_skus<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    ids: Vec<String>,
) -> Result<Vec<SkuRow>, Error> {
    let keys = vec![("sku_id", Column::Text(ids))];
    let rows = bulk::lookup(connection, "ingestion_sku", &partner.fixed_beside_key(), keys, SKU).await?;
    rows.iter().map(|row| Ok(SkuRow::from_query_result(row, "")?)).collect()
}

/// Locks SKUs in the order of their numbers.
pub(crate) async fn lock_skus(
    transaction: &Transaction,
    partner: &StoredPartner,
    numbers: Vec<i32>,
    lock: Lock,
) -> Result<Vec<SkuRow>, Error> {
    let key = ("sku_no", Column::Int(numbers));
    let rows = bulk::lock(transaction, "ingestion_sku", &partner.fixed(), key, SKU, lock).await?;
    rows.iter().map(|row| Ok(SkuRow::from_query_result(row, "")?)).collect()
}

/// Every SKU, in the order of their numbers.
pub(crate) async fn all_skus<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
) -> Result<Vec<SkuRow>, Error> {
    let sql = "SELECT sku_no, sku_id, known FROM ingestion_sku WHERE partner_no = $1 ORDER BY sku_no";
    query::rows(connection, sql, vec![partner.number.into()]).await
}

/// Makes rows of SKUs (number, id) whose own records have not come.
pub(crate) async fn insert_skus<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    skus: &[(i32, String)],
) -> Result<(), Error> {
    let columns = vec![
        ("sku_no", Column::Int(skus.iter().map(|(number, _)| *number).collect())),
        ("sku_id", Column::Text(skus.iter().map(|(_, id)| id.clone()).collect())),
        ("known", Column::Bool(vec![false; skus.len()])),
    ];
    bulk::upsert(connection, "ingestion_sku", &partner.fixed(), columns, Conflict::Fail).await?;
    Ok(())
}

/// Notes that the own records of these SKUs, which are locked, have come.
pub(crate) async fn set_known(
    transaction: &Transaction,
    partner: &StoredPartner,
    skus: Vec<SkuRow>,
) -> Result<(), Error> {
    let unknown: Vec<SkuRow> = skus.into_iter().filter(|sku| !sku.known).collect();
    let columns = vec![
        ("sku_no", Column::Int(unknown.iter().map(|sku| sku.sku_no).collect())),
        ("known", Column::Bool(vec![true; unknown.len()])),
        ("sku_id", Column::Text(unknown.into_iter().map(|sku| sku.sku_id).collect())),
    ];
    let replace = Conflict::Replace { key: &["partner_no", "sku_no"], set: &["known"], only_if: None };
    bulk::upsert(transaction, "ingestion_sku", &partner.fixed(), columns, replace).await?;
    Ok(())
}

/// These services, of those that have a row.
pub(crate) async fn look_up_services<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    names: Vec<String>,
) -> Result<Vec<ServiceRow>, Error> {
    let keys = vec![("name", Column::Text(names))];
    let fixed = partner.fixed_beside_key();
    let rows = bulk::lookup(connection, "ingestion_service", &fixed, keys, "service_no, name").await?;
    rows.iter().map(|row| Ok(ServiceRow::from_query_result(row, "")?)).collect()
}

/// Every service, in the order of their numbers.
pub(crate) async fn all_services<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
) -> Result<Vec<ServiceRow>, Error> {
    let sql = "SELECT service_no, name FROM ingestion_service WHERE partner_no = $1 ORDER BY service_no";
    query::rows(connection, sql, vec![partner.number.into()]).await
}

/// Makes rows of services (number, name).
pub(crate) async fn insert_services<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    services: &[(i32, String)],
) -> Result<(), Error> {
    let columns = vec![
        ("service_no", Column::Int(services.iter().map(|(number, _)| *number).collect())),
        ("name", Column::Text(services.iter().map(|(_, name)| name.clone()).collect())),
    ];
    bulk::upsert(connection, "ingestion_service", &partner.fixed(), columns, Conflict::Fail).await?;
    Ok(())
}
