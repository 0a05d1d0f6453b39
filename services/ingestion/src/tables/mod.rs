//! The tables of this service, a gateway each: what is read of one and written to it, and nothing of why.

pub(crate) mod activity;
pub(crate) mod batch;
pub(crate) mod chunk;
pub(crate) mod customer;
pub(crate) mod fact;
pub(crate) mod history;
pub(crate) mod installation;
pub(crate) mod migrations;
pub(crate) mod partner;
pub(crate) mod quarantine;
pub(crate) mod subscription;
pub(crate) mod waiting;
