//! What a cell of an Arrow array says. Everything but lists and counts goes through the text that the same cell would have
//! in CSV, so that both are read alike.
//!
//! The types are those of Parquet itself: what a writer noted of its own types (dictionaries, large strings) is not looked
//! at, so there are few.

use arrow_array::{Array, ArrowPrimitiveType, cast::AsArray as _, temporal_conversions::as_datetime, types as arrow};
use arrow_schema::{DataType, TimeUnit};
use serde_json::{Map, Number, Value};

use crate::own::{FieldShape, columns::value_of};

/// Whether a column of this type can hold such a field.
pub(super) fn readable(shape: FieldShape, column: &DataType) -> bool {
    match (shape, column) {
        (FieldShape::Texts, DataType::List(inner)) => is_scalar(inner.data_type()),
        (FieldShape::Attributions, DataType::List(inner)) => match inner.data_type() {
            DataType::Struct(fields) => fields.iter().all(|field| is_scalar(field.data_type())),
            inner => is_scalar(inner),
        },
        (_, column) => is_scalar(column),
    }
}

fn is_scalar(column: &DataType) -> bool {
    use DataType as D;
    match column {
        D::Null | D::Boolean | D::Date32 | D::Timestamp(..) | D::Utf8 | D::Binary => true,
        D::Decimal128(..) | D::Decimal256(..) | D::Float32 | D::Float64 => true,
        other => other.is_integer(),
    }
}

/// What the field of a record is, as its JSON would have it; none when the cell is empty.
pub(super) fn value(shape: FieldShape, array: &dyn Array, row: usize) -> Option<Value> {
    if array.is_null(row) {
        return None;
    }
    match (shape, array.data_type()) {
        (_, DataType::List(_)) => {
            let list = array.as_list::<i32>().value(row);
            Some((0..list.len()).flat_map(|at| element(shape, &list, at)).collect())
        }
        (FieldShape::Count, DataType::Int64) => {
            Some(Value::Number(array.as_primitive::<arrow::Int64Type>().value(row).into()))
        }
        (FieldShape::Count, DataType::Float64) => {
            let number = array.as_primitive::<arrow::Float64Type>().value(row);
            // What is missing among floats is written as NaN.
            (!number.is_nan())
                .then(|| Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number))
        }
        _ => {
            let text = text(array, row)?;
            let cell = text.trim();
            (!cell.is_empty()).then(|| value_of(shape, cell, None))
        }
    }
}

/// One element of a list; a text among attributions may hold several in the form of a cell.
fn element(shape: FieldShape, list: &dyn Array, at: usize) -> Vec<Value> {
    if list.is_null(at) {
        return Vec::new();
    }
    if let Some(record) = list.as_struct_opt() {
        let part = |(name, column): (&&str, &dyn Array)| Some(((*name).to_owned(), text(column, at)?.trim().into()));
        let columns = record.columns().iter().map(|column| column.as_ref());
        let map: Map<String, Value> = std::iter::zip(&record.column_names(), columns).filter_map(part).collect();
        return vec![Value::Object(map)];
    }
    match (shape, text(list, at)) {
        (_, None) => Vec::new(),
        (FieldShape::Attributions, Some(text)) => match value_of(shape, text.trim(), None) {
            Value::Array(values) => values,
            value => vec![value],
        },
        (_, Some(text)) => vec![Value::String(text)],
    }
}

/// The text of a cell that is no list; none when it is empty.
pub(super) fn text(array: &dyn Array, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    macro_rules! number {
        ($type:ty) => {
            Some(array.as_primitive::<$type>().value(row).to_string())
        };
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row).to_owned()),
        DataType::Binary => Some(String::from_utf8_lossy(array.as_binary::<i32>().value(row)).into_owned()),
        DataType::Boolean => Some(array.as_boolean().value(row).to_string()),
        DataType::Decimal128(..) => Some(array.as_primitive::<arrow::Decimal128Type>().value_as_string(row)),
        DataType::Decimal256(..) => Some(array.as_primitive::<arrow::Decimal256Type>().value_as_string(row)),
        DataType::Timestamp(TimeUnit::Second, _) => Some(moment::<arrow::TimestampSecondType>(array, row)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => Some(moment::<arrow::TimestampMillisecondType>(array, row)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Some(moment::<arrow::TimestampMicrosecondType>(array, row)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Some(moment::<arrow::TimestampNanosecondType>(array, row)),
        DataType::Date32 => {
            let moment = moment::<arrow::Date32Type>(array, row);
            Some(moment.strip_suffix("T00:00:00Z").map_or_else(|| moment.clone(), str::to_owned))
        }
        DataType::Int8 => number!(arrow::Int8Type),
        DataType::Int16 => number!(arrow::Int16Type),
        DataType::Int32 => number!(arrow::Int32Type),
        DataType::Int64 => number!(arrow::Int64Type),
        DataType::UInt8 => number!(arrow::UInt8Type),
        DataType::UInt16 => number!(arrow::UInt16Type),
        DataType::UInt32 => number!(arrow::UInt32Type),
        DataType::UInt64 => number!(arrow::UInt64Type),
        DataType::Float32 => number!(arrow::Float32Type).filter(|text| text != "NaN"),
        DataType::Float64 => number!(arrow::Float64Type).filter(|text| text != "NaN"),
        _ => None,
    }
}

/// A moment as RFC 3339; one without a time zone counts as UTC. What no calendar has stays the number it is.
fn moment<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> String
where
    i64: From<T::Native>,
{
    let number = i64::from(array.as_primitive::<T>().value(row));
    match as_datetime::<T>(number) {
        Some(moment) => format!("{}Z", moment.format("%Y-%m-%dT%H:%M:%S%.f")),
        None => number.to_string(),
    }
}
