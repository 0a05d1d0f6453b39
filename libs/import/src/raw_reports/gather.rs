//! Gathers the rows of a report by what they are about and month, and what they name by its id.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
};

use insights_domain::calendar::Month;
use insights_proto::ingestion::v1::{Attribution, Precedence, Record, record::Kind};

use crate::reader::{ReadError, Sink};
use crate::text::spool::{Spool, SpoolLimits, hash};

// House: one field for each column that a report may have.
/// A good row, as it waits for the others it belongs with.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ReportRow {
    /// The line of the file it begins on.
    #[prost(uint64, tag = "1")]
    pub(super) line: u64,
    /// Year * 12 + month - 1.
    #[prost(int32, tag = "2")]
    pub(super) month: i32,
    /// The subscription, or else the customer.
    #[prost(string, tag = "3")]
    pub(super) subject: String,
    /// The SKU or the workload.
    #[prost(string, tag = "4")]
    pub(super) object: String,
    /// What else tells sales of one SKU apart.
    #[prost(string, tag = "5")]
    pub(super) article: String,
    /// The row only adds an attribution to another.
    #[prost(bool, tag = "6")]
    pub(super) duplicate: bool,
    #[prost(message, optional, tag = "7")]
    pub(super) attribution: Option<Attribution>,
    #[prost(string, tag = "8")]
    pub(super) customer: String,
    #[prost(string, tag = "9")]
    pub(super) sku: String,
    #[prost(string, optional, tag = "10")]
    pub(super) status: Option<String>,
    #[prost(string, optional, tag = "11")]
    pub(super) start: Option<String>,
    #[prost(string, optional, tag = "12")]
    pub(super) end: Option<String>,
    #[prost(bool, optional, tag = "13")]
    pub(super) auto_renew: Option<bool>,
    #[prost(string, optional, tag = "14")]
    pub(super) sales_channel: Option<String>,
    /// Seats, or paid units.
    #[prost(int64, tag = "15")]
    pub(super) available: i64,
    #[prost(int64, optional, tag = "16")]
    pub(super) assigned: Option<i64>,
    /// Seats with use, or users.
    #[prost(int64, optional, tag = "17")]
    pub(super) active: Option<i64>,
    #[prost(string, optional, tag = "18")]
    pub(super) revenue: Option<String>,
    /// Amounts in other currencies, one after the other.
    #[prost(message, repeated, tag = "19")]
    pub(super) other_revenue: Vec<OtherRevenue>,
    #[prost(string, optional, tag = "20")]
    pub(super) pricing_model: Option<String>,
    #[prost(string, optional, tag = "21")]
    pub(super) seller: Option<String>,
    /// It has no seats.
    #[prost(bool, tag = "22")]
    pub(super) paid_by_use: bool,
}

/// An amount in another currency than the column's.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OtherRevenue {
    #[prost(string, tag = "1")]
    pub(super) currency: String,
    #[prost(string, tag = "2")]
    pub(super) amount: String,
}

impl ReportRow {
    pub(super) fn month_text(&self) -> String {
        Month::from_index(self.month).map(|month| month.to_string()).unwrap_or_default()
    }

    /// Amounts by currency.
    pub(super) fn amounts(&self) -> impl Iterator<Item = (&str, &str)> {
        let dollars = self.revenue.iter().map(|amount| ("USD", amount.as_str()));
        dollars.chain(self.other_revenue.iter().map(|other| (other.currency.as_str(), other.amount.as_str())))
    }
}

/// Rows about one thing in one month.
pub(super) struct RowGroup {
    /// The row that decides what differs: the first one that is no duplicate, else the first.
    pub(super) first: ReportRow,
    /// Of all rows, in their order, each once.
    pub(super) attributions: Vec<Attribution>,
    /// The deciding row of each further article.
    pub(super) others: Vec<ReportRow>,
}

/// Groups rows, in the order of their first.
pub(super) fn grouped(lines: Vec<ReportRow>) -> Vec<RowGroup> {
    let mut groups: Vec<RowGroup> = Vec::new();
    let mut places: HashMap<(String, String, i32), usize> = HashMap::new();
    for mut line in lines {
        let attribution = line.attribution.take();
        match places.entry((line.subject.clone(), line.object.clone(), line.month)) {
            Entry::Vacant(place) => {
                place.insert(groups.len());
                let attributions = attribution.into_iter().collect();
                groups.push(RowGroup { first: line, attributions, others: Vec::new() });
            }
            Entry::Occupied(place) => groups[*place.get()].add(line, attribution),
        }
    }
    groups
}

impl RowGroup {
    fn add(&mut self, line: ReportRow, attribution: Option<Attribution>) {
        self.attributions.extend(attribution.filter(|new| !self.attributions.contains(new)));
        let same = std::iter::once(&mut self.first).chain(&mut self.others).find(|it| it.article == line.article);
        match same {
            Some(known) if known.duplicate && !line.duplicate => *known = line,
            Some(_) => {}
            None => self.others.push(line),
        }
    }
}

/// Things a file names, each kept as its latest month knows it; within a month as the first row does.
pub(super) struct Named {
    spool: Spool<Thing>,
    /// The latest month in which each was seen. Forgetting one only costs space in the spool.
    seen: HashMap<u64, i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Thing {
    #[prost(uint64, tag = "1")]
    line: u64,
    #[prost(int32, tag = "2")]
    month: i32,
    #[prost(message, optional, tag = "3")]
    record: Option<Record>,
    /// It stands in until a real one comes.
    #[prost(bool, tag = "4")]
    stub: bool,
}

/// Things remembered as seen at once.
const SEEN: usize = 1_000_000;

impl Named {
    pub(super) fn new(limits: SpoolLimits) -> Self {
        Self { spool: Spool::new(limits), seen: HashMap::new() }
    }

    /// Takes a thing; a precedence makes it provisional.
    pub(super) fn take(&mut self, line: u64, month: Month, record: Record) -> io::Result<()> {
        let (rank, id) = identity(&record);
        let key = hash(&(rank, id));
        if self.seen.get(&key).is_some_and(|seen| *seen >= month.index()) {
            return Ok(());
        }
        if self.seen.len() >= SEEN {
            self.seen.clear();
        }
        self.seen.insert(key, month.index());
        let stub = record.precedence() != Precedence::Unspecified;
        self.spool.push(&key, Thing { line, month: month.index(), record: Some(record), stub })
    }

    pub(super) fn send(self, sink: &mut dyn Sink) -> Result<(), ReadError> {
        self.spool.each_part(|things| {
            let mut latest: HashMap<(u8, String), Thing> = HashMap::new();
            for thing in things {
                let Some((rank, id)) = thing.record.as_ref().map(identity) else { continue };
                match latest.entry((rank, id.to_owned())) {
                    Entry::Occupied(mut known) if known.get().month < thing.month => {
                        known.insert(thing);
                    }
                    Entry::Occupied(_) => {}
                    Entry::Vacant(place) => {
                        place.insert(thing);
                    }
                }
            }
            let mut things: Vec<((u8, String), Thing)> = latest.into_iter().collect();
            things.sort_by(|(key, thing), (other, another)| {
                (key.0, thing.line, &key.1).cmp(&(other.0, another.line, &other.1))
            });
            for (_, Thing { line, record, stub, .. }) in things {
                let record = record.unwrap_or_default();
                if stub { sink.stub(line, record)? } else { sink.record(line, record)? }
            }
            Ok(())
        })
    }
}

/// What a thing is, in the order in which little has to wait.
fn identity(record: &Record) -> (u8, &str) {
    match &record.kind {
        Some(Kind::Location(it)) => (0, &it.location_id),
        Some(Kind::Sku(it)) => (1, &it.sku_id),
        Some(Kind::Customer(it)) => (2, &it.customer_id),
        _ => (3, ""),
    }
}
