//! Parquet: typed columns, with the manifest as key-value metadata.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::{EncodeError, Encoder, Pieces};
use crate::exports::cell::{CellType, CellValue};
use crate::exports::manifest::FileManifest;
use crate::exports::schema::ColumnSchema;

/// Rows of a record batch.
const BATCH: usize = 8 * 1024;
/// Rows of a row group, which is held in memory.
const GROUP: usize = 64 * 1024;
/// Digits and decimals of an amount.
const DIGITS: u8 = 19;
const DECIMALS: i8 = 6;

/// A Parquet file.
pub struct ParquetEncoder {
    writer: ArrowWriter<Vec<u8>>,
    schema: Arc<Schema>,
    builders: Vec<CellBuilder>,
    rows: usize,
}

enum CellBuilder {
    Text(StringBuilder),
    Count(Int64Builder),
    Percent(Float64Builder),
    Amount(Decimal128Builder),
    Flag(BooleanBuilder),
}

impl ParquetEncoder {
    /// Begins a file.
    pub fn new(columns: &[ColumnSchema]) -> Result<Self, EncodeError> {
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new(&column.name, data_type(column.kind), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_max_row_group_row_count(Some(GROUP))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))?;
        let builders = columns.iter().map(|column| CellBuilder::new(column.kind)).collect::<Result<_, _>>()?;
        Ok(Self { writer, schema, builders, rows: 0 })
    }

    fn flush(&mut self) -> Result<(), EncodeError> {
        if self.rows == 0 {
            return Ok(());
        }
        let columns = self.builders.iter_mut().map(CellBuilder::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(ParquetError::from)?;
        self.rows = 0;
        Ok(self.writer.write(&batch)?)
    }
}

fn data_type(kind: CellType) -> DataType {
    match kind {
        CellType::Text => DataType::Utf8,
        CellType::Count => DataType::Int64,
        CellType::Percent => DataType::Float64,
        CellType::Amount => DataType::Decimal128(DIGITS, DECIMALS),
        CellType::Flag => DataType::Boolean,
    }
}

impl CellBuilder {
    fn new(kind: CellType) -> Result<Self, EncodeError> {
        Ok(match kind {
            CellType::Text => Self::Text(StringBuilder::new()),
            CellType::Count => Self::Count(Int64Builder::new()),
            CellType::Percent => Self::Percent(Float64Builder::new()),
            CellType::Amount => Self::Amount(
                Decimal128Builder::new().with_precision_and_scale(DIGITS, DECIMALS).map_err(ParquetError::from)?,
            ),
            CellType::Flag => Self::Flag(BooleanBuilder::new()),
        })
    }

    fn push(&mut self, cell: CellValue<'_>) {
        match (self, cell) {
            (Self::Text(builder), CellValue::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Count(builder), CellValue::Count(count)) => builder.append_value(count),
            (Self::Count(builder), _) => builder.append_null(),
            (Self::Percent(builder), CellValue::Percent(value)) => builder.append_value(value),
            (Self::Percent(builder), _) => builder.append_null(),
            (Self::Amount(builder), CellValue::Amount(amount)) => builder.append_value(i128::from(amount.micros())),
            (Self::Amount(builder), _) => builder.append_null(),
            (Self::Flag(builder), CellValue::Flag(flag)) => builder.append_value(flag),
            (Self::Flag(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Count(builder) => Arc::new(builder.finish()),
            Self::Percent(builder) => Arc::new(builder.finish()),
            Self::Amount(builder) => Arc::new(builder.finish()),
            Self::Flag(builder) => Arc::new(builder.finish()),
        }
    }
}

impl Encoder for ParquetEncoder {
    fn row(&mut self, cells: &[CellValue<'_>]) -> Result<(), EncodeError> {
        for (builder, cell) in self.builders.iter_mut().zip(cells) {
            builder.push(*cell);
        }
        self.rows += 1;
        if self.rows < BATCH { Ok(()) } else { self.flush() }
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.writer.inner_mut())
    }

    fn finish(mut self: Box<Self>, manifest: &FileManifest, pieces: Pieces<'_>) -> Result<(), EncodeError> {
        self.flush()?;
        for (name, value) in manifest.entries() {
            self.writer.append_key_value_metadata(KeyValue::new(format!("insights.{name}"), value));
        }
        pieces(self.writer.into_inner()?)
    }
}
