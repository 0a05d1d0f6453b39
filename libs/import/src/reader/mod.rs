//! What every reader is given and what it gives: options in, records, rejections and notes out.

mod kind;
mod notes;
mod options;
mod sink;

pub use notes::Notes;
pub use options::ReadOptions;
pub use sink::{ActivityDay, Collected, ReadError, Rejection, Sink, Stopped};

pub use kind::RecordKind;
