//! `ingestion_erased`: marks of what was erased, by the mark of the customer or user they came with.

use insights_database::{
    bulk::{self, Column, Conflict},
    sea_orm::{self, ConnectionTrait, FromQueryResult},
};

use super::{partner::StoredPartner, query};
use crate::{error::Error, records::users::ErasedMark};

#[derive(FromQueryResult)]
struct MarkRow {
    mark: Vec<u8>,
}

/// All marks of a partner.
pub(crate) async fn marks<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
) -> Result<Vec<ErasedMark>, Error> {
    let sql = "SELECT mark FROM ingestion_erased WHERE partner_no = $1";
    let rows = query::rows(connection, sql, vec![partner.number.into()]).await?;
    let mark = |row: MarkRow| row.mark.try_into().map_err(|_| Error::Damaged("a mark has another length".to_owned()));
    rows.into_iter().map(mark).collect()
}

/// Adds marks that belong to one.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    owner: &ErasedMark,
    marks: &[ErasedMark],
    now: i64,
) -> Result<(), Error> {
    let [partner] = partner.fixed();
    let fixed = [partner, ("owner", owner.to_vec().into()), ("erased_at", now.into())];
    let columns = vec![("mark", Column::Bytes(marks.iter().map(|mark| mark.to_vec()).collect()))];
    let keep = Conflict::Keep { key: &["partner_no", "owner", "mark"] };
    bulk::upsert(connection, "ingestion_erased", &fixed, columns, keep).await?;
    Ok(())
}

/// Removes the marks that belong to one. Returns how many there were.
pub(crate) async fn remove<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    owner: &ErasedMark,
) -> Result<u64, Error> {
    let sql = "DELETE FROM ingestion_erased WHERE partner_no = $1 AND owner = $2";
    query::run(connection, sql, vec![partner.number.into(), owner.to_vec().into()]).await
}
