//! What every reader is given and what it gives: options in, records, rejections and notes out.

mod completion;
mod date_order;
mod kind;
mod notes;
mod options;
mod sink;

pub use completion::completes;
pub(crate) use completion::{Completion, FileOutcome};
pub use date_order::DateOrder;
pub(crate) use notes::{AHEAD, without_end};
pub use notes::{MendedRows, Mending, Notes};
pub use options::ReadOptions;
pub use sink::{ActivityDay, Collected, ReadError, Rejection, Sink, Stopped};

pub use kind::RecordKind;
