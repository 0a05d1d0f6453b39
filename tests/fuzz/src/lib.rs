//! Feeds a reader of files: it must end, must not panic, and must say of every row it refuses which, where and why.

use std::io::Cursor;

use clap::ValueEnum as _;
use insights_domain::calendar::Day;
use insights_import::{
    ActivityDay, Format, ReadOptions, Rejection, Sink, Stopped, members, read, recognise, with_member,
};
use insights_proto::ingestion::v1::Record;

/// Rows after which a reader is stopped: a few bytes may stand for millions of rows.
const ENOUGH: usize = 20_000;

#[derive(Default)]
struct Judge {
    taken: usize,
}

impl Judge {
    fn take(&mut self, row: u64) -> Result<(), Stopped> {
        assert!(row > 0, "rows are counted from 1");
        self.taken += 1;
        if self.taken < ENOUGH { Ok(()) } else { Err(Stopped) }
    }
}

impl Sink for Judge {
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        assert!(record.kind.is_some(), "a record says something");
        self.take(row)
    }

    fn activity(&mut self, row: u64, _: ActivityDay) -> Result<(), Stopped> {
        self.take(row)
    }

    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        assert!(!rejection.field.is_empty() && !rejection.reason.is_empty(), "a refusal says where and why");
        self.take(rejection.row)
    }
}

/// libFuzzer ends at any panic. Those of the libraries for Parquet and workbooks are caught by our readers and are not what is
/// looked for.
fn spare_libraries() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let file = panic.location().map(|location| location.file()).unwrap_or_default();
            if !["/parquet-", "/arrow-", "/calamine-"].iter().any(|library| file.contains(library)) {
                eprintln!("{panic}");
                std::process::abort();
            }
        }));
    });
}

/// Reads some bytes as a file of a format, named as on the command line.
pub fn run(format: &str, data: &[u8]) {
    let Ok(format) = Format::from_str(format, false) else { panic!("{format} is no format") };
    spare_libraries();
    let Some(today) = Day::from_ymd(2026, 1, 31) else { return };
    // What becomes of the file as a whole is the file's affair; reading it must end without harm.
    let options = ReadOptions { customer: Some("C-1".into()), ..ReadOptions::on(today) };
    let mut file = Cursor::new(data);
    for member in members(&mut file).unwrap_or_default() {
        let looked = with_member(&mut file, &member, |input| recognise(input, None));
        assert!(!looked.is_ok_and(|looked| looked.is_err_and(|none| none.reason.is_empty())), "a refusal says why");
        let _ = with_member(&mut file, &member, |input| read(format, input, &options, &mut Judge::default()));
    }
}

/// The fuzz target of a format.
#[macro_export]
macro_rules! target {
    ($format:literal) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::run($format, data));
    };
}
