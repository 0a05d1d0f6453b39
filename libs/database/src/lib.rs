//! The only place that knows SQLite from PostgreSQL.
