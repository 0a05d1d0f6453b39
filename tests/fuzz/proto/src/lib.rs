//! The messages of `insights.ingestion.v1` that readers make.

/// Records.
pub mod ingestion {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/insights.ingestion.v1.rs"));
    }
}
