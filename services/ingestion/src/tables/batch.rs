//! Batch ids: the same id with the same body answers the same again, with another body it is refused.

use insights_database::{
    bulk::statement,
    sea_orm::{ConnectionTrait, Value},
};
use insights_proto::ingestion::v1::{IngestBatchRequest, IngestBatchResponse};
use prost::Message;

use super::partner::PartnerRow;
use crate::error::Error;

/// What tells two bodies apart.
pub(crate) fn digest(request: &IngestBatchRequest) -> Vec<u8> {
    blake3::hash(&request.encode_to_vec()).as_bytes().to_vec()
}

/// A batch under its id.
pub(crate) enum BatchReservation {
    /// It was answered before.
    Answered(IngestBatchResponse),
    /// It was first received then (nanoseconds since 1970), and is to be stored. When that was before now, it was interrupted or is
    /// on its way elsewhere: done again as received then, it changes nothing.
    Received(i64),
}

/// Takes an id for a body before anything of it is stored.
pub(crate) async fn reserve<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    id: &str,
    digest: &[u8],
    now: i64,
) -> Result<BatchReservation, Error> {
    let sql = "INSERT INTO ingestion_batch (partner_no, batch_id, digest, response, done, received_at) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (partner_no, batch_id) DO NOTHING";
    let empty: Vec<u8> = Vec::new();
    let values: Vec<Value> =
        vec![partner.number.into(), id.into(), digest.to_vec().into(), empty.into(), false.into(), now.into()];
    connection.execute_raw(statement(connection, sql, values)).await?;
    let sql = "SELECT digest, response, done, received_at FROM ingestion_batch WHERE partner_no = $1 AND batch_id = $2";
    let row = connection.query_one_raw(statement(connection, sql, vec![partner.number.into(), id.into()])).await?;
    let row = row.ok_or_else(|| Error::Damaged("a batch that was just written is gone".to_owned()))?;
    if row.try_get_by_index::<Vec<u8>>(0)? != digest {
        return Err(Error::BatchReused(id.to_owned()));
    }
    if !row.try_get_by_index::<bool>(2)? {
        return Ok(BatchReservation::Received(row.try_get_by_index(3)?));
    }
    Ok(BatchReservation::Answered(IngestBatchResponse::decode(row.try_get_by_index::<Vec<u8>>(1)?.as_slice())?))
}

/// Keeps the answer. When another call for the same batch was faster, its answer stands and is returned.
pub(crate) async fn complete<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    id: &str,
    response: IngestBatchResponse,
) -> Result<IngestBatchResponse, Error> {
    let sql =
        "UPDATE ingestion_batch SET response = $3, done = $4 WHERE partner_no = $1 AND batch_id = $2 AND NOT done";
    let values: Vec<Value> = vec![partner.number.into(), id.into(), response.encode_to_vec().into(), true.into()];
    if connection.execute_raw(statement(connection, sql, values)).await?.rows_affected() > 0 {
        return Ok(response);
    }
    let sql = "SELECT response FROM ingestion_batch WHERE partner_no = $1 AND batch_id = $2";
    let row = connection.query_one_raw(statement(connection, sql, vec![partner.number.into(), id.into()])).await?;
    match row {
        Some(row) => Ok(IngestBatchResponse::decode(row.try_get_by_index::<Vec<u8>>(0)?.as_slice())?),
        None => Ok(response),
    }
}

/// Forgets ids that came before a time (nanoseconds since 1970).
pub(crate) async fn prune<C: ConnectionTrait>(connection: &C, before: i64) -> Result<(), Error> {
    let sql = "DELETE FROM ingestion_batch WHERE received_at < $1";
    connection.execute_raw(statement(connection, sql, vec![before.into()])).await?;
    Ok(())
}
