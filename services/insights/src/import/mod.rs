//! Reads the files people already have into the records of the ingestion API.
//!
//! Every reader is a function from a byte stream to a [`Sink`]: no network, no clock, no file system. A bad row is
//! rejected with its line and field and never takes a good one with it; only a file that cannot be what it was said to
//! be is refused as a whole.

mod columns;
mod graph;
mod json;
mod lines;
mod lists;
mod ndjson;
mod notes;
mod own;
mod own_csv;
mod own_parquet;
mod partner_center;
mod products;
mod recognise;
mod report;
mod services;
mod spool;
mod stub;
mod table;
pub mod template;
mod user_detail;
mod values;

use std::{fmt, io};

use insights_domain::calendar::{Day, Month};
use insights_proto::ingestion::v1::Record;

pub use notes::Notes;
pub use own::RecordKind;
pub use recognise::{Recognised, recognise};
pub use services::{fold, service_of_plan, service_of_workload};
pub(crate) use values::canonical_id;

/// A file format that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Our own records, one JSON object per line.
    Ndjson,
    /// Our own records, CSV or TSV, one kind a file.
    Csv,
    /// Our own records, Parquet, one kind a file.
    Parquet,
    /// "Product names and service plan identifiers for licensing", CSV.
    ProductNames,
    /// Partner Center: customers, JSON.
    PcCustomers,
    /// Partner Center: a customer's subscriptions, JSON.
    PcSubscriptions,
    /// Partner Center: a customer's licences, JSON.
    PcSubscribedSkus,
    /// Partner Center Insights raw report CustomersAndTenants, CSV or TSV.
    InsightsCustomers,
    /// Partner Center Insights raw report SeatsSubscriptionsAndRevenue, CSV or TSV.
    InsightsSubscriptions,
    /// Partner Center Insights raw report DynamicsUsage, CSV or TSV.
    InsightsDynamicsUsage,
    /// Partner Center Insights raw report OfficeUsage, CSV or TSV.
    InsightsOfficeUsage,
    /// Microsoft Graph: a customer's subscribedSkus, JSON.
    GraphSubscribedSkus,
    /// Microsoft Graph: a customer's directory subscriptions, JSON.
    GraphSubscriptions,
    /// Microsoft Graph: getOffice365ActiveUserDetail of a customer, CSV.
    GraphUserDetail,
}

impl Format {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        use clap::ValueEnum as _;
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether its files are about one customer and do not say which.
    #[must_use]
    pub const fn needs_customer(self) -> bool {
        use Format::{GraphSubscribedSkus, GraphSubscriptions, GraphUserDetail, PcSubscribedSkus, PcSubscriptions};
        matches!(self, PcSubscriptions | PcSubscribedSkus | GraphSubscribedSkus | GraphSubscriptions | GraphUserDetail)
    }

    /// Whether its files say how things stand without saying when.
    #[must_use]
    pub const fn takes_month(self) -> bool {
        use Format::{GraphSubscribedSkus, GraphSubscriptions, PcSubscribedSkus, PcSubscriptions};
        matches!(self, PcSubscriptions | PcSubscribedSkus | GraphSubscribedSkus | GraphSubscriptions)
    }
}

/// What the readers cannot know from the file.
#[derive(Clone, Debug)]
pub struct Options {
    /// Today in the partner's time zone: `complete_through` never lies after it.
    pub today: Day,
    /// What the rows of our own tables are, where the caller says so.
    pub kind: Option<RecordKind>,
    /// What the file's name says they are; decides where the columns leave it open.
    pub named: Option<RecordKind>,
    /// The customer the file is about, for formats that do not say.
    pub customer: Option<String>,
    /// The month the file is about, for formats that do not say; without it, that of the file.
    pub month: Option<Month>,
    /// When the file was made, in seconds since 1970.
    pub made: i64,
    /// The tenant of the partner itself: what it sold is its own.
    pub own_tenant: Option<String>,
}

impl Options {
    /// Nothing said but the day.
    #[must_use]
    pub fn on(today: Day) -> Self {
        let made = i64::from(today.epoch_days()) * 86_400;
        Self { today, kind: None, named: None, customer: None, month: None, made, own_tenant: None }
    }

    /// The day on which things stood as the file says: the last of the month, else that of the file; at most today.
    fn day(&self) -> Day {
        let made = i32::try_from(self.made.div_euclid(86_400)).ok().and_then(Day::from_epoch_days);
        let day = self.month.map(Month::last_day).or(made).unwrap_or(self.today);
        day.min(self.today)
    }

    /// When things stood so, in seconds since 1970.
    fn seen(&self) -> i64 {
        match self.month {
            Some(_) => i64::from(self.day().epoch_days()) * 86_400,
            None => self.made,
        }
    }

    /// The customer, in the one spelling that is compared.
    fn customer(&self) -> Result<String, ReadError> {
        let customer = self.customer.as_deref().map(str::trim).filter(|customer| !customer.is_empty());
        let missing = || ReadError::Refused("the file does not say whose it is: say so with --customer".into());
        Ok(values::canonical_id(customer.ok_or_else(missing)?.to_owned()))
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
    fn activity(&mut self, row: u64, activity: Activity) -> Result<(), Stopped>;
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

    fn activity(&mut self, row: u64, activity: Activity) -> Result<(), Stopped> {
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
        Format::ProductNames => products::read(input, sink),
        Format::PcCustomers => partner_center::customers(input, options, sink),
        Format::PcSubscriptions => partner_center::subscriptions(input, options, sink),
        Format::PcSubscribedSkus => partner_center::subscribed_skus(input, options, sink),
        Format::InsightsCustomers => report::customers(input, options, sink),
        Format::InsightsSubscriptions => report::subscriptions(input, options, sink),
        Format::InsightsDynamicsUsage => report::dynamics_usage(input, options, sink),
        Format::InsightsOfficeUsage => report::office_usage(input, options, sink),
        Format::GraphSubscribedSkus => graph::subscribed_skus(input, options, sink),
        Format::GraphSubscriptions => graph::subscriptions(input, options, sink),
        Format::GraphUserDetail => user_detail::read(input, options, sink),
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
