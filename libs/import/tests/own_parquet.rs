//! Our own records as Parquet: as other programs write it, damaged, and bigger than what is kept in memory.
#![allow(clippy::unwrap_used, dead_code, missing_docs, reason = "a test")]

#[path = "support/own.rs"]
mod own;

use std::{path::Path, sync::Arc};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use insights_import::{Collected, Format, Notes, ReadError, read};
use insights_proto::ingestion::v1::{Record, ReportedSeats, Revenue, Subscription, record::Kind};
use own::{Counted, attribution, faults, kinds, options, try_import};

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/own").join(format!("{name}.parquet"));
    std::fs::read(path).unwrap()
}

fn parquet(name: &str) -> (Collected, Notes) {
    try_import(Format::Parquet, &fixture(name), &options()).unwrap()
}

#[test]
fn parquet_of_pyarrow_says_the_same() {
    let (found, notes) = parquet("subscription");
    assert_eq!(notes.unknown_columns, ["row_of_origin"]);
    assert_eq!(faults(&found.rejections), [(3, "subscription.subscription_id", "is missing")]);
    let common = Subscription { customer_id: "C-1".into(), ..Subscription::default() };
    assert_eq!(
        kinds(&found),
        [
            Kind::Subscription(Subscription {
                subscription_id: "S-1".into(),
                sku_id: "E5".into(),
                seller: Some("own".into()),
                start: Some("2025-01-01".into()),
                end: Some("2025-12-31".into()),
                attributions: vec![attribution(Some("L-1"), Some("CSP")), attribution(None, Some("DPOR"))],
                ..common.clone()
            }),
            Kind::Subscription(Subscription {
                subscription_id: "S-2".into(),
                sku_id: "E3".into(),
                trial: true,
                ..common
            }),
        ]
    );
    let (found, _) = parquet("sku");
    let services: Vec<Vec<String>> = kinds(&found)
        .into_iter()
        .map(|kind| if let Kind::Sku(it) = kind { it.services } else { panic!("{kind:?}") })
        .collect();
    assert_eq!(services, [vec!["Exchange", "Teams"], vec!["Exchange"]]);
}

#[test]
fn parquet_months_amounts_days_and_numbers_come_in_many_types() {
    let (found, _) = parquet("revenue");
    assert_eq!(found.rejections.len(), 0, "what a month may be is judged by the server");
    let amounts: Vec<(String, String, bool)> = found
        .records
        .iter()
        .map(|(_, record)| match record {
            Record { recorded_at, kind: Some(Kind::Revenue(Revenue { month, amount, .. })), .. } => {
                (month.clone(), amount.clone(), recorded_at.is_some())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let row = |month: &str, amount: &str, recorded| (month.to_owned(), amount.to_owned(), recorded);
    assert_eq!(
        amounts,
        [row("2025-01", "1249.50", true), row("2025-02", "-0.01", false), row("2025-02-03", "1.00", false)]
    );
    let (found, _) = parquet("activity");
    assert_eq!(
        faults(&found.rejections).iter().map(|(row, field, _)| (*row, *field)).collect::<Vec<_>>(),
        [(4, "activity.day"), (5, "activity.day")],
        "a moment within a day is no day"
    );
    assert_eq!(found.activity.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2, 3]);
    let (found, _) = parquet("reported_seats");
    assert_eq!(faults(&found.rejections), [(3, "reported_seats.available", "2.5 is not a whole number")]);
    let seats = |kind| if let Kind::ReportedSeats(it) = kind { it } else { panic!("{kind:?}") };
    let rows: Vec<ReportedSeats> = kinds(&found).into_iter().map(seats).collect();
    assert_eq!((rows[0].customer_id.as_deref(), rows[0].available, rows[0].active), (Some("7"), Some(25), Some(15)));
    assert_eq!((rows[1].assigned, rows[1].active, rows[1].attributions.len()), (None, None, 0));
    assert_eq!(rows[0].attributions.len(), 2);
}

#[test]
fn files_that_are_no_parquet_are_refused() {
    let whole = fixture("activity");
    for bytes in [&b"customer_id\nC-1\n"[..], b"", b"PAR1", b"PAR1PAR1", &whole[..whole.len() - 1], &whole[1..]] {
        let error = try_import(Format::Parquet, bytes, &options()).unwrap_err();
        assert!(matches!(error, ReadError::Refused(_)), "{error}");
    }
    // Bytes of a page changed: refused or read, never a panic.
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        let _ = try_import(Format::Parquet, &bytes, &options());
    }
}

#[test]
fn a_parquet_file_too_big_for_the_memory_is_read_in_batches() {
    // More than is kept in memory, so that it goes the way of big files: unlike texts that do not compress.
    let rows = 260_000_usize;
    let text = |at: usize| {
        format!("{:032x}{:032x}", at.wrapping_mul(0x9E37_79B9_7F4A_7C15), at.wrapping_mul(0x1234_5678_9ABC_DEF1))
    };
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(text)));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|at| at % 100)));
    let months: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|_| "2025-01")));
    let batch = RecordBatch::try_from_iter([("customer_id", ids), ("total", numbers), ("month", months)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert!(bytes.len() > 17 << 20, "{}", bytes.len());
    let mut counted = Counted::default();
    read(Format::Parquet, &mut &bytes[..], &options(), &mut counted).unwrap();
    assert_eq!((counted.records, counted.rejected), (rows, 0));
}
