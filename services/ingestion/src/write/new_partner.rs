//! Partners get their rows with their first batch.

use insights_database::Transaction;
use insights_service::fail_point;

use super::{
    Ledger,
    retry::{TRIES, transact},
};
use crate::{
    error::Error,
    tables::{
        customer,
        partner::{self, StoredPartner},
    },
};

/// The partner's row, made on its first batch.
pub(super) async fn get_or_create_partner(ledger: &Ledger, id: &str) -> Result<StoredPartner, Error> {
    if let Some(partner) = StoredPartner::find(ledger.database.reader(), id).await? {
        return Ok(partner);
    }
    let now = ledger.nanoseconds();
    transact!(ledger, |transaction| create_partner(transaction, id, now))
}

/// Makes a partner's row and the rows of its unattached facts, unless they are there.
pub(super) async fn create_partner(transaction: &Transaction, id: &str, now: i64) -> Result<StoredPartner, Error> {
    partner::insert(transaction, id, now).await?;
    let partner = StoredPartner::find(transaction, id).await?.ok_or(Error::NoPartner)?;
    customer::insert_unattached(transaction, &partner).await?;
    Ok(partner)
}
