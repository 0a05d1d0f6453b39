//! How the text of files becomes values: what their bytes say, delimited lines, tables, pages of JSON, dates and amounts.

pub(crate) mod answers;
pub(crate) mod dates;
pub(crate) mod element;
pub(crate) mod encoding;
pub(crate) mod json;
pub(crate) mod json_table;
pub(crate) mod lines;
pub(crate) mod numbers;
pub(crate) mod order;
pub(crate) mod spool;
pub(crate) mod table;
pub(crate) mod values;
