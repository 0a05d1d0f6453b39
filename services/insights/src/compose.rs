//! Composes the services into one process.
