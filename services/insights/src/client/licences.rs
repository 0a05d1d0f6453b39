//! Remembers which licences were told of, so that a later file without one can end it.
//!
//! A user report says that a user has no licence, not since when there was one; the server tells licences apart by their
//! first day. So the first days are kept here, beside the imports under way: nothing but hashes and days, one file per
//! server, partner and customer.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{Licensed, Record, record::Kind};
use prost_types::Timestamp;

use crate::import::{Activity, Rejection, Sink, Stopped, Unlicensed};

/// Licences remembered of one customer; more would not stay in bounded memory.
const MOST: usize = 1_000_000;
/// Bytes of one licence: a hash, its first day, the day it was last seen.
const ENTRY: usize = 16;

/// What is remembered of a licence that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    from: i32,
    seen: i32,
}

/// The licences of a customer that have not ended.
#[derive(Debug, Default)]
pub(super) struct Memory {
    open: HashMap<u64, Open>,
    path: Option<PathBuf>,
}

impl Memory {
    /// What is remembered under this name. Without a folder nothing is.
    pub(super) fn load(folder: Option<&Path>, name: &str) -> Self {
        let path = folder.map(|folder| folder.join(blake3::hash(name.as_bytes()).to_hex().as_str()));
        let bytes = path.as_ref().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let entry = |bytes: &[u8; ENTRY]| {
            let word = |at: usize| bytes[at..at + 4].try_into().map(i32::from_le_bytes).unwrap_or_default();
            let hash = bytes[..8].try_into().map(u64::from_le_bytes).unwrap_or_default();
            (hash, Open { from: word(8), seen: word(12) })
        };
        let open = bytes.as_chunks::<ENTRY>().0.iter().map(entry).collect();
        Self { open, path }
    }

    /// Keeps what is remembered now. Written beside and moved, so that a break leaves the old.
    pub(super) fn keep(self) -> io::Result<()> {
        let Some(path) = self.path else { return Ok(()) };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut bytes = Vec::with_capacity(self.open.len() * ENTRY);
        for (hash, Open { from, seen }) in self.open {
            bytes.extend(hash.to_le_bytes());
            bytes.extend(from.to_le_bytes());
            bytes.extend(seen.to_le_bytes());
        }
        let beside = path.with_extension("new");
        fs::write(&beside, bytes)?;
        fs::rename(beside, path)
    }
}

impl Memory {
    /// Hears of a licence. One that was open with another first day cannot be ended later, so it ends now.
    fn hear(&mut self, licensed: &Licensed, heard: Open) -> Option<Record> {
        let key = hash(&licensed.user_id, &licensed.service);
        let known = self.open.get(&key).copied();
        if known.is_some_and(|known| known.seen > heard.seen) {
            return None;
        }
        if licensed.to.is_some() {
            if known.is_some_and(|known| known.from == heard.from) {
                self.open.remove(&key);
            }
            return None;
        }
        if known.is_some() || self.open.len() < MOST {
            self.open.insert(key, heard);
        }
        let known = known.filter(|known| known.from != heard.from)?;
        let to = if heard.from > known.from { heard.from } else { heard.seen };
        ending(licensed, known.from, to, heard.seen)
    }
}

/// The word that a licence ended.
fn ending(licensed: &Licensed, from: i32, to: i32, seen: i32) -> Option<Record> {
    let day = |days: i32| Day::from_epoch_days(days).map(|day| day.to_string());
    let from = day(from).filter(|_| from < to)?;
    let kind = Some(Kind::Licensed(Licensed { from, to: day(to), ..licensed.clone() }));
    Some(Record { recorded_at: Some(Timestamp { seconds: i64::from(seen) * 86_400, nanos: 0 }), kind })
}

/// A sink that remembers licences and ends those that are gone, in front of another.
pub(super) struct Licences<'m, S> {
    pub(super) memory: &'m mut Memory,
    /// What is read says who has a licence, not since when; what says both is left as it is.
    pub(super) hears: bool,
    pub(super) sink: S,
}

fn hash(user: &str, service: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(user.trim().to_lowercase().as_bytes()).update(b"\0").update(service.as_bytes());
    hasher.finalize().as_bytes().first_chunk().map(|bytes| u64::from_le_bytes(*bytes)).unwrap_or_default()
}

fn days(text: &str) -> Option<i32> {
    text.parse::<Day>().ok().map(Day::epoch_days)
}

impl<S: Sink> Sink for Licences<'_, S> {
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        if self.hears
            && let (Some(Kind::Licensed(licensed)), Some(recorded)) = (&record.kind, &record.recorded_at)
            && let Some(from) = days(&licensed.from)
        {
            let seen = i32::try_from(recorded.seconds / 86_400).unwrap_or_default();
            if let Some(ended) = self.memory.hear(licensed, Open { from, seen }) {
                self.sink.record(row, ended)?;
            }
        }
        self.sink.record(row, record)
    }

    fn stub(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        self.sink.stub(row, record)
    }

    fn unlicensed(&mut self, row: u64, unlicensed: Unlicensed) -> Result<(), Stopped> {
        let Unlicensed { customer_id, user_id, service, day, seen } = unlicensed;
        let key = hash(&user_id, &service);
        let Some(open) = self.memory.open.get(&key).copied() else { return Ok(()) };
        // A file older than the one that told of the licence does not know better.
        if open.seen >= seen.epoch_days() {
            return Ok(());
        }
        let licensed = Licensed { customer_id, user_id, service, ..Licensed::default() };
        match ending(&licensed, open.from, day.epoch_days(), seen.epoch_days()) {
            Some(ended) => {
                self.memory.open.remove(&key);
                self.sink.record(row, ended)
            }
            None => Ok(()),
        }
    }

    fn activity(&mut self, row: u64, activity: Activity) -> Result<(), Stopped> {
        self.sink.activity(row, activity)
    }

    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        self.sink.rejected(rejection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Collected, Format, Options, read};

    const HEADER: &str = "Report Refresh Date,User Principal Name,Has Exchange License,Exchange Last Activity Date,Exchange License Assign Date\n";

    fn import(memory: &mut Memory, row: &str) -> Vec<(String, String, Option<String>)> {
        let mut found = Collected::default();
        let options = Options { customer: Some("C".into()), ..Options::on("2024-12-31".parse().unwrap()) };
        let text = format!("{HEADER}{row}\n");
        let mut sink = Licences { memory, hears: true, sink: &mut found };
        read(Format::GraphUserDetail, &mut text.as_bytes(), &options, &mut sink).unwrap();
        let licence = |record: &Record| match &record.kind {
            Some(Kind::Licensed(it)) => Some((it.service.clone(), it.from.clone(), it.to.clone())),
            _ => None,
        };
        found.records.iter().filter_map(|(_, record)| licence(record)).collect()
    }

    fn exchange(from: &str, to: Option<&str>) -> Vec<(String, String, Option<String>)> {
        vec![("Exchange".into(), from.into(), to.map(str::to_owned))]
    }

    #[test]
    fn a_later_file_without_a_licence_ends_it_on_its_refresh_date() {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = Memory::load(Some(folder.path()), "C");
        assert_eq!(import(&mut memory, "2024-05-31,Ada@X.example,True,,2024-01-10"), exchange("2024-01-10", None));
        memory.keep().unwrap();
        let mut memory = Memory::load(Some(folder.path()), "C");
        assert_eq!(import(&mut memory, "2024-04-30,ada@x.example,False,,"), [], "an older file does not know better");
        let ended = exchange("2024-01-10", Some("2024-06-20"));
        assert_eq!(import(&mut memory, "2024-06-20,ada@x.example,False,,"), ended);
        assert_eq!(import(&mut memory, "2024-07-20,ada@x.example,False,,"), [], "it ends once");
        let mut other = Memory::load(Some(folder.path()), "D");
        assert_eq!(import(&mut other, "2024-06-20,ada@x.example,False,,"), [], "another customer's is another");
        // Where the file still says since when, nothing need be remembered.
        assert_eq!(import(&mut other, "2024-06-20,ada@x.example,False,,2024-01-10"), ended);
    }

    #[test]
    fn records_that_say_since_when_are_left_as_they_are() {
        let line = |user: &str, from: &str| {
            format!(
                "{{\"kind\":\"licensed\",\"customer_id\":\"{user}\",\"user_id\":\"ada\",\"service\":\"Teams\",\"from\":\"{from}\",\"recorded_at\":\"2024-06-01T00:00:00Z\"}}\n"
            )
        };
        let text = [line("C-1", "2024-01-01"), line("C-2", "2024-03-01"), line("C-1", "2024-02-01")].concat();
        let (mut memory, mut found) = (Memory::load(None, "C"), Collected::default());
        let options = Options::on("2024-12-31".parse().unwrap());
        let mut sink = Licences { memory: &mut memory, hears: false, sink: &mut found };
        read(Format::Ndjson, &mut text.as_bytes(), &options, &mut sink).unwrap();
        assert_eq!(found.records.len(), 3);
        assert!(memory.open.is_empty());
    }
}
