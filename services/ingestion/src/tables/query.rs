//! How a statement on a large table runs. The statements themselves are listed in [`super::statements`].

use insights_database::{
    Transaction,
    bulk::{self, Column, Conflict, Lock, statement},
    sea_orm::{ConnectionTrait, FromQueryResult, Value},
};

use crate::error::Error;

/// The rows that a statement can touch, as far as a database can tell from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// One shard of a partner: it names partner and shard.
    Shard,
    /// All shards of a partner, for a reason.
    Partner(&'static str),
}

/// Where a statement runs: the values of the columns that its reach names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StatementScope {
    /// One shard of a partner.
    Shard { partner: i32, shard: i32 },
    /// A whole partner.
    Partner(i32),
}

impl StatementScope {
    /// The columns that a statement names first.
    pub(super) fn columns(
        self,
        statement: &'static str,
        table: &'static str,
        reach: Reach,
        index: Index,
    ) -> Result<ScopeColumns, Error> {
        tracing::trace!(statement, table, scope = ?self, "statement");
        match (self, reach) {
            (Self::Shard { partner, shard }, Reach::Shard) => {
                Ok(vec![(index.partner(), Value::from(partner)), ("cell", Value::from(shard))])
            }
            (Self::Partner(partner), Reach::Partner(_)) => Ok(vec![(index.partner(), Value::from(partner))]),
            _ => Err(Error::Internal("a statement runs outside its reach")),
        }
    }
}

/// The index that answers a statement: the only one that fits. Where several fit, the planner chooses by what its statistics say of
/// the partner, and of a partner that came after them they say that it has one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    /// The primary key, which begins with `partner_no`.
    PrimaryKey,
    /// Another one, of this name. It has `partner_no + 0`, and so has its statement: the primary key does not fit that.
    Second(&'static str),
    /// The same with `partner_no - 0`, beside a second one.
    Third(&'static str),
}

impl Index {
    const fn partner(self) -> &'static str {
        match self {
            Self::PrimaryKey => "partner_no",
            Self::Second(_) => "partner_no + 0",
            Self::Third(_) => "partner_no - 0",
        }
    }
}

pub(super) type ScopeColumns = Vec<(&'static str, Value)>;

/// Reads rows by columns of their key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadByKey {
    pub name: &'static str,
    pub table: &'static str,
    pub reach: Reach,
    pub index: Index,
    /// The columns looked up, after those of the reach. Those that begin with `_` are parameters of the condition.
    pub key: &'static [&'static str],
    pub select: &'static str,
    /// A further condition, or nothing.
    pub condition: &'static str,
}

impl ReadByKey {
    /// The rows of these keys, each with the position of its key.
    pub(crate) async fn rows<T: FromQueryResult, C: ConnectionTrait>(
        &self,
        connection: &C,
        scope: StatementScope,
        keys: Vec<Column>,
    ) -> Result<Vec<(usize, T)>, Error> {
        let scope = scope.columns(self.name, self.table, self.reach, self.index)?;
        let keys = self.key.iter().copied().zip(keys).collect();
        let found = bulk::lookup_where(connection, self.table, &scope, keys, self.select, self.condition).await?;
        let row = |row: &insights_database::sea_orm::QueryResult| -> Result<(usize, T), Error> {
            let position: i64 = row.try_get("", bulk::KEY_POSITION)?;
            let position = usize::try_from(position).map_err(|_| Error::Internal("a key has no position"))?;
            Ok((position, T::from_query_result(row, "")?))
        };
        found.iter().map(row).collect()
    }
}

/// Reads rows by one column of their key and locks them until the transaction ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LockByKey {
    pub name: &'static str,
    pub table: &'static str,
    pub reach: Reach,
    pub index: Index,
    pub key: &'static [&'static str; 1],
    pub select: &'static str,
}

impl LockByKey {
    /// The rows of these keys, which are sorted.
    pub(crate) async fn rows<T: FromQueryResult>(
        &self,
        transaction: &Transaction,
        scope: StatementScope,
        key: Column,
        lock: Lock,
    ) -> Result<Vec<T>, Error> {
        let scope = scope.columns(self.name, self.table, self.reach, self.index)?;
        let found = bulk::lock(transaction, self.table, &scope, (self.key[0], key), self.select, lock).await?;
        found.iter().map(|row| Ok(T::from_query_result(row, "")?)).collect()
    }
}

/// Inserts rows, or does what the conflict says where they exist.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteRows {
    pub name: &'static str,
    pub table: &'static str,
    pub reach: Reach,
    /// The columns written, after those of the reach; the key is among them.
    pub columns: &'static [&'static str],
    pub conflict: Conflict<'static>,
}

impl WriteRows {
    /// Writes rows given by columns.
    pub(crate) async fn run<C: ConnectionTrait>(
        &self,
        connection: &C,
        scope: StatementScope,
        columns: Vec<Column>,
    ) -> Result<(), Error> {
        let scope = scope.columns(self.name, self.table, self.reach, Index::PrimaryKey)?;
        self.run_with(connection, &scope, columns).await
    }

    /// Writes rows that have more columns of one value than those of the reach.
    pub(crate) async fn run_with<C: ConnectionTrait>(
        &self,
        connection: &C,
        scope: bulk::Fixed<'_>,
        columns: Vec<Column>,
    ) -> Result<(), Error> {
        let columns = self.columns.iter().copied().zip(columns).collect();
        bulk::upsert(connection, self.table, scope, columns, self.conflict).await?;
        Ok(())
    }
}

/// Deletes rows by their key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeleteByKey {
    pub name: &'static str,
    pub table: &'static str,
    pub reach: Reach,
    pub key: &'static [&'static str],
}

impl DeleteByKey {
    /// Deletes the rows of these keys.
    pub(crate) async fn run<C: ConnectionTrait>(
        &self,
        connection: &C,
        scope: StatementScope,
        keys: Vec<Column>,
    ) -> Result<(), Error> {
        let scope = scope.columns(self.name, self.table, self.reach, Index::PrimaryKey)?;
        bulk::delete(connection, self.table, &scope, self.key.iter().copied().zip(keys).collect()).await?;
        Ok(())
    }
}

/// A statement written out. `$1` is the partner; `$2` is the shard where it reaches one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql {
    pub name: &'static str,
    pub table: &'static str,
    pub reach: Reach,
    /// The indexes that answer it, each the only one that fits its part.
    pub indexes: &'static [&'static str],
    pub sql: &'static str,
}

impl Sql {
    /// Its rows, with further parameters after those of the scope.
    pub(crate) async fn rows<T: FromQueryResult, C: ConnectionTrait>(
        &self,
        connection: &C,
        scope: StatementScope,
        more: Vec<Value>,
    ) -> Result<Vec<T>, Error> {
        let found = connection.query_all_raw(self.statement(connection, scope, more)?).await?;
        found.iter().map(|row| Ok(T::from_query_result(row, "")?)).collect()
    }

    /// Its first row.
    pub(crate) async fn row<T: FromQueryResult, C: ConnectionTrait>(
        &self,
        connection: &C,
        scope: StatementScope,
        more: Vec<Value>,
    ) -> Result<Option<T>, Error> {
        let found = connection.query_one_raw(self.statement(connection, scope, more)?).await?;
        Ok(found.map(|row| T::from_query_result(&row, "")).transpose()?)
    }

    /// Runs it and says how many rows were changed.
    pub(crate) async fn change<C: ConnectionTrait>(
        &self,
        connection: &C,
        scope: StatementScope,
        more: Vec<Value>,
    ) -> Result<i64, Error> {
        let changed = connection.execute_raw(self.statement(connection, scope, more)?).await?.rows_affected();
        Ok(i64::try_from(changed).unwrap_or(i64::MAX))
    }

    /// Runs it for its effect.
    pub(crate) async fn run<C: ConnectionTrait>(
        &self,
        connection: &C,
        scope: StatementScope,
        more: Vec<Value>,
    ) -> Result<(), Error> {
        connection.execute_raw(self.statement(connection, scope, more)?).await?;
        Ok(())
    }

    fn statement<C: ConnectionTrait>(
        &self,
        connection: &C,
        scope: StatementScope,
        more: Vec<Value>,
    ) -> Result<insights_database::sea_orm::Statement, Error> {
        tracing::trace!(statement = self.name, indexes = ?self.indexes, "answered by");
        let scope = scope.columns(self.name, self.table, self.reach, Index::PrimaryKey)?;
        let scope = scope.into_iter().map(|(_, value)| value);
        // Texts are compared by their bytes, whatever the database's own order of words.
        let sql = self.sql.replace("{bytes}", bulk::byte_order(connection));
        Ok(statement(connection, sql, scope.chain(more).collect()))
    }
}

/// Rows of a small table, read by name.
pub(crate) async fn rows<T: FromQueryResult, C: ConnectionTrait>(
    connection: &C,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<T>, Error> {
    let found = connection.query_all_raw(statement(connection, sql, values)).await?;
    found.iter().map(|row| Ok(T::from_query_result(row, "")?)).collect()
}

/// The first row of a small table, read by name.
pub(crate) async fn row<T: FromQueryResult, C: ConnectionTrait>(
    connection: &C,
    sql: &str,
    values: Vec<Value>,
) -> Result<Option<T>, Error> {
    let found = connection.query_one_raw(statement(connection, sql, values)).await?;
    Ok(found.map(|row| T::from_query_result(&row, "")).transpose()?)
}

/// Changes a small table. Returns how many rows were changed.
pub(crate) async fn run<C: ConnectionTrait>(connection: &C, sql: &str, values: Vec<Value>) -> Result<u64, Error> {
    Ok(connection.execute_raw(statement(connection, sql, values)).await?.rows_affected())
}
