//! What the tests of our own records share.

use insights_domain::calendar::Day;
use insights_import::{ActivityDay, Collected, Format, Notes, ReadError, ReadOptions, Rejection, Sink, Stopped, read};
use insights_proto::ingestion::v1::{Attribution, Record, record::Kind};

pub fn options() -> ReadOptions {
    ReadOptions::on(Day::from_ymd(2026, 1, 31).unwrap())
}

pub fn try_import(format: Format, bytes: &[u8], options: &ReadOptions) -> Result<(Collected, Notes), ReadError> {
    let mut collected = Collected::default();
    let notes = read(format, &mut &bytes[..], options, &mut collected)?;
    Ok((collected, notes))
}

pub fn kinds(collected: &Collected) -> Vec<Kind> {
    collected.records.iter().map(|(_, record)| record.kind.clone().unwrap()).collect()
}

pub fn faults(rejections: &[Rejection]) -> Vec<(u64, &str, &str)> {
    rejections.iter().map(|it| (it.row, it.field.as_str(), it.reason.as_str())).collect()
}

pub fn attribution(location: Option<&str>, kind: Option<&str>) -> Attribution {
    Attribution { location_id: location.map(Into::into), r#type: kind.map(Into::into) }
}

/// Counts and forgets.
#[derive(Default)]
pub struct Counted {
    pub records: usize,
    pub rejected: usize,
}

impl Sink for Counted {
    fn record(&mut self, _: u64, _: Record) -> Result<(), Stopped> {
        self.records += 1;
        Ok(())
    }

    fn activity(&mut self, _: u64, _: ActivityDay) -> Result<(), Stopped> {
        self.records += 1;
        Ok(())
    }

    fn rejected(&mut self, _: Rejection) -> Result<(), Stopped> {
        self.rejected += 1;
        Ok(())
    }
}
