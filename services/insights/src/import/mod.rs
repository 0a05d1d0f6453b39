//! Reads the files people already have into the records of the ingestion API.
//!
//! Every reader is a function from a byte stream to a [`Sink`]: no network, no clock, no file system. A bad row is
//! rejected with its line and field and never takes a good one with it; only a file that cannot be what it was said to
//! be is refused as a whole.

mod columns;
mod lines;
mod ndjson;
mod own;
mod own_csv;
mod own_parquet;
mod products;
mod report;
mod services;
mod table;
pub mod template;
mod values;

use std::{collections::BTreeSet, fmt, io};

use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::Record;

pub use own::RecordKind;
pub use services::{fold, service_of_plan};

/// A file format that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Our own records, one JSON object per line.
    Ndjson,
    /// Our own records, CSV or TSV, one kind a file.
    Csv,
    /// Our own records, Parquet, one kind a file.
    Parquet,
    /// Partner Center Insights raw report SeatsSubscriptionsAndRevenue, CSV or TSV.
    InsightsSubscriptions,
    /// Partner Center Insights raw report DynamicsUsage, CSV or TSV.
    InsightsDynamicsUsage,
    /// "Product names and service plan identifiers for licensing", CSV.
    ProductNames,
}

/// What the readers cannot know from the file.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Today in the partner's time zone: `complete_through` never lies after it.
    pub today: Day,
    /// What the rows of our own tables are, where the caller says so.
    pub kind: Option<RecordKind>,
    /// What the file's name says they are; decides where the columns leave it open.
    pub named: Option<RecordKind>,
}

impl Options {
    /// Nothing said but the day.
    #[must_use]
    pub const fn on(today: Day) -> Self {
        Self { today, kind: None, named: None }
    }
}

/// One activity fact; activity travels apart from the other records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
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
    /// Line of the file on which the row begins, from 1.
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
    /// Takes an activity fact.
    fn activity(&mut self, row: u64, activity: Activity) -> Result<(), Stopped>;
    /// Takes a row that could not be read.
    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped>;
}

/// What the user should know about a file besides its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Columns that the format does not know, as the file spells them.
    pub unknown_columns: Vec<String>,
    /// Service plans without a known service: each became a service of its own name.
    pub unmapped_plans: BTreeSet<String>,
    /// Countries that no list knows; the records went without.
    pub unknown_countries: BTreeSet<String>,
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

/// Reads a whole file of the given format into `sink`.
pub fn read(
    format: Format,
    input: &mut dyn io::BufRead,
    options: &Options,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    match format {
        Format::Ndjson => ndjson::read(input, sink),
        Format::Csv => own_csv::read(input, options, sink),
        Format::Parquet => own_parquet::read(input, options, sink),
        Format::InsightsSubscriptions => report::read(&report::SUBSCRIPTIONS, input, options, sink),
        Format::InsightsDynamicsUsage => report::read(&report::DYNAMICS_USAGE, input, options, sink),
        Format::ProductNames => products::read(input, sink),
    }
}

/// Everything a reader found, for small files and tests.
#[derive(Debug, Default)]
pub struct Collected {
    /// Records with their rows.
    pub records: Vec<(u64, Record)>,
    /// Activity with its rows.
    pub activity: Vec<(u64, Activity)>,
    /// Rows that could not be read.
    pub rejections: Vec<Rejection>,
}

impl Sink for Collected {
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        self.records.push((row, record));
        Ok(())
    }

    fn activity(&mut self, row: u64, activity: Activity) -> Result<(), Stopped> {
        self.activity.push((row, activity));
        Ok(())
    }

    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        self.rejections.push(rejection);
        Ok(())
    }
}
