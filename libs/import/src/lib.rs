//! Reads the files people already have into the records of the ingestion API.
//!
//! Every reader is a function from a byte stream to a [`Sink`]: no network, no clock, no file system. A bad row is
//! rejected with its line and field and never takes a good one with it; only a file that cannot be what it was said to
//! be is refused as a whole.
//!
//! One folder for each family of formats: [`own`], `product_names`, `partner_center`, `raw_reports`, `graph`. They stand on
//! `reader` (what a reader is given and gives), `text` (how bytes become text, and text values) and `shared`. What is packed in a file is
//! found by `packing`.

mod formats;
mod graph;
pub mod own;
mod packing;
mod partner_center;
mod product_names;
mod raw_reports;
mod reader;
mod shared;
mod text;

pub use formats::{Format, Recognised, Unrecognised, read, recognise};
pub use own::template;
pub use packing::{Member, PackedFile, is_left_behind, members, with_member};
pub use product_names::services::{fold, service_of_plan, service_of_workload};
pub use reader::{
    ActivityDay, Collected, DateOrder, MendedRows, Mending, Notes, ReadError, ReadOptions, RecordKind, Rejection, Sink,
    Stopped, completes,
};
