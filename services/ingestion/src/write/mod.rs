//! How a batch is stored: [`prepare`] checks it, [`plan`] cuts it into transactions, [`steps`] does one of them by the
//! [`rules`] of each kind of fact, [`transaction`] ends it with the partner's next version.

mod debounce;
mod dry_run;
mod ingest;
mod ledger;
mod plan;
pub(crate) mod prepare;
mod replay;
mod rules;
mod steps;
mod surrogate_ids;
mod transaction;

pub(crate) use ledger::Ledger;
