//! Entities of the tables of exports.

/// Exports: orders and their state.
pub mod job {
    use sea_orm::entity::prelude::*;

    /// An export.
    // House: one field per column of the table.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "export_job")]
    pub struct Model {
        /// The partner of its owner.
        #[sea_orm(primary_key, auto_increment = false)]
        pub partner: String,
        /// Its id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub export_id: String,
        /// Who ordered it.
        pub owner: String,
        /// The request id of the owner, if any.
        pub request_id: Option<String>,
        /// The order, as the API encodes it.
        pub order_body: Vec<u8>,
        /// Smallest version of the figures.
        pub min_version: i64,
        /// The roles its owner held, by name, with blanks between.
        pub roles: String,
        /// The locations its owner was restricted to, as JSON; `None` for all.
        pub locations: Option<String>,
        /// The number of its state in the API.
        pub state: i32,
        /// Number of attempts to write it.
        pub attempt: i32,
        /// The worker that holds the lease.
        pub worker: String,
        /// End of the lease, in microseconds since 1970-01-01 UTC.
        pub lease_until_micros: i64,
        /// When it was ordered.
        pub created_micros: i64,
        /// When it ended; 0: not yet.
        pub ended_micros: i64,
        /// When it expires.
        pub expires_micros: i64,
        /// Rows written.
        pub row_count: i64,
        /// Customers read.
        pub customers: i64,
        /// Customers in all.
        pub total_customers: i64,
        /// Size of the file.
        pub byte_count: i64,
        /// Checksum of the file.
        pub sha256: String,
        /// Version of the figures.
        pub version: i64,
        /// Last day of the data.
        pub complete_through: String,
        /// Whether something was left out because of the owner's roles.
        pub redacted: bool,
        /// Name of the file.
        pub file_name: String,
        /// Path of the last attempt's file in the store; empty before the first attempt.
        pub file_path: String,
        /// Why it failed.
        pub failure: String,
        /// The manifest, as JSON.
        pub manifest: String,
    }

    /// No relations: every read names the partner.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Tickets for downloads.
pub mod ticket {
    use sea_orm::entity::prelude::*;

    /// A ticket, stored as a hash.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "export_ticket")]
    pub struct Model {
        /// SHA-256 of the ticket.
        #[sea_orm(primary_key, auto_increment = false)]
        pub ticket_hash: String,
        /// The partner of its holder.
        pub partner: String,
        /// The export it is valid for.
        pub export_id: String,
        /// Its holder.
        pub subject: String,
        /// The roles they held, by name, with blanks between.
        pub roles: String,
        /// When it expires, in microseconds since 1970-01-01 UTC.
        pub expires_micros: i64,
    }

    /// No relations.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
