//! The tables of this service, a gateway each: what is read of one and written to it, and nothing of why.

pub(crate) mod activity;
pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod catalogue;
pub(crate) mod chunk;
pub(crate) mod coverage;
pub(crate) mod customer;
pub(crate) mod erased;
pub(crate) mod fact;
pub(crate) mod feed;
pub(crate) mod history;
pub(crate) mod installation;
pub(crate) mod migrations;
pub(crate) mod partner;
#[cfg(test)]
mod plans;
pub(crate) mod quarantine;
mod query;
mod statements;
pub(crate) mod subscription;
pub(crate) mod times;
pub(crate) mod user;
pub(crate) mod waiting;
