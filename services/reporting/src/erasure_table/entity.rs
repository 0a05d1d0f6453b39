//! Entity of the table of erasures.

use sea_orm::entity::prelude::*;

/// An erasure that was ordered.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erasure_job")]
pub struct Model {
    /// The partner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub partner: String,
    /// A hash of the confirmation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub erasure_id: String,
    /// How far it is: see [`super`].
    pub state: i32,
    /// Who is erased and which texts tell of it, as JSON; empty as soon as nothing more is looked for.
    pub body: String,
    /// What was erased, as JSON.
    pub counts: String,
    /// The version of the figures without the erased; 0: not yet.
    pub version: i64,
    /// Who works on it.
    pub worker: String,
    /// End of the lease, in microseconds since 1970-01-01 UTC.
    pub lease_until_micros: i64,
    /// When it was done; 0: not yet.
    pub ended_micros: i64,
}

/// No relations: every read names the partner.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
