//! The tables of exports as sea-orm sees them.

/// Orders and what became of them.
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
        /// What its owner called the order; none: nothing.
        pub request_id: Option<String>,
        /// The order, as the API encodes it.
        pub order_body: Vec<u8>,
        /// The figures are at least of this version.
        pub min_version: i64,
        /// The roles its owner held, by name, with blanks between.
        pub roles: String,
        /// The locations its owner was bound to, as JSON; none: unbound.
        pub locations: Option<String>,
        /// The number of its state in the API.
        pub state: i32,
        /// How often writing it was begun.
        pub attempt: i32,
        /// Who writes it.
        pub worker: String,
        /// Until when nobody else does, in microseconds since 1970-01-01 UTC.
        pub lease_until_micros: i64,
        /// When it was ordered.
        pub created_micros: i64,
        /// When it ended; 0: not yet.
        pub ended_micros: i64,
        /// When it is to be removed.
        pub expires_micros: i64,
        /// Rows written.
        pub row_count: i64,
        /// Customers looked at.
        pub customers: i64,
        /// Customers in all.
        pub total_customers: i64,
        /// Size of the file.
        pub byte_count: i64,
        /// Checksum of the file.
        pub sha256: String,
        /// Version of the figures.
        pub version: i64,
        /// How far the data goes.
        pub complete_through: String,
        /// Something was left out because of the owner's roles.
        pub redacted: bool,
        /// What the file is called.
        pub file_name: String,
        /// Where the store keeps the file of the last attempt; empty: there was none.
        pub file_path: String,
        /// Why it failed.
        pub failure: String,
        /// What is said of the file, as JSON.
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

    /// A ticket; the ticket itself is not kept, only its hash.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "export_ticket")]
    pub struct Model {
        /// SHA-256 of the ticket.
        #[sea_orm(primary_key, auto_increment = false)]
        pub ticket_hash: String,
        /// The partner of who got it.
        pub partner: String,
        /// The one export it is good for.
        pub export_id: String,
        /// Who got it.
        pub subject: String,
        /// The roles they held, by name, with blanks between.
        pub roles: String,
        /// Until when it is good, in microseconds since 1970-01-01 UTC.
        pub expires_micros: i64,
    }

    /// No relations.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
