//! Composes dashboards for people.
