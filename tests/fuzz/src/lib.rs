//! Feeds a reader of files: it must end, must not panic, and must say of every row it refuses which, where and why.

use clap::ValueEnum as _;
use insights_domain::calendar::Day;
use insights_import::{ActivityDay, Format, ReadOptions, Rejection, Sink, Stopped, read};
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

/// libFuzzer ends at any panic. Those of the Parquet library are caught by our reader and are not what is looked for.
fn spare_parquet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let file = panic.location().map(|location| location.file()).unwrap_or_default();
            if !["/parquet-", "/arrow-"].iter().any(|library| file.contains(library)) {
                eprintln!("{panic}");
                std::process::abort();
            }
        }));
    });
}

/// Reads some bytes as a file of a format, named as on the command line.
pub fn run(format: &str, data: &[u8]) {
    let Ok(format) = Format::from_str(format, false) else { panic!("{format} is no format") };
    spare_parquet();
    let Some(today) = Day::from_ymd(2026, 1, 31) else { return };
    // What becomes of the file as a whole is the file's affair; reading it must end without harm.
    let options = ReadOptions { customer: Some("C-1".into()), ..ReadOptions::on(today) };
    let _ = read(format, &mut &data[..], &options, &mut Judge::default());
}

/// The fuzz target of a format.
#[macro_export]
macro_rules! target {
    ($format:literal) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::run($format, data));
    };
}
