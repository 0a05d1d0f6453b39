//! Columns of bulk statements.

use sea_orm::{Value, sea_query::ArrayType};

/// The values of one column, one per row.
#[derive(Clone, Debug)]
pub enum Column {
    /// `integer`.
    Int(Vec<i32>),
    /// `bigint`.
    BigInt(Vec<i64>),
    /// `text`.
    Text(Vec<String>),
    /// `bytea` or `blob`.
    Bytes(Vec<Vec<u8>>),
    /// `boolean`.
    Bool(Vec<bool>),
}

impl Column {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::BigInt(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Bytes(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }

    pub(crate) fn array_type(&self) -> &'static str {
        match self {
            Self::Int(_) => "int4[]",
            Self::BigInt(_) => "int8[]",
            Self::Text(_) => "text[]",
            Self::Bytes(_) => "bytea[]",
            Self::Bool(_) => "bool[]",
        }
    }

    pub(crate) fn into_array(self) -> Value {
        let (kind, values): (ArrayType, Vec<Value>) = match self {
            Self::Int(values) => (ArrayType::Int, values.into_iter().map(|value| Value::Int(Some(value))).collect()),
            Self::BigInt(values) => {
                (ArrayType::BigInt, values.into_iter().map(|value| Value::BigInt(Some(value))).collect())
            }
            Self::Text(values) => {
                (ArrayType::String, values.into_iter().map(|value| Value::String(Some(value))).collect())
            }
            Self::Bytes(values) => {
                (ArrayType::Bytes, values.into_iter().map(|value| Value::Bytes(Some(value))).collect())
            }
            Self::Bool(values) => (ArrayType::Bool, values.into_iter().map(|value| Value::Bool(Some(value))).collect()),
        };
        Value::Array(kind, Some(Box::new(values)))
    }

    /// Takes the value of one row out; each row is taken once.
    pub(crate) fn take(&mut self, row: usize) -> Value {
        match self {
            Self::Int(values) => Value::Int(Some(values[row])),
            Self::BigInt(values) => Value::BigInt(Some(values[row])),
            Self::Text(values) => Value::String(Some(std::mem::take(&mut values[row]))),
            Self::Bytes(values) => Value::Bytes(Some(std::mem::take(&mut values[row]))),
            Self::Bool(values) => Value::Bool(Some(values[row])),
        }
    }
}
