//! `ingestion_subscription`: the number of each subscription, and the customer who has it.

use insights_database::{
    Transaction,
    bulk::{self, Column, Conflict},
};

use super::partner::PartnerRow;
use crate::{error::Error, ids::CustomerKey};

const TABLE: &str = "ingestion_subscription";

/// Writes whose these subscriptions (id, number, customer) are, now that their own records have come.
pub(crate) async fn attach(
    transaction: &Transaction,
    partner: &PartnerRow,
    entries: Vec<(String, i32, CustomerKey)>,
) -> Result<(), Error> {
    let columns = vec![
        ("subscription_no", Column::Int(entries.iter().map(|entry| entry.1).collect())),
        ("cell", Column::Int(entries.iter().map(|entry| entry.2.shard).collect())),
        ("customer_no", Column::BigInt(entries.iter().map(|entry| entry.2.number).collect())),
        ("known", Column::Bool(vec![true; entries.len()])),
        ("subscription_id", Column::Text(entries.into_iter().map(|entry| entry.0).collect())),
    ];
    let conflict = Conflict::Replace {
        key: &["partner_no", "subscription_id"],
        set: &["cell", "customer_no", "known"],
        only_if: None,
    };
    bulk::upsert(transaction, TABLE, &partner.fixed(), columns, conflict).await?;
    Ok(())
}
