//! `ingestion_installation`: the fingerprint of the key of users.

use insights_database::{
    bulk::statement,
    sea_orm::{ConnectionTrait, Value},
};

use crate::error::Error;

/// Remembers the fingerprint of the first key.
pub(crate) async fn remember<C: ConnectionTrait>(connection: &C, fingerprint: &str) -> Result<(), Error> {
    let sql = "INSERT INTO ingestion_installation (id, user_key) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
    connection.execute_raw(statement(connection, sql, vec![Value::from(fingerprint)])).await?;
    Ok(())
}

/// The fingerprint of the first key.
pub(crate) async fn fingerprint<C: ConnectionTrait>(connection: &C) -> Result<Option<String>, Error> {
    let sql = "SELECT user_key FROM ingestion_installation WHERE id = 1";
    let row = connection.query_one_raw(statement(connection, sql, vec![])).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}
