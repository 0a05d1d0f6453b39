//! The formats there are: which one a file has, and the reader of each.

mod recognise;

use std::io;

use insights_proto::ingestion::v1::Record;

use crate::reader::{
    ActivityDay, Collected, Completion, FileOutcome, Notes, ReadError, ReadOptions, Rejection, Sink, Stopped,
};
use crate::text::encoding::OpenedText;
use crate::text::json_table;
use crate::text::order::OrderedFile;
use crate::{graph, own, partner_center, product_names, raw_reports};
use recognise::{TextShape, look, shape};

pub use recognise::{Recognised, Unrecognised, recognise};

const EMPTY: &str = "there are no rows in it: nothing was imported from it";
/// A list without rows says that nothing is left.
const EMPTY_BUT_WHOLE: &str =
    "there are no rows in it: what an earlier one named is taken for gone, if it is a list of all there is";
const NOTHING_GOOD: &str = "all its rows were rejected, so nothing is taken for complete";

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

    /// Whether its files are tables of delimited text; a list of flat JSON objects stands for one.
    const fn is_table(self) -> bool {
        !self.is_list() && !matches!(self, Self::Ndjson | Self::Parquet)
    }

    /// Whether its files are lists in JSON.
    const fn is_list(self) -> bool {
        use Format::{GraphSubscribedSkus, GraphSubscriptions, PcCustomers, PcSubscribedSkus, PcSubscriptions};
        matches!(self, PcCustomers | PcSubscriptions | PcSubscribedSkus | GraphSubscribedSkus | GraphSubscriptions)
    }

    /// Whether its files are about one customer and do not say which.
    #[must_use]
    pub const fn needs_customer(self) -> bool {
        use Format::{GraphSubscribedSkus, GraphSubscriptions, GraphUserDetail, PcSubscribedSkus, PcSubscriptions};
        matches!(self, PcSubscriptions | PcSubscribedSkus | GraphSubscribedSkus | GraphSubscriptions | GraphUserDetail)
    }

    /// Whether its files are raw reports of months, which a later file may say anew.
    #[must_use]
    pub const fn is_report(self) -> bool {
        use Format::{InsightsCustomers, InsightsDynamicsUsage, InsightsOfficeUsage, InsightsSubscriptions};
        matches!(self, InsightsCustomers | InsightsSubscriptions | InsightsDynamicsUsage | InsightsOfficeUsage)
    }

    /// Whether its files say how things stand without saying when.
    #[must_use]
    pub const fn takes_month(self) -> bool {
        use Format::{GraphSubscribedSkus, GraphSubscriptions, PcCustomers, PcSubscribedSkus, PcSubscriptions};
        matches!(self, PcCustomers | PcSubscriptions | PcSubscribedSkus | GraphSubscribedSkus | GraphSubscriptions)
    }
}

/// Reads a whole file of the given format into `sink`, in whatever way it is packed and encoded. A file of which every row is
/// rejected completes nothing.
pub fn read(
    format: Format,
    input: &mut dyn io::BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    let opened = OpenedText::new(input)?;
    let seen = look(&opened, options.kind.or(options.named));
    if let Err(Unrecognised { reason, broken: true }) = seen {
        return Err(ReadError::Refused(reason));
    }
    let shape = shape(&opened.start);
    if let Ok(Recognised { format: seen, .. }) = seen {
        refuse_other((format, seen), (shape, &opened.start), options)?;
    }
    let mut sink = Completion::new(sink, !matches!(format, Format::Csv | Format::Parquet));
    let mut notes = match (format, shape) {
        (Format::Ndjson, TextShape::Empty) => Notes::default(),
        (_, TextShape::Foreign(kind)) => return Err(ReadError::Refused(kind.into())),
        (_, TextShape::Empty) => return Err(ReadError::Refused("the file is empty".into())),
        _ => read_as(format, shape, opened, options, &mut sink).map_err(|error| match (error, seen) {
            (ReadError::Refused(reason), Ok(seen)) if seen.format != format => {
                ReadError::Refused(format!("{reason}; by its content the file is {}", seen.format.name()))
            }
            (error, _) => error,
        })?,
    };
    let is_own = matches!(format, Format::Ndjson | Format::Csv | Format::Parquet);
    match sink.finish()? {
        FileOutcome::Rejected => drop(notes.remarks.insert(NOTHING_GOOD)),
        FileOutcome::Empty => drop(notes.remarks.insert(EMPTY)),
        FileOutcome::Completed if !is_own => drop(notes.remarks.insert(EMPTY_BUT_WHOLE)),
        FileOutcome::Completed | FileOutcome::Read => {}
    }
    Ok(notes)
}

/// Refuses a file that is of another format by its content: lists have members of one name, and reports columns, that mean different
/// things, such as `AvailableSeats`.
fn refuse_other(
    (format, seen): (Format, Format),
    (shape, start): (TextShape, &[u8]),
    options: &ReadOptions,
) -> Result<(), ReadError> {
    // What a report lacks its reader names.
    let lacks =
        || shape == TextShape::Table && read_ordered(format, &mut &*start, options, &mut Collected::default()).is_err();
    let alike = format.is_list() && seen.is_list() || format.is_report() && seen.is_report();
    if alike && seen != format && !(format.is_report() && lacks()) {
        let (seen, format) = (seen.name(), format.name());
        return Err(ReadError::Refused(format!(
            "by its content the file is {seen}, not {format}: name that format, or none"
        )));
    }
    Ok(())
}

fn read_as(
    format: Format,
    shape: TextShape,
    opened: OpenedText<'_>,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    let is_list_of_records = format == Format::Ndjson && own::ndjson::is_list(&opened.start);
    let mut input = opened.into_reader();
    let wrong =
        |what: &str| Err(ReadError::Refused(format!("the file is {what}, and files of {} are not", format.name())));
    match (format, shape) {
        (Format::Parquet, _) => {}
        (_, TextShape::Parquet) => return wrong("Parquet"),
        (_, TextShape::Archive) => return wrong("an archive"),
        (_, TextShape::Json) if format.is_table() => {
            let list = json_table::table(&mut input)?;
            if list.rows == 0 {
                return Ok(Notes::default());
            }
            return read_list_as_table(format, list, options, sink);
        }
        (_, TextShape::Table) if format.is_list() => return wrong("a table"),
        _ if is_list_of_records => return own::ndjson::read_list(&mut input, sink),
        _ => {}
    }
    dispatch(format, &mut input, options, sink)
}

/// Reads a table that came as JSON. Its rows are counted as the elements they are.
fn read_list_as_table(
    format: Format,
    list: json_table::JsonTable,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    let json_table::JsonTable { mut text, pages, .. } = list;
    let options = ReadOptions { cut_short: pages.cut_short, ..options.clone() };
    let mut elements = BelowHeader { sink };
    let mut notes = dispatch(format, &mut *text, &options, &mut elements)?;
    for rows in notes.mended.values_mut() {
        rows.first = below_header(rows.first);
    }
    if pages.cut_short {
        notes.remarks.insert(crate::shared::lists::CUT_SHORT);
    }
    Ok(notes)
}

/// The number of a row from the one below the header on.
fn below_header(line: u64) -> u64 {
    line.saturating_sub(1).max(1)
}

/// Counts rows from the one below the header.
struct BelowHeader<'a> {
    sink: &'a mut dyn Sink,
}

impl Sink for BelowHeader<'_> {
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        self.sink.record(below_header(row), record)
    }

    fn stub(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        self.sink.stub(below_header(row), record)
    }

    fn activity(&mut self, row: u64, activity: ActivityDay) -> Result<(), Stopped> {
        self.sink.activity(below_header(row), activity)
    }

    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        self.sink.rejected(Rejection { row: below_header(rejection.row), ..rejection })
    }
}

/// Reads a file once it is known in which order its dates are written.
fn dispatch(
    format: Format,
    input: &mut dyn io::BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    match list_of_dated(format) {
        None => read_ordered(format, input, options, sink),
        Some(list) => {
            let OrderedFile { mut input, order } = OrderedFile::read(input, list, options.dates)?;
            let notes = read_ordered(format, &mut input, &ReadOptions { dates: order, ..options.clone() }, sink)?;
            Ok(OrderedFile::noted(order, notes))
        }
    }
}

/// The member that holds the list, in formats of others whose files hold dates; where they are JSON.
const fn list_of_dated(format: Format) -> Option<&'static str> {
    use Format::{
        Csv, GraphSubscribedSkus, GraphSubscriptions, GraphUserDetail, InsightsCustomers, InsightsDynamicsUsage,
        InsightsOfficeUsage, InsightsSubscriptions, Ndjson, Parquet, PcCustomers, PcSubscribedSkus, PcSubscriptions,
        ProductNames,
    };
    match format {
        PcSubscriptions => Some("items"),
        InsightsCustomers
        | InsightsSubscriptions
        | InsightsDynamicsUsage
        | InsightsOfficeUsage
        | GraphSubscriptions
        | GraphUserDetail => Some("value"),
        Ndjson | Csv | Parquet | ProductNames | PcCustomers | PcSubscribedSkus | GraphSubscribedSkus => None,
    }
}

fn read_ordered(
    format: Format,
    input: &mut dyn io::BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    match format {
        Format::Ndjson => own::ndjson::read(input, sink),
        Format::Csv => own::csv::read(input, options, sink),
        Format::Parquet => own::parquet::read(input, options, sink),
        Format::ProductNames => product_names::read(input, sink),
        Format::PcCustomers => partner_center::customers(input, options, sink),
        Format::PcSubscriptions => partner_center::subscriptions(input, options, sink),
        Format::PcSubscribedSkus => partner_center::subscribed_skus(input, options, sink),
        Format::InsightsCustomers => raw_reports::customers(input, options, sink),
        Format::InsightsSubscriptions => raw_reports::subscriptions(input, options, sink),
        Format::InsightsDynamicsUsage => raw_reports::dynamics_usage(input, options, sink),
        Format::InsightsOfficeUsage => raw_reports::office_usage(input, options, sink),
        Format::GraphSubscribedSkus => graph::tenant::subscribed_skus(input, options, sink),
        Format::GraphSubscriptions => graph::tenant::subscriptions(input, options, sink),
        Format::GraphUserDetail => graph::user_detail::read(input, options, sink),
    }
}
