//! Gathers records into batches that keep the order of the file where it matters.

use std::collections::HashMap;

use insights_import::{ActivityDay, Rejection, Sink, Stopped, completes};
use insights_proto::ingestion::v1::{ActivityColumns, Record, Unreadable, record::Kind};
use prost::Message as _;

/// How big a batch may get.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Records, activity aside.
    pub records: usize,
    /// Activity facts.
    pub facts: usize,
    /// Names of services in the activity.
    pub services: usize,
    /// Bytes, about.
    pub bytes: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        // Half of what a server takes, so that a stricter one than the default still does.
        Self { records: 5_000, facts: 50_000, services: 500, bytes: 2 << 20 }
    }
}

/// One batch and the rows it came from.
#[derive(Debug, Default)]
pub struct Batch {
    /// Records in the order of the file.
    pub records: Vec<Record>,
    /// Activity; the server takes it as received after the records.
    pub activity: ActivityColumns,
    /// The row of each record, then of each activity fact: the order in which the server numbers them.
    record_rows: Vec<u64>,
    activity_rows: Vec<u64>,
    /// All records stand in until real ones come.
    pub stubs: bool,
    /// All records say that something is complete: to be sent only where something of the file is good.
    pub completes: bool,
}

impl Batch {
    /// The row a rejection of the server is about.
    #[must_use]
    pub fn row(&self, index: i64) -> u64 {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let rows = self.record_rows.iter().chain(&self.activity_rows);
        rows.copied().nth(index).unwrap_or_default()
    }

    /// How many records there are, activity included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.record_rows.len() + self.activity_rows.len()
    }

    /// Keeps the records that `keep` wants, with their rows; activity stays.
    pub(super) fn retain(&mut self, keep: impl Fn(&Record) -> bool) {
        let kept: Vec<bool> = self.records.iter().map(&keep).collect();
        let mut rows = kept.iter();
        self.record_rows.retain(|_| rows.next().is_none_or(|kept| *kept));
        self.records.retain(&keep);
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Takes what a reader finds and gives batches on. Stubs go in batches of their own, so that the answers tell how many
/// of them were needed; so does, at the end, what says that something is complete, so that it can be left out.
pub struct Batcher<F> {
    limits: BatchLimits,
    give: F,
    batch: Batch,
    bytes: usize,
    stubs: Batch,
    stub_bytes: usize,
    completing: Batch,
    customers: HashMap<String, u32>,
    users: HashMap<String, u32>,
    services: HashMap<String, u32>,
    lower_bound: HashMap<String, u32>,
}

impl<F: FnMut(Batch) -> Result<(), Stopped>> Batcher<F> {
    /// Gives every full batch to `give`.
    pub fn new(limits: BatchLimits, give: F) -> Self {
        Self {
            limits,
            give,
            batch: Batch::default(),
            bytes: 0,
            stubs: Batch { stubs: true, ..Batch::default() },
            stub_bytes: 0,
            completing: Batch { completes: true, ..Batch::default() },
            customers: HashMap::new(),
            users: HashMap::new(),
            services: HashMap::new(),
            lower_bound: HashMap::new(),
        }
    }

    /// Gives on all there is, if anything.
    pub fn finish(&mut self) -> Result<(), Stopped> {
        self.flush()?;
        let completing = std::mem::replace(&mut self.completing, Batch { completes: true, ..Batch::default() });
        if completing.is_empty() { Ok(()) } else { (self.give)(completing) }
    }

    /// Gives on what there is of records and activity; stubs first, so that little has to wait.
    fn flush(&mut self) -> Result<(), Stopped> {
        self.flush_stubs()?;
        self.bytes = 0;
        self.customers.clear();
        self.users.clear();
        self.services.clear();
        self.lower_bound.clear();
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() { Ok(()) } else { (self.give)(batch) }
    }

    fn flush_stubs(&mut self) -> Result<(), Stopped> {
        self.stub_bytes = 0;
        let stubs = std::mem::replace(&mut self.stubs, Batch { stubs: true, ..Batch::default() });
        if stubs.is_empty() { Ok(()) } else { (self.give)(stubs) }
    }

    fn flush_if_full(&mut self) -> Result<(), Stopped> {
        let BatchLimits { records, facts, services, bytes } = self.limits;
        let batch = &self.batch;
        let full = batch.record_rows.len() >= records
            || batch.activity_rows.len() >= facts
            || batch.activity.services.len() >= services
            || self.bytes >= bytes;
        if full { self.flush() } else { Ok(()) }
    }
}

impl<F: FnMut(Batch) -> Result<(), Stopped>> Sink for Batcher<F> {
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        if completes(&record) {
            self.completing.records.push(record);
            self.completing.record_rows.push(row);
            let full = self.completing.record_rows.len() >= self.limits.records;
            return if full { self.finish() } else { Ok(()) };
        }
        // What is taken back is what came before.
        if matches!(record.kind, Some(Kind::Retract(_))) && !self.completing.is_empty() {
            self.finish()?;
        }
        // Activity counts as received after the batch's records: a retract must not come to stand before activity that
        // stands before it in the file.
        if matches!(record.kind, Some(Kind::Retract(_))) && !self.batch.activity_rows.is_empty() {
            self.flush()?;
        }
        self.bytes += record.encoded_len() + 4;
        self.batch.records.push(record);
        self.batch.record_rows.push(row);
        self.flush_if_full()
    }

    fn stub(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        self.stub_bytes += record.encoded_len() + 4;
        self.stubs.records.push(record);
        self.stubs.record_rows.push(row);
        let full = self.stubs.record_rows.len() >= self.limits.records || self.stub_bytes >= self.limits.bytes;
        if full { self.flush_stubs() } else { Ok(()) }
    }

    fn activity(&mut self, row: u64, activity: ActivityDay) -> Result<(), Stopped> {
        let ActivityDay { customer_id, user_id, service, day, lower_bound } = activity;
        let columns = &mut self.batch.activity;
        columns.customer.push(number(&mut self.customers, &mut columns.customers, &mut self.bytes, customer_id));
        columns.user.push(number(&mut self.users, &mut columns.users, &mut self.bytes, user_id));
        let known = columns.services.len();
        // A service stands twice where only some of its days are dates of last activity.
        let services = if lower_bound { &mut self.lower_bound } else { &mut self.services };
        columns.service.push(number(services, &mut columns.services, &mut self.bytes, service));
        if lower_bound && columns.services.len() > known {
            columns.lower_bound.extend(u32::try_from(known));
        }
        columns.day.push(day.epoch_days());
        self.bytes += 10;
        self.batch.activity_rows.push(row);
        self.flush_if_full()
    }

    /// Sent all the same: the quarantine is where people look for what was refused, by whomever.
    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        let Rejection { row, field, reason } = rejection;
        let unreadable = Unreadable { row: row.cast_signed(), field, reason };
        self.record(row, Record { kind: Some(Kind::Unreadable(unreadable)), ..Record::default() })
    }
}

/// The position of a text among the batch's, added when it is new.
fn number(known: &mut HashMap<String, u32>, texts: &mut Vec<String>, bytes: &mut usize, text: String) -> u32 {
    if let Some(&number) = known.get(&text) {
        return number;
    }
    let number = u32::try_from(texts.len()).unwrap_or(u32::MAX);
    *bytes += text.len() + 2;
    texts.push(text.clone());
    known.insert(text, number);
    number
}

#[cfg(test)]
mod tests {
    use insights_domain::calendar::Day;
    use insights_proto::ingestion::v1::{CompleteThrough, Customer, Retract};

    use super::*;

    fn used(user: &str) -> ActivityDay {
        let day = Day::from_ymd(2025, 1, 2).unwrap();
        ActivityDay { customer_id: "C".into(), user_id: user.into(), service: "Teams".into(), day, lower_bound: false }
    }

    fn record(kind: Kind) -> Record {
        Record { kind: Some(kind), ..Record::default() }
    }

    fn batches(limits: BatchLimits, feed: impl FnOnce(&mut dyn Sink)) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut batcher = Batcher::new(limits, |batch| {
            batches.push(batch);
            Ok(())
        });
        feed(&mut batcher);
        batcher.finish().unwrap();
        batches
    }

    #[test]
    fn a_retract_never_passes_the_activity_before_it() {
        let batches = batches(BatchLimits::default(), |sink| {
            sink.activity(1, used("A")).unwrap();
            sink.record(2, record(Kind::CompleteThrough(CompleteThrough::default()))).unwrap();
            sink.record(3, record(Kind::Retract(Retract::default()))).unwrap();
            sink.activity(4, used("B")).unwrap();
        });
        assert_eq!(
            batches.iter().map(|batch| (batch.records.len(), batch.activity.day.len())).collect::<Vec<_>>(),
            [(0, 1), (1, 0), (1, 1)]
        );
        // The server numbers records first, then activity.
        assert_eq!((batches[0].row(0), batches[1].row(0), batches[2].row(0), batches[2].row(1)), (1, 2, 3, 4));
    }

    #[test]
    fn dates_of_last_activity_are_marked_and_others_of_the_service_are_not() {
        let batches = batches(BatchLimits::default(), |sink| {
            for lower_bound in [false, true, true, false] {
                sink.activity(1, ActivityDay { lower_bound, ..used("A") }).unwrap();
            }
        });
        let columns = &batches[0].activity;
        assert_eq!(columns.services, ["Teams", "Teams"]);
        assert_eq!((columns.service.as_slice(), columns.lower_bound.as_slice()), (&[0, 1, 1, 0][..], &[1][..]));
    }

    #[test]
    fn stubs_go_in_batches_of_their_own_before_what_needs_them() {
        let limits = BatchLimits { records: 3, ..BatchLimits::default() };
        let batches = batches(limits, |sink| {
            for row in 1..=5 {
                sink.stub(row, record(Kind::Customer(Customer::default()))).unwrap();
                sink.record(row, record(Kind::Retract(Retract::default()))).unwrap();
            }
        });
        let found: Vec<_> = batches.iter().map(|batch| (batch.stubs, batch.len(), batch.row(0))).collect();
        assert_eq!(found, [(true, 3, 1), (false, 3, 1), (true, 2, 4), (false, 2, 4)]);
    }

    #[test]
    fn what_says_that_something_is_complete_comes_last_and_apart() {
        let limits = BatchLimits { records: 2, ..BatchLimits::default() };
        let batches = batches(limits, |sink| {
            sink.record(1, record(Kind::CompleteThrough(CompleteThrough::default()))).unwrap();
            for row in 2..=4 {
                sink.record(row, record(Kind::Customer(Customer::default()))).unwrap();
            }
        });
        let found: Vec<_> = batches.iter().map(|batch| (batch.completes, batch.len(), batch.row(0))).collect();
        assert_eq!(found, [(false, 2, 2), (false, 1, 4), (true, 1, 1)]);
    }

    #[test]
    fn batches_stay_within_their_limits_and_lose_nothing() {
        let limits = BatchLimits { records: 3, facts: 4, services: 9, bytes: 1 << 20 };
        let batches = batches(limits, |sink| {
            for row in 0..10 {
                sink.activity(row, used(&format!("U{}", row % 3))).unwrap();
                sink.record(row, record(Kind::Customer(Customer::default()))).unwrap();
            }
        });
        assert!(batches.iter().all(|batch| batch.records.len() <= 3 && batch.activity.day.len() <= 4));
        assert_eq!(batches.iter().map(Batch::len).sum::<usize>(), 20);
        assert!(batches.iter().all(|batch| batch.activity.users.len() <= 3));
    }
}
