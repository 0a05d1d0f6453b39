//! `ingestion_batch`: batch ids and their answers. The same id with the same body gets the same answer, with another body it is
//! refused.

use insights_database::sea_orm::{self, ConnectionTrait, FromQueryResult};
use insights_proto::ingestion::v1::{IngestBatchRequest, IngestBatchResponse};
use prost::Message;

use super::{partner::StoredPartner, query};
use crate::error::Error;

/// The digest of a batch's body.
pub(crate) fn digest(request: &IngestBatchRequest) -> Vec<u8> {
    blake3::hash(&request.encode_to_vec()).as_bytes().to_vec()
}

/// What is known of a batch id.
pub(crate) enum BatchReservation {
    /// The batch was answered before.
    Answered(IngestBatchResponse),
    /// The batch was first received at this time (nanoseconds since 1970) and is to be stored. A time before now means that it was
    /// interrupted or is on its way elsewhere; stored again as received then, it changes nothing.
    Received(i64),
}

/// Reserves an id for a body, before anything of the body is stored.
pub(crate) async fn reserve<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    id: &str,
    digest: &[u8],
    now: i64,
) -> Result<BatchReservation, Error> {
    let sql = "INSERT INTO ingestion_batch (partner_no, batch_id, digest, response, done, received_at) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (partner_no, batch_id) DO NOTHING";
    let empty: Vec<u8> = Vec::new();
    let values = vec![partner.number.into(), id.into(), digest.to_vec().into(), empty.into(), false.into(), now.into()];
    query::run(connection, sql, values).await?;
    let row = find(connection, partner, id).await?;
    let row = row.ok_or_else(|| Error::Damaged("a batch id that was just written is gone".to_owned()))?;
    if row.digest != digest {
        return Err(Error::BatchReused(id.to_owned()));
    }
    if !row.done {
        return Ok(BatchReservation::Received(row.received_at));
    }
    Ok(BatchReservation::Answered(IngestBatchResponse::decode(row.response.as_slice())?))
}

#[derive(FromQueryResult)]
struct BatchRow {
    digest: Vec<u8>,
    response: Vec<u8>,
    done: bool,
    received_at: i64,
}

async fn find<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    id: &str,
) -> Result<Option<BatchRow>, Error> {
    let sql = "SELECT digest, response, done, received_at FROM ingestion_batch WHERE partner_no = $1 AND batch_id = $2";
    query::row(connection, sql, vec![partner.number.into(), id.into()]).await
}

/// Keeps the answer. When another call for the same batch was faster, its answer stands and is returned.
pub(crate) async fn complete<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    id: &str,
    response: IngestBatchResponse,
) -> Result<IngestBatchResponse, Error> {
    let sql =
        "UPDATE ingestion_batch SET response = $3, done = $4 WHERE partner_no = $1 AND batch_id = $2 AND NOT done";
    let values = vec![partner.number.into(), id.into(), response.encode_to_vec().into(), true.into()];
    if query::run(connection, sql, values).await? > 0 {
        return Ok(response);
    }
    match find(connection, partner, id).await? {
        Some(row) => Ok(IngestBatchResponse::decode(row.response.as_slice())?),
        None => Ok(response),
    }
}

/// Deletes ids received before a time, nanoseconds since 1970.
pub(crate) async fn prune<C: ConnectionTrait>(connection: &C, before: i64) -> Result<(), Error> {
    query::run(connection, "DELETE FROM ingestion_batch WHERE received_at < $1", vec![before.into()]).await.map(drop)
}

#[derive(FromQueryResult)]
struct KeptAnswer {
    batch_id: String,
    response: Vec<u8>,
}

/// The next kept answers after a batch id, in the order of the ids.
pub(crate) async fn answers_after<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    after: &str,
    most: i64,
) -> Result<Vec<(String, IngestBatchResponse)>, Error> {
    let sql = "SELECT batch_id, response FROM ingestion_batch WHERE partner_no = $1 AND batch_id > $2 \
               ORDER BY batch_id LIMIT $3";
    let rows = query::rows(connection, sql, vec![partner.number.into(), after.into(), most.into()]).await?;
    let answer = |row: KeptAnswer| Ok((row.batch_id, IngestBatchResponse::decode(row.response.as_slice())?));
    rows.into_iter().map(answer).collect()
}

/// Keeps another answer in the place of a kept one.
pub(crate) async fn replace_answer<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    id: &str,
    response: &IngestBatchResponse,
) -> Result<(), Error> {
    let sql = "UPDATE ingestion_batch SET response = $3 WHERE partner_no = $1 AND batch_id = $2";
    let values = vec![partner.number.into(), id.into(), response.encode_to_vec().into()];
    query::run(connection, sql, values).await.map(drop)
}
