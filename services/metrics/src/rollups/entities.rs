//! The tables of rollups as sea-orm sees them. Every key begins with the partner.

/// One row per partner: how far its rollups are, and what concerns all of them.
pub mod partner {
    use sea_orm::entity::prelude::*;

    /// A row.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "rollup_partner")]
    pub struct Model {
        /// The partner's number within these tables.
        #[sea_orm(primary_key)]
        pub partner_no: i32,
        /// The partner.
        #[sea_orm(unique)]
        pub partner: String,
        /// The epoch of `version`.
        pub epoch: i64,
        /// The version of the feed up to which changes are applied.
        pub version: i64,
        /// What the feed said of `version`; 0: nothing.
        pub stamp: i64,
        /// Counts what was applied: by version, by the clock, by rebuilding. Every application compares and sets it.
        pub revision: i64,
        /// The revision at which everything was rebuilt for the last time.
        pub rebuilt_revision: i64,
        /// Days since 1970-01-01.
        pub complete_through: i32,
        /// Settings, catalogue and locations: see [`super::super::month_encoding`].
        pub body: Vec<u8>,
    }

    /// No relations: every read names the partner.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One row per customer.
pub mod customer {
    use sea_orm::entity::prelude::*;

    /// A row.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "rollup_customer")]
    pub struct Model {
        /// The partner.
        #[sea_orm(primary_key, auto_increment = false)]
        pub partner_no: i32,
        /// The cell.
        #[sea_orm(primary_key, auto_increment = false)]
        pub cell: i32,
        /// The customer's number.
        #[sea_orm(primary_key, auto_increment = false)]
        pub customer_no: i64,
        /// The revision at which this customer, header or months, changed for the last time.
        pub revision: i64,
        /// Its header: see [`super::super::month_encoding`].
        pub body: Vec<u8>,
    }

    /// No relations: every read names the partner.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One row per customer and month.
pub mod month {
    use sea_orm::entity::prelude::*;

    /// A row.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "rollup_month")]
    pub struct Model {
        /// The partner.
        #[sea_orm(primary_key, auto_increment = false)]
        pub partner_no: i32,
        /// The cell.
        #[sea_orm(primary_key, auto_increment = false)]
        pub cell: i32,
        /// The customer's number.
        #[sea_orm(primary_key, auto_increment = false)]
        pub customer_no: i64,
        /// Year × 12 + month − 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub month: i32,
        /// The revision at which this row changed for the last time.
        pub revision: i64,
        /// Its figures: see [`super::super::month_encoding`].
        pub body: Vec<u8>,
    }

    /// No relations: every read names the partner.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
