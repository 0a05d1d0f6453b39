//! How files are written: row after row, in memory that does not grow with them.

mod parquet;
mod text;
mod xlsx;

use std::path::Path;

use insights_proto::reporting::v1::ExportFormat;

use super::cell::CellValue;
use super::manifest::FileManifest;
use super::schema::ColumnSchema;

pub use text::text_of;

/// Why a file cannot be written. What concerns the owner is said in words of theirs.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The format cannot hold what is to be written.
    #[error("{0}")]
    Unfit(String),
    /// Something of this machine failed; trying again may help.
    #[error("writing the file")]
    Io(#[from] std::io::Error),
    /// The Parquet writer failed.
    #[error("writing Parquet")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// The workbook writer failed.
    #[error("writing a workbook")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
}

/// Takes the pieces of a file in their order.
pub type Pieces<'a> = &'a mut (dyn FnMut(Vec<u8>) -> Result<(), EncodeError> + Send);

/// Writes one file.
pub trait Encoder: Send {
    /// Adds a row, whose cells stand in the order of the columns.
    fn row(&mut self, cells: &[CellValue<'_>]) -> Result<(), EncodeError>;

    /// What is finished of the file since the last time.
    fn take(&mut self) -> Vec<u8>;

    /// Ends the file, which says of itself what it can.
    fn finish(self: Box<Self>, about: &FileManifest, pieces: Pieces<'_>) -> Result<(), EncodeError>;
}

/// A writer of files of this format.
pub fn encoder(
    format: ExportFormat,
    columns: &[ColumnSchema],
    scratch: Option<&Path>,
) -> Result<Box<dyn Encoder>, EncodeError> {
    Ok(match format {
        ExportFormat::Csv => Box::new(text::TextEncoder::new(columns, b',')),
        ExportFormat::Tsv => Box::new(text::TextEncoder::new(columns, b'\t')),
        ExportFormat::Xlsx => Box::new(xlsx::XlsxEncoder::new(columns, scratch, xlsx::ROWS)?),
        ExportFormat::Parquet => Box::new(parquet::ParquetEncoder::new(columns)?),
        ExportFormat::Unspecified => return Err(EncodeError::Unfit("The format is not known.".into())),
    })
}

/// How files of a format end, and what they are to a browser.
pub const fn ending(format: ExportFormat) -> (&'static str, &'static str) {
    match format {
        ExportFormat::Csv => ("csv", "text/csv; charset=utf-8"),
        ExportFormat::Tsv => ("tsv", "text/tab-separated-values; charset=utf-8"),
        ExportFormat::Xlsx => ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ExportFormat::Parquet => ("parquet", "application/vnd.apache.parquet"),
        ExportFormat::Unspecified => ("bin", "application/octet-stream"),
    }
}
