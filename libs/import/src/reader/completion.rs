//! What a file completes: nothing, where none of its rows was good.

use insights_proto::ingestion::v1::{Record, record::Kind};

use super::{ActivityDay, Rejection, Sink, Stopped};

/// What is held back at most while no row was good.
const HELD: usize = 10_000;

/// Whether a record says that something is complete, so that what is missing is taken for gone.
#[must_use]
pub fn completes(record: &Record) -> bool {
    match &record.kind {
        Some(Kind::CompleteThrough(_) | Kind::LicenceList(_)) => true,
        // A list of customers is whole with the record that names none.
        Some(Kind::WholeList(list)) => !list.part && (list.what != "customers" || list.customer_id.is_empty()),
        _ => false,
    }
}

/// Hands on what a reader finds, and what completes something only when a row was good or none was bad.
pub(crate) struct Completion<'a> {
    sink: &'a mut dyn Sink,
    /// Tables of what completes something have no other rows.
    holds_back: bool,
    held: Vec<(u64, Record)>,
    taken: bool,
    rejected: bool,
}

/// How the rows of a file fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileOutcome {
    /// There was none.
    Empty,
    /// There was none, and what the file completes was handed on.
    Completed,
    /// At least one was good.
    Read,
    /// All were rejected, so that nothing was taken for complete.
    Rejected,
}

impl<'a> Completion<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink, holds_back: bool) -> Self {
        Self { sink, holds_back, held: Vec::new(), taken: false, rejected: false }
    }

    fn take(&mut self) -> Result<(), Stopped> {
        self.taken = true;
        std::mem::take(&mut self.held).into_iter().try_for_each(|(row, record)| self.sink.record(row, record))
    }

    /// Hands on what was held back, unless all was rejected.
    pub(crate) fn finish(mut self) -> Result<FileOutcome, Stopped> {
        let held = !self.held.is_empty();
        Ok(match (self.taken, self.rejected) {
            (true, _) => FileOutcome::Read,
            (false, true) => FileOutcome::Rejected,
            (false, false) => {
                self.take()?;
                if held { FileOutcome::Completed } else { FileOutcome::Empty }
            }
        })
    }
}

impl Sink for Completion<'_> {
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        if !self.holds_back || !completes(&record) {
            self.take()?;
        } else if !self.taken && self.held.len() < HELD {
            self.held.push((row, record));
            return Ok(());
        } else if !self.taken {
            // So many are rows of their own.
            if self.rejected {
                return Ok(());
            }
            self.take()?;
        }
        self.sink.record(row, record)
    }

    fn stub(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        self.sink.stub(row, record)
    }

    fn activity(&mut self, row: u64, activity: ActivityDay) -> Result<(), Stopped> {
        self.take()?;
        self.sink.activity(row, activity)
    }

    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        self.rejected = true;
        self.sink.rejected(rejection)
    }
}
