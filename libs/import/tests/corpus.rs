//! Every saved input of the fuzz targets goes through its reader: whatever was found once never comes back.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use clap::ValueEnum as _;
use insights_domain::calendar::Day;
use insights_import::{
    ActivityDay, Collected, Format, ReadError, ReadOptions, Rejection, Sink, Stopped, members, read, recognise,
    with_member,
};
use insights_proto::ingestion::v1::Record;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz")
}

fn name(format: Format) -> String {
    format.to_possible_value().unwrap().get_name().to_owned()
}

/// Collects, and stops where a few bytes stand for more rows than a test should wait for.
#[derive(Default)]
struct Some20k {
    collected: Collected,
    taken: usize,
}

impl Some20k {
    fn count(&mut self) -> Result<(), Stopped> {
        self.taken += 1;
        if self.taken < 20_000 { Ok(()) } else { Err(Stopped) }
    }
}

impl Sink for Some20k {
    fn record(&mut self, row: u64, record: Record) -> Result<(), Stopped> {
        self.collected.record(row, record)?;
        self.count()
    }

    fn activity(&mut self, row: u64, activity: ActivityDay) -> Result<(), Stopped> {
        self.collected.activity(row, activity)?;
        self.count()
    }

    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        self.collected.rejected(rejection)?;
        self.count()
    }
}

/// Reads a file, or what is packed in it.
fn read_all(format: Format, bytes: Vec<u8>, options: &ReadOptions, sink: &mut Some20k) -> Result<(), ReadError> {
    let mut file = Cursor::new(bytes);
    for member in members(&mut file)? {
        let _ = with_member(&mut file, &member, |input| recognise(input, None))?;
        with_member(&mut file, &member, |input| read(format, input, options, sink))??;
    }
    Ok(())
}

#[test]
fn every_saved_input_is_read_to_its_end() {
    let today = Day::from_ymd(2026, 1, 31).unwrap();
    for format in Format::value_variants() {
        let folder = fuzz().join("corpus").join(name(*format));
        let files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}: a format needs a corpus", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        let (mut good, mut refused) = (0, 0);
        for file in &files {
            let bytes = std::fs::read(file).unwrap();
            let mut sink = Some20k::default();
            let options = ReadOptions { customer: Some("C-1".into()), ..ReadOptions::on(today) };
            let read = read_all(*format, bytes, &options, &mut sink);
            let Collected { records, activity, rejections, .. } = sink.collected;
            assert_eq!(records.len() + activity.len() + rejections.len(), sink.taken, "{}", file.display());
            for rejection in &rejections {
                let said = rejection.row > 0 && !rejection.field.is_empty() && !rejection.reason.is_empty();
                assert!(said, "{}: {rejection:?}", file.display());
            }
            good += usize::from(!records.is_empty() || !activity.is_empty());
            refused += usize::from(!rejections.is_empty() || read.is_err());
        }
        println!("{}: {} inputs, {good} with good rows, {refused} with refused ones", name(*format), files.len());
        assert!(good > 0 && refused > 0, "{}: a corpus has inputs of both kinds", name(*format));
    }
}

#[test]
fn every_format_has_a_fuzz_target() {
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for format in Format::value_variants() {
        let name = name(*format);
        let target = std::fs::read_to_string(fuzz().join("fuzz_targets").join(format!("{name}.rs")));
        assert!(target.is_ok_and(|text| text.contains(&format!("\"{name}\""))), "{name} has no fuzz target");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no binary of the fuzz crate");
    }
}
