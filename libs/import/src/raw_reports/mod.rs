//! The raw reports of Partner Center Insights: SeatsSubscriptionsAndRevenue, DynamicsUsage, CustomersAndTenants and
//! OfficeUsage.
//!
//! Several rows of one thing and month under different partner ids are one with several attributions: seats, users and
//! revenue count once. Such rows may stand anywhere in the file, so the file is gathered before anything but rejections
//! is sent; beyond some megabytes in a temporary file, so that memory stays bounded.
//!
//! What a file names without being its source (customer, SKU, location; the subscription too in DynamicsUsage) is sent as
//! a provisional record; a later month of it counts over an earlier one.

mod columns;
mod customers;
mod gather;
mod row;
mod seats;
mod usage;

use std::{
    collections::HashMap,
    io::{self, BufRead},
};

use insights_domain::{calendar::Month, ids::folded_name};
use insights_proto::ingestion::v1::{CompleteThrough, Precedence, Record, record::Kind};

use self::{
    columns::RawReportColumn,
    gather::{Named, ReportRow, RowGroup, grouped},
    row::RowReader,
};
use crate::reader::{AHEAD, Notes, ReadError, ReadOptions, Rejection, Sink};
use crate::shared::provisional::{of_month, precedence_of};
use crate::text::spool::{Spool, SpoolLimits};
use crate::text::table::{Table, TableColumn};
use crate::text::values;

pub(crate) use self::{
    customers::read as customers,
    seats::{dynamics_usage, subscriptions},
    usage::read as office_usage,
};

/// What has been found so far.
struct Gathered {
    lines: Spool<ReportRow>,
    named: Named,
    notes: Notes,
    last_month: Option<Month>,
    /// The first spelling of every name, by the name without case and blanks.
    spellings: HashMap<String, String>,
}

/// Names whose spellings are remembered.
const SPELLINGS: usize = 100_000;

/// Why a row is not taken.
enum Bad {
    Row(Rejection),
    Io(io::Error),
}

impl From<Rejection> for Bad {
    fn from(rejection: Rejection) -> Self {
        Self::Row(rejection)
    }
}

impl From<io::Error> for Bad {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads all rows with `take`, which checks a row, remembers what it names and adds it.
fn gather(
    table: &mut Table<'_, RawReportColumn>,
    options: &ReadOptions,
    sink: &mut dyn Sink,
    mut take: impl FnMut(&RowReader<'_, '_>, &mut Gathered) -> Result<(), Bad>,
) -> Result<Gathered, ReadError> {
    let limits = SpoolLimits::default();
    let notes = Notes { unknown_columns: table.unknown.clone(), ..Notes::default() };
    let (lines, named) = (Spool::new(limits), Named::new(limits));
    let mut gathered = Gathered { lines, named, notes, last_month: None, spellings: HashMap::new() };
    while let Some(found) = table.next_row()? {
        let taken = match found {
            Ok(row) => take(&RowReader { table, row: &row, dates: options.dates }, &mut gathered),
            Err(rejection) => Err(Bad::Row(rejection)),
        };
        match taken {
            Ok(()) => {}
            Err(Bad::Row(rejection)) => sink.rejected(rejection)?,
            Err(Bad::Io(error)) => return Err(error.into()),
        }
    }
    table.noted(&mut gathered.notes);
    if gathered.last_month.is_some_and(|month| options.lies_ahead(month.first_day())) {
        gathered.notes.remarks.insert(AHEAD);
    }
    Ok(gathered)
}

impl Gathered {
    /// A name as the file spelled it first: names that differ in case and blanks only are one.
    fn spelling(&mut self, name: String) -> String {
        let key = folded_name(&name);
        if let Some(first) = self.spellings.get(&key) {
            return first.clone();
        }
        if self.spellings.len() < SPELLINGS {
            self.spellings.insert(key, name.clone());
        }
        name
    }

    /// A stub of what a row names.
    fn stub(&mut self, line: u64, month: Month, precedence: Precedence, kind: Kind) -> io::Result<()> {
        self.named.take(line, month, of_month(precedence, month, kind))
    }

    fn customer_stub(&mut self, read: &RowReader<'_, '_>, month: Month, customer_id: &str) -> io::Result<()> {
        let customer = read.customer(customer_id, &mut self.notes);
        self.stub(read.row.line, month, precedence_of(&customer), Kind::Customer(customer))
    }

    fn location_stub(&mut self, read: &RowReader<'_, '_>, month: Month) -> io::Result<()> {
        match read.location_stub(&mut self.notes) {
            Some(location) => self.stub(read.row.line, month, Precedence::Described, Kind::Location(location)),
            None => Ok(()),
        }
    }

    fn add(&mut self, line: ReportRow) -> io::Result<()> {
        self.last_month = self.last_month.max(Month::from_index(line.month));
        let key = line.subject.clone();
        self.lines.push(&key, line)
    }

    /// Sends what is named, then group after group through `send`, then how far the file goes.
    fn send(
        self,
        options: &ReadOptions,
        sink: &mut dyn Sink,
        mut send: impl FnMut(Vec<RowGroup>, &mut dyn Sink) -> Result<(), ReadError>,
    ) -> Result<Notes, ReadError> {
        self.named.send(sink)?;
        self.lines.each_part(|lines| send(grouped(lines), sink))?;
        if let Some(month) = self.last_month {
            let day = month.last_day().min(options.today).to_string();
            sink.record(1, plain(Kind::CompleteThrough(CompleteThrough { day })))?;
        }
        Ok(self.notes)
    }
}

fn plain(kind: Kind) -> Record {
    Record { kind: Some(kind), ..Record::default() }
}

fn open<'a>(
    input: &'a mut dyn BufRead,
    columns: &'static [TableColumn<RawReportColumn>],
) -> Result<Table<'a, RawReportColumn>, ReadError> {
    Table::open(input, columns, columns::IGNORED)
}

fn refuse_without_sku(table: &Table<'_, RawReportColumn>) -> Result<(), ReadError> {
    if columns::SKU_KEYS.iter().any(|key| table.has(*key)) {
        return Ok(());
    }
    Err(ReadError::Refused("the file lacks the required column SKU (or SKUId, ProductPartNumber)".into()))
}
