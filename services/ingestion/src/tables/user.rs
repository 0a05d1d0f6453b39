//! `ingestion_user`: the number of each user within its customer, by hash.

use insights_database::{
    Transaction,
    bulk::Column,
    sea_orm::{self, ConnectionTrait, FromQueryResult},
};

use super::{partner::StoredPartner, statements as sql, waiting::RecordCount};
use crate::{error::Error, ids::CustomerAddress};

#[derive(FromQueryResult)]
struct UserNumberRow {
    user_no: i32,
}

/// The numbers of these users (customer, hash), each with the user's position, of those that have one.
pub(crate) async fn look_up<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    shard: i32,
    users: &[(i64, u128)],
) -> Result<Vec<(usize, i32)>, Error> {
    let keys = vec![
        Column::BigInt(users.iter().map(|user| user.0).collect()),
        Column::Bytes(users.iter().map(|user| user.1.to_be_bytes().to_vec()).collect()),
    ];
    let rows = sql::USERS_BY_HASH.rows::<UserNumberRow, _>(connection, partner.in_shard(shard), keys).await?;
    Ok(rows.into_iter().map(|(position, row)| (position, row.user_no)).collect())
}

/// Makes rows of users (customer, hash, number).
pub(crate) async fn insert(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    users: &[(i64, u128, i32)],
) -> Result<(), Error> {
    let columns = vec![
        Column::BigInt(users.iter().map(|user| user.0).collect()),
        Column::Bytes(users.iter().map(|user| user.1.to_be_bytes().to_vec()).collect()),
        Column::Int(users.iter().map(|user| user.2).collect()),
    ];
    sql::INSERT_USERS.run(transaction, partner.in_shard(shard), columns).await
}

/// How many users a customer has.
pub(crate) async fn count<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    at: CustomerAddress,
) -> Result<i64, Error> {
    let row = sql::COUNT_USERS.row(connection, partner.in_shard(at.shard), vec![at.number.into()]).await?;
    Ok(row.map_or(0, |row: RecordCount| row.records))
}

/// Deletes a user of a customer, or all of them.
pub(crate) async fn delete(
    transaction: &Transaction,
    partner: &StoredPartner,
    at: CustomerAddress,
    user: Option<u128>,
) -> Result<(), Error> {
    let scope = partner.in_shard(at.shard);
    match user {
        None => sql::DELETE_USERS_OF_CUSTOMER.run(transaction, scope, vec![at.number.into()]).await,
        Some(user) => {
            let keys = vec![Column::BigInt(vec![at.number]), Column::Bytes(vec![user.to_be_bytes().to_vec()])];
            sql::DELETE_USERS.run(transaction, scope, keys).await
        }
    }
}
