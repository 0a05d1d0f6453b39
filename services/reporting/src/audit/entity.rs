//! Entity of the table of the audit.

use sea_orm::entity::prelude::*;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_record")]
pub struct Model {
    /// The partner of the caller.
    #[sea_orm(primary_key, auto_increment = false)]
    pub partner: String,
    /// Time of the call, in microseconds since 1970-01-01 UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub at_micros: i64,
    /// Random id, which distinguishes records of one microsecond.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: i64,
    /// The `sub` of the caller's token.
    pub subject: String,
    /// Names of the caller's roles, separated by blanks.
    pub roles: String,
    /// The locations the caller was restricted to, as JSON; `None` for all, and in records from before they were stored.
    pub locations: Option<String>,
    /// Path of the method.
    pub rpc: String,
    /// The request as JSON, cut where long; empty for a denial by role, before which no request is read, and for a sum of calls.
    pub asked: String,
    /// Rows in the answer.
    pub row_count: i64,
    /// Whether something was left out because of the caller's roles.
    pub redacted: bool,
    /// The gRPC code, such as `Ok` or `PermissionDenied`.
    pub outcome: String,
    /// How many calls this is: more than one where refused calls of a minute are summed up.
    pub calls: i64,
}

/// No relations: every read names the partner.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
