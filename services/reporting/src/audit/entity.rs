//! The table of the audit as sea-orm sees it.

use sea_orm::entity::prelude::*;

/// One call: who, what and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_record")]
pub struct Model {
    /// The partner of the caller.
    #[sea_orm(primary_key, auto_increment = false)]
    pub partner: String,
    /// When, in microseconds since 1970-01-01 UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub at_micros: i64,
    /// Tells records of one microsecond apart.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: i64,
    /// Who.
    pub subject: String,
    /// The roles held, by name, with blanks between.
    pub roles: String,
    /// The locations the caller was bound to, as JSON; none: bound to none, or not known of before they were kept.
    pub locations: Option<String>,
    /// What was called.
    pub rpc: String,
    /// What was asked, as JSON; cut off where very long. Empty for a denial by role: nothing was read.
    pub asked: String,
    /// Rows given.
    pub row_count: i64,
    /// Something was left out because of the caller's rights.
    pub redacted: bool,
    /// The gRPC code, such as `Ok` or `PermissionDenied`.
    pub outcome: String,
}

/// No relations: every read names the partner.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
