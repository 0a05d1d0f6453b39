//! Services, as flags name them.

use insights_product::Service;

/// The name of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ServiceName {
    /// Takes records in.
    Ingestion,
    /// Computes figures.
    Metrics,
    /// Answers people.
    Reporting,
}

/// The services a command is for: all of them unless some are named.
#[must_use]
pub fn wanted(names: &[ServiceName]) -> Vec<Service> {
    let service = |name: &ServiceName| match name {
        ServiceName::Ingestion => Service::Ingestion,
        ServiceName::Metrics => Service::Metrics,
        ServiceName::Reporting => Service::Reporting,
    };
    if names.is_empty() { Service::ALL.to_vec() } else { names.iter().map(service).collect() }
}
