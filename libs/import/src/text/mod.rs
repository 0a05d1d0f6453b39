//! How the text of files becomes values: delimited lines, tables, pages of JSON, dates and amounts.

pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod spool;
pub(crate) mod table;
pub(crate) mod values;
