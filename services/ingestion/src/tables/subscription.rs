//! `ingestion_subscription`: the number of each subscription, and the customer who has it.

use insights_database::{
    Transaction,
    bulk::{Column, Lock},
    sea_orm::{self, ConnectionTrait, FromQueryResult},
};

use super::{partner::StoredPartner, statements as sql};
use crate::{
    error::Error,
    ids::{CustomerAddress, ResolvedSubscription},
};

#[derive(FromQueryResult)]
struct NamedSubscription {
    subscription_id: String,
    #[sea_orm(nested)]
    row: SubscriptionRow,
}

#[derive(FromQueryResult)]
struct SubscriptionRow {
    subscription_no: i32,
    cell: i32,
    customer_no: i64,
    known: bool,
}

impl SubscriptionRow {
    fn entry(&self) -> ResolvedSubscription {
        let customer = CustomerAddress { shard: self.cell, number: self.customer_no };
        ResolvedSubscription { number: self.subscription_no, customer, known: self.known }
    }
}

/// These subscriptions, of those that have a row.
pub(crate) async fn look_up<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    ids: Vec<String>,
) -> Result<Vec<(String, ResolvedSubscription)>, Error> {
    let keys = vec![Column::Text(ids)];
    let rows = sql::SUBSCRIPTIONS_BY_ID.rows::<NamedSubscription, _>(connection, partner.whole(), keys).await?;
    Ok(rows.into_iter().map(|(_, named)| (named.subscription_id, named.row.entry())).collect())
}

/// Reads these subscriptions, by number, and locks them in that order.
pub(crate) async fn lock(
    transaction: &Transaction,
    partner: &StoredPartner,
    numbers: Vec<i32>,
    lock: Lock,
) -> Result<Vec<ResolvedSubscription>, Error> {
    let (scope, numbers) = (partner.whole(), Column::Int(numbers));
    let rows = sql::LOCK_SUBSCRIPTIONS.rows::<SubscriptionRow>(transaction, scope, numbers, lock).await?;
    Ok(rows.iter().map(SubscriptionRow::entry).collect())
}

/// Makes rows of subscriptions.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    subscriptions: &[(String, ResolvedSubscription)],
) -> Result<(), Error> {
    sql::INSERT_SUBSCRIPTIONS.run(connection, partner.whole(), columns(subscriptions)).await
}

/// Writes the customers to whom these subscriptions belong, now that their own records have come.
pub(crate) async fn attach<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    subscriptions: &[(String, ResolvedSubscription)],
) -> Result<(), Error> {
    sql::ATTACH_SUBSCRIPTIONS.run(connection, partner.whole(), columns(subscriptions)).await
}

#[derive(FromQueryResult)]
struct SubscriptionId {
    subscription_id: String,
}

/// The ids of a customer's subscriptions.
pub(crate) async fn of_customer<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    at: CustomerAddress,
) -> Result<Vec<String>, Error> {
    let values = vec![at.shard.into(), at.number.into()];
    let rows = sql::SUBSCRIPTIONS_OF_CUSTOMER.rows(connection, partner.whole(), values).await?;
    Ok(rows.into_iter().map(|row: SubscriptionId| row.subscription_id).collect())
}

/// Deletes rows of subscriptions.
pub(crate) async fn delete<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    ids: Vec<String>,
) -> Result<(), Error> {
    sql::DELETE_SUBSCRIPTIONS.run(connection, partner.whole(), vec![Column::Text(ids)]).await
}

fn columns(subscriptions: &[(String, ResolvedSubscription)]) -> Vec<Column> {
    vec![
        Column::Text(subscriptions.iter().map(|(id, _)| id.clone()).collect()),
        Column::Int(subscriptions.iter().map(|(_, at)| at.number).collect()),
        Column::Int(subscriptions.iter().map(|(_, at)| at.customer.shard).collect()),
        Column::BigInt(subscriptions.iter().map(|(_, at)| at.customer.number).collect()),
        Column::Bool(subscriptions.iter().map(|(_, at)| at.known).collect()),
    ]
}
