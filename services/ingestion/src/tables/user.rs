//! `ingestion_user`: the number of each user within its customer, by hash.

use insights_database::{
    Transaction,
    bulk::Column,
    sea_orm::{self, FromQueryResult},
};

use super::{partner::StoredPartner, statements as sql};
use crate::error::Error;

#[derive(FromQueryResult)]
struct UserNumberRow {
    user_no: i32,
}

/// The numbers of these users (customer, hash), each with the user's position, of those that have one.
pub(crate) async fn look_up(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    users: &[(i64, u128)],
) -> Result<Vec<(usize, i32)>, Error> {
    let keys = vec![
        Column::BigInt(users.iter().map(|user| user.0).collect()),
        Column::Bytes(users.iter().map(|user| user.1.to_be_bytes().to_vec()).collect()),
    ];
    let rows = sql::USERS_BY_HASH.rows::<UserNumberRow, _>(transaction, partner.in_shard(shard), keys).await?;
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
