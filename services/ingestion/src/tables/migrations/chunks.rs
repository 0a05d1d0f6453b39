//! Second migration: a chunk of activity holds every service of up to 64 users, where it held one service of up to 256.
//!
//! What is there is written anew, customer by customer; a run that was cut off begins again where the old table still is.

use std::collections::BTreeMap;

use insights_database::{
    bulk::{self, Column, Conflict, statement},
    hot_table,
    sea_orm::{self, ConnectionTrait, DbBackend, DbErr, FromQueryResult, Value, sea_query::Table},
    sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait},
};

use insights_service::fail_point;

use super::{big, bytes, int, table};

pub(super) struct Chunks;

const OLD: &str = "ingestion_activity_by_service";
const NEW: &str = "ingestion_activity";
/// Customers read at a time.
const PAGE: u64 = 200;

impl MigrationName for Chunks {
    fn name(&self) -> &'static str {
        "m0002_chunks_of_all_services"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Chunks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !manager.has_table(OLD).await? && manager.has_column(NEW, "service_no").await? {
            manager.rename_table(Table::rename().table(NEW, OLD).to_owned()).await?;
        }
        let columns =
            vec![int("partner_no"), int("cell"), big("customer_no"), int("month"), int("bucket"), bytes("body")];
        let key = ["partner_no", "cell", "customer_no", "month", "bucket"];
        manager.create_table(table(NEW, columns, &key).if_not_exists().to_owned()).await?;
        hot_table(manager, NEW).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            // Bodies stay in their rows, as they are: masks hardly shrink, and are read as often as they are written.
            let sql = "ALTER TABLE ingestion_activity SET (toast_tuple_target = 8160), ALTER body SET STORAGE EXTERNAL";
            manager.get_connection().execute_unprepared(sql).await?;
        }
        if manager.has_table(OLD).await? {
            convert_all(manager).await?;
            manager.drop_table(Table::drop().table(OLD).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("facts are never dropped by a migration".to_owned()))
    }
}

async fn convert_all(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut last = Customer { partner: i32::MIN, cell: i32::MIN, number: i64::MIN };
    loop {
        let customers = customers_after(manager, last).await?;
        let Some(end) = customers.last() else { break };
        last = *end;
        for customer in customers {
            convert(manager, customer).await?;
            fail_point::hit("ingestion.migrating_chunks");
        }
    }
    Ok(())
}

#[derive(Clone, Copy, FromQueryResult)]
struct Customer {
    #[sea_orm(from_alias = "partner_no")]
    partner: i32,
    cell: i32,
    #[sea_orm(from_alias = "customer_no")]
    number: i64,
}

impl Customer {
    fn values(self) -> Vec<Value> {
        vec![self.partner.into(), self.cell.into(), self.number.into()]
    }
}

async fn customers_after(manager: &SchemaManager<'_>, last: Customer) -> Result<Vec<Customer>, DbErr> {
    let connection = manager.get_connection();
    let sql = format!(
        "SELECT DISTINCT partner_no, cell, customer_no FROM {OLD} WHERE (partner_no, cell, customer_no) > ($1, $2, $3) \
         ORDER BY partner_no, cell, customer_no LIMIT {PAGE}"
    );
    let rows = connection.query_all_raw(statement(connection, sql, last.values())).await?;
    rows.iter().map(|row| Customer::from_query_result(row, "")).collect()
}

/// A chunk as the first version wrote it.
#[derive(FromQueryResult)]
struct OldChunk {
    service_no: i32,
    month: i32,
    bucket: i32,
    body: Vec<u8>,
}

/// Masks by month and bucket, service and place.
type Masks = BTreeMap<(i32, i32), BTreeMap<i32, [u32; 64]>>;

async fn convert(manager: &SchemaManager<'_>, customer: Customer) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let sql = format!(
        "SELECT service_no, month, bucket, body FROM {OLD} WHERE partner_no = $1 AND cell = $2 AND customer_no = $3"
    );
    let mut masks = Masks::new();
    for row in connection.query_all_raw(statement(connection, sql, customer.values())).await? {
        let OldChunk { service_no: service, month, bucket, body } = OldChunk::from_query_result(&row, "")?;
        for (place, mask) in
            old_masks(&body).ok_or_else(|| DbErr::Migration("a damaged chunk of activity".to_owned()))?
        {
            let bucket = bucket * 4 + (place / 64) as i32;
            masks.entry((month, bucket)).or_default().entry(service).or_insert([0; 64])[place % 64] = mask;
        }
    }
    let fixed = [
        ("partner_no", Value::from(customer.partner)),
        ("cell", Value::from(customer.cell)),
        ("customer_no", Value::from(customer.number)),
    ];
    let columns = vec![
        ("month", Column::Int(masks.keys().map(|key| key.0).collect())),
        ("bucket", Column::Int(masks.keys().map(|key| key.1).collect())),
        ("body", Column::Bytes(masks.values().map(new_body).collect())),
    ];
    let key = &["partner_no", "cell", "customer_no", "month", "bucket"];
    let conflict = Conflict::Replace { key, set: &["body"], only_if: None };
    bulk::upsert(connection, NEW, &fixed, columns, conflict)
        .await
        .map(drop)
        .map_err(|error| DbErr::Custom(error.to_string()))
}

/// Format 1: its number, then the form. Form 0 is a mask for every user from the first on, form 1 a place and a mask for each.
fn old_masks(body: &[u8]) -> Option<Vec<(usize, u32)>> {
    let (form, rest) = match body {
        [1, form, rest @ ..] => (*form, rest),
        _ => return None,
    };
    let (dense, sparse) = (rest.as_chunks::<4>(), rest.as_chunks::<5>());
    let masks: Vec<(usize, u32)> = match form {
        0 if dense.1.is_empty() => dense.0.iter().copied().map(u32::from_le_bytes).enumerate().collect(),
        1 if sparse.1.is_empty() => sparse
            .0
            .iter()
            .map(|[place, a, b, c, d]| (usize::from(*place), u32::from_le_bytes([*a, *b, *c, *d])))
            .collect(),
        _ => return None,
    };
    Some(masks.into_iter().filter(|(_, mask)| *mask != 0).collect())
}

/// Format 2, as it was first written.
fn new_body(services: &BTreeMap<i32, [u32; 64]>) -> Vec<u8> {
    let mut body = vec![2];
    for (service, masks) in services {
        let users = (0..64).fold(0_u64, |users, place| users | u64::from(masks[place] != 0) << place);
        body.extend(service.to_le_bytes());
        body.extend(users.to_le_bytes());
        body.extend(masks.iter().filter(|mask| **mask != 0).flat_map(|mask| mask.to_le_bytes()));
    }
    body
}
