//! A secret that the replicas of a service share.

use sea_orm::ConnectionTrait;

use crate::{Database, Result, bulk::statement};

impl Database {
    /// The secret in a table of one row (`id`, `secret`). The first replica that asks puts its candidate there.
    pub async fn shared_secret(&self, table: &str, candidate: &str) -> Result<String> {
        let sql = format!("INSERT INTO {table} (id, secret) VALUES (1, $1) ON CONFLICT (id) DO NOTHING");
        self.writer().execute_raw(statement(self.writer(), sql, vec![candidate.into()])).await?;
        let sql = format!("SELECT secret FROM {table} WHERE id = 1");
        let row = self.writer().query_one_raw(statement(self.writer(), sql, Vec::new())).await?;
        Ok(row.map(|row| row.try_get("", "secret")).transpose()?.unwrap_or_else(|| candidate.to_owned()))
    }
}
