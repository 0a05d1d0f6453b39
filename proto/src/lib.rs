//! The API of Partner Insights: generated messages, clients, servers and the descriptor set.
#![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code; the .proto files hold the words")]

mod meaning;

/// Who may call what.
pub mod access {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("insights.access.v1");
    }
}
/// Records in, changes out.
pub mod ingestion {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("insights.ingestion.v1");
    }
}
/// Queries.
pub mod metrics {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("insights.metrics.v1");

        impl Query {
            /// Every measure it names, that it ranks by included: a caller needs the right to each.
            pub fn named_measures(&self) -> impl Iterator<Item = Measure> {
                let ranking = self.top.map(|top| top.measure);
                self.measures.iter().copied().chain(ranking).filter_map(|measure| Measure::try_from(measure).ok())
            }
        }
    }
}
/// Reports for people.
pub mod reporting {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("insights.reporting.v1");
    }
}

mod names;

/// The encoded `FileDescriptorSet` of every file, custom options included.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor_set.bin"));

/// The descriptors of every message and service, decoded once. Were the set unreadable, the pool would be empty and every look-up in
/// it would fail.
pub fn descriptors() -> &'static prost_reflect::DescriptorPool {
    static POOL: std::sync::LazyLock<prost_reflect::DescriptorPool> =
        std::sync::LazyLock::new(|| prost_reflect::DescriptorPool::decode(DESCRIPTOR_SET).unwrap_or_default());
    &POOL
}
