//! `ingestion_installation`: the fingerprint of the key that users are hashed with.

use insights_database::sea_orm::{self, ConnectionTrait, FromQueryResult};

use super::query;
use crate::error::Error;

#[derive(FromQueryResult)]
struct InstallationRow {
    user_key: String,
}

/// Keeps the fingerprint, unless there is one.
pub(crate) async fn remember<C: ConnectionTrait>(connection: &C, fingerprint: &str) -> Result<(), Error> {
    let sql = "INSERT INTO ingestion_installation (id, user_key) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
    query::run(connection, sql, vec![fingerprint.into()]).await.map(drop)
}

/// The fingerprint of the first key.
pub(crate) async fn fingerprint<C: ConnectionTrait>(connection: &C) -> Result<Option<String>, Error> {
    let sql = "SELECT user_key FROM ingestion_installation WHERE id = 1";
    Ok(query::row(connection, sql, vec![]).await?.map(|row: InstallationRow| row.user_key))
}
