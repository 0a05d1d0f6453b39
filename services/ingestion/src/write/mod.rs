//! How a batch is stored.
//!
//! [`mod@ingest`] takes a batch from its request to its answer: [`mod@prepare`] checks its records, [`store`] allocates surrogate ids
//! and runs the transactions into which [`plan`] cuts it, [`steps`] runs one of them by the [`rules`] of each kind of fact, and
//! [`transaction`] ends it with the partner's next version. What a transaction holds and why: `docs/transactions.md`.

mod answer;
mod debounce;
mod erase;
mod erased;
mod everybody;
mod ingest;
mod ledger;
mod new_partner;
mod plan;
mod prepare;
mod preview;
mod preview_lists;
mod receipts;
mod replay;
mod retry;
mod rules;
mod steps;
mod store;
mod surrogate_ids;
mod transaction;
mod validate;

pub(crate) use erase::{ErasedSubject, allow, erase, preview as preview_erasure};
pub(crate) use ingest::{finish, ingest};
pub(crate) use ledger::Ledger;
pub(crate) use prepare::{PreparedRequest, prepare};
pub(crate) use preview::ImportPreview;
pub(crate) use preview_lists::preview_lists;
pub(crate) use replay::{release_waiting, replay};
pub(crate) use store::look_up_ahead;
