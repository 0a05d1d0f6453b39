//! Encoders of file formats. They stream rows, so memory does not grow with the file.

mod parquet;
mod text;
mod xlsx;

use std::path::Path;

use insights_proto::reporting::v1::ExportFormat;

use super::cell::CellValue;
use super::manifest::FileManifest;
use super::schema::ColumnSchema;

pub use text::text_of;

/// Why a file cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The format cannot hold the data; the text is for the export's owner.
    #[error("{0}")]
    Unfit(String),
    /// I/O failed; another attempt may succeed.
    #[error("cannot write the file")]
    Io(#[from] std::io::Error),
    /// The Parquet writer failed.
    #[error("cannot write Parquet")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// The workbook writer failed.
    #[error("cannot write a workbook")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
}

/// Receives the pieces of a file in order.
pub type Pieces<'a> = &'a mut (dyn FnMut(Vec<u8>) -> Result<(), EncodeError> + Send);

/// Writes one file.
pub trait Encoder: Send {
    /// Adds a row; its cells are in the order of the columns.
    fn row(&mut self, cells: &[CellValue<'_>]) -> Result<(), EncodeError>;

    /// Takes the bytes encoded since the last call.
    fn take(&mut self) -> Vec<u8>;

    /// Ends the file, with the manifest where the format has a place for it.
    fn finish(self: Box<Self>, manifest: &FileManifest, pieces: Pieces<'_>) -> Result<(), EncodeError>;
}

/// The encoder of a format.
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

/// File extension and media type of a format.
pub const fn ending(format: ExportFormat) -> (&'static str, &'static str) {
    match format {
        ExportFormat::Csv => ("csv", "text/csv; charset=utf-8"),
        ExportFormat::Tsv => ("tsv", "text/tab-separated-values; charset=utf-8"),
        ExportFormat::Xlsx => ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ExportFormat::Parquet => ("parquet", "application/vnd.apache.parquet"),
        ExportFormat::Unspecified => ("bin", "application/octet-stream"),
    }
}
