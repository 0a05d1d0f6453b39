//! Where a reader puts what it finds, and why it may stop.

use std::{fmt, io};

use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::Record;

/// One activity fact; activity travels apart from the other records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityDay {
    /// The customer.
    pub customer_id: String,
    /// The user.
    pub user_id: String,
    /// The service.
    pub service: String,
    /// The day.
    pub day: Day,
    /// The day is the last one on which the source saw the user: it says nothing of the days before.
    pub lower_bound: bool,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rejection {
    /// Line of the file on which the row begins, from 1; in JSON the number of the element, from 1.
    pub row: u64,
    /// The field or column at fault.
    pub field: String,
    /// What is wrong with it and what would be right.
    pub reason: String,
}

/// The taker of records wants no more.
#[derive(Debug)]
pub struct Stopped;

/// Takes what a reader finds, in the order of the file. `row` is the line on which the record's row begins.
pub trait Sink {
    /// Takes a record.
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped>;
    /// Takes a record that only stands in until a real one comes.
    fn stub(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        self.record(row, record)
    }
    /// Takes an activity fact.
    fn activity(&mut self, row: u64, activity: ActivityDay) -> Result<(), Stopped>;
    /// Takes a row that could not be read.
    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped>;
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        (**self).record(row, record)
    }

    fn stub(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        (**self).stub(row, record)
    }

    fn activity(&mut self, row: u64, activity: ActivityDay) -> Result<(), Stopped> {
        (**self).activity(row, activity)
    }

    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        (**self).rejected(rejection)
    }
}

/// Why a file could not be read to its end.
#[derive(Debug)]
pub enum ReadError {
    /// The file could not be read.
    Io(io::Error),
    /// The file is not of this format.
    Refused(String),
    /// The taker wanted no more.
    Stopped,
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(out, "the file could not be read: {error}"),
            Self::Refused(reason) => out.write_str(reason),
            Self::Stopped => out.write_str("stopped"),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Stopped> for ReadError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// Everything a reader found, for small files and tests.
#[derive(Debug, Default)]
pub struct Collected {
    /// Records with their rows.
    pub records: Vec<(u64, Record)>,
    /// Activity with its rows.
    pub activity: Vec<(u64, ActivityDay)>,
    /// Rows that could not be read.
    pub rejections: Vec<Rejection>,
}

impl Sink for Collected {
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        self.records.push((row, record));
        Ok(())
    }

    fn activity(&mut self, row: u64, activity: ActivityDay) -> Result<(), Stopped> {
        self.activity.push((row, activity));
        Ok(())
    }

    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        self.rejections.push(rejection);
        Ok(())
    }
}
