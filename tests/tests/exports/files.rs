//! What files hold.

use std::io::Read;

use arrow_array::RecordBatchReader;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use bytes::Bytes;
use insights_access::Role;
use insights_proto::metrics::v1::{Dimension, Measure, Query, Row, Source, value::Kind};
use insights_proto::reporting::v1::{ExportFormat, ExportOrder, ExportReport, PreviewExportRequest, QueryRequest};
use insights_tests::product::{How, Person};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::hostile_names::{FilledProduct, NAMES, done, download, only, order, query, sha256};

/// Measures of every kind.
const MEASURES: [Measure; 5] =
    [Measure::Customers, Measure::Available, Measure::ActiveUsagePercent, Measure::NewSeats, Measure::BilledRevenue];

/// Lines of a file of text, the heading first.
pub fn lines(bytes: &[u8], between: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(between).from_reader(bytes);
    reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// What the query answers, as lines of text: written down here once more, apart from the code that writes files.
async fn answer(person: &mut Person, query: &Query, version: i64) -> Vec<Vec<String>> {
    let request = person.request(QueryRequest { query: Some(query.clone()), min_version: version, max_bytes: 0 });
    let result = person.client.query(request).await.unwrap().into_inner().result.unwrap();
    let money = query.measures().any(|measure| measure == Measure::BilledRevenue) && !result.redacted;
    let mut rows: Vec<_> = result.rows.iter().map(|row| line(query, row, money)).collect();
    rows.sort();
    rows
}

fn line(query: &Query, row: &Row, money: bool) -> Vec<String> {
    let mut cells = vec![row.month.clone()];
    for value in &row.dimensions {
        let text = value.value.clone().unwrap_or_default();
        let formula = ["=", "+", "-", "@", "\t", "\r"].iter().any(|sign| text.starts_with(sign));
        cells.push(if formula { format!("'{text}") } else { text });
    }
    let known = |count: Option<i64>| count.map(|count| count.to_string()).unwrap_or_default();
    for (measure, value) in query.measures().zip(&row.values) {
        match &value.kind {
            Some(Kind::Count(count)) => cells.push(count.to_string()),
            Some(Kind::Amount(amount)) => cells.push(amount.clone()),
            Some(Kind::Percentage(parts)) => {
                cells.push(parts.value.map(|value| value.to_string()).unwrap_or_default());
                cells.extend([known(parts.numerator), known(parts.denominator)]);
            }
            None if measure == Measure::BilledRevenue && !money => {}
            None if measure == Measure::ActiveUsagePercent => {
                cells.extend([String::new(), String::new(), String::new()])
            }
            None => cells.push(String::new()),
        }
    }
    if money {
        cells.push(row.currency.clone());
    }
    cells.push(match row.source() {
        Source::Reported => "reported".into(),
        Source::Mixed => "mixed".into(),
        _ => "computed".into(),
    });
    cells.extend([row.partial, row.lower_bound, row.carried].map(|flag| flag.to_string()));
    cells
}

async fn files_hold_what_the_query_answers(postgres: bool) {
    let filled = FilledProduct::start(postgres, How::default()).await;
    let mut executive = filled.person(&[Role::ExecutiveReportViewer], &[]).await;
    let queries = [
        query(&MEASURES, &[]),
        query(&MEASURES, &[Dimension::Segment, Dimension::Trial]),
        query(&MEASURES, &[Dimension::Customer, Dimension::Sku]),
        query(&MEASURES, &[Dimension::Subscription, Dimension::Standing]),
        only(query(&MEASURES, &[Dimension::Subscription]), Dimension::Location, "L1"),
        only(query(&MEASURES, &[Dimension::Customer]), Dimension::Country, "PT"),
        only(query(&MEASURES, &[Dimension::Customer]), Dimension::Country, "ZZ"),
    ];
    for query in queries {
        let expected = answer(&mut executive, &query, filled.version).await;
        for (format, between) in [(ExportFormat::Csv, b','), (ExportFormat::Tsv, b'\t')] {
            let export = done(&mut executive, order(query.clone(), format), filled.version).await;
            let (bytes, last) = download(&mut executive, &export.id, 0).await.unwrap();
            let mut found = lines(&bytes, between);
            assert!(!found.is_empty() && found[0][0] == "month", "{found:?}");
            found.remove(0);
            assert_eq!(found.len(), usize::try_from(export.rows).unwrap());
            found.sort();
            assert_eq!(found, expected, "{query:?}");
            assert_eq!(sha256(&bytes), export.sha256);
            assert_eq!((export.bytes, &last), (i64::try_from(bytes.len()).unwrap(), &export));
            assert_eq!((export.version, export.complete_through.as_str()), (filled.version, "2025-03-31"));
            let manifest: serde_json::Value = serde_json::from_str(&export.manifest).unwrap();
            assert_eq!(manifest["rows"], export.rows);
            assert_eq!(manifest["sha256"], export.sha256.as_str());
            assert_eq!(manifest["order"]["query"]["fromMonth"], "2025-01");
            assert_eq!(manifest["order"]["query"]["scope"], "SCOPE_ALL_SELLERS", "what nobody said is said");
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.ends_with("\r\n"));
        }
    }
}

/// A cell of a Parquet file as a file of text would have it.
fn cell(batch: &RecordBatch, column: usize, row: usize) -> String {
    let array = batch.column(column);
    if array.is_null(row) {
        return String::new();
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return texts.value(row).to_owned();
    }
    if let Some(counts) = array.as_primitive_opt::<Int64Type>() {
        return counts.value(row).to_string();
    }
    if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
        return numbers.value(row).to_string();
    }
    if let Some(amounts) = array.as_primitive_opt::<Decimal128Type>() {
        let micros = i64::try_from(amounts.value(row)).unwrap();
        return insights_domain::amount::Amount::from_micros(micros).to_string();
    }
    array.as_boolean().value(row).to_string()
}

async fn parquet_holds_the_same_with_types(postgres: bool) {
    let filled = FilledProduct::start(postgres, How::default()).await;
    let mut executive = filled.person(&[Role::ExecutiveReportViewer], &[]).await;
    let query = query(&MEASURES, &[Dimension::Subscription, Dimension::Segment]);
    let text = done(&mut executive, order(query.clone(), ExportFormat::Csv), filled.version).await;
    let (csv, _) = download(&mut executive, &text.id, 0).await.unwrap();
    let export = done(&mut executive, order(query, ExportFormat::Parquet), filled.version).await;
    let (bytes, _) = download(&mut executive, &export.id, 0).await.unwrap();
    assert_eq!(sha256(&bytes), export.sha256);

    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
    let said = builder.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let said = |name: &str| {
        let found = said.iter().find(|pair| pair.key == format!("insights.{name}"));
        found.and_then(|pair| pair.value.clone()).unwrap()
    };
    assert_eq!((said("rows"), said("version")), (export.rows.to_string(), filled.version.to_string()));
    assert_eq!((said("complete_through").as_str(), said("redacted").as_str()), ("2025-03-31", "false"));
    let of = |manifest: &str| serde_json::from_str::<serde_json::Value>(manifest).unwrap()["rows_sha256"].clone();
    assert_eq!(of(&text.manifest), of(&export.manifest), "the rows are the same in every format");
    assert_eq!(said("rows_sha256"), of(&export.manifest).as_str().unwrap());

    let reader = builder.build().unwrap();
    let names: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut found = vec![names];
    for batch in reader {
        let batch = batch.unwrap();
        let columns = 0..batch.num_columns();
        found.extend((0..batch.num_rows()).map(|row| columns.clone().map(|at| cell(&batch, at, row)).collect()));
    }
    // Typed cells need no apostrophe.
    let plain = |text: String| match text.strip_prefix('\'') {
        Some(rest) if NAMES.contains(&rest) => rest.to_owned(),
        _ => text,
    };
    let expected: Vec<Vec<String>> =
        lines(&csv, b',').into_iter().map(|line| line.into_iter().map(plain).collect()).collect();
    assert_eq!(found, expected);
}

async fn reports_hold_the_same_in_every_format(postgres: bool) {
    let filled = FilledProduct::start(postgres, How::default()).await;
    let mut admin = filled.person(&[Role::GlobalAdmin], &[]).await;
    for report in (1..).map_while(|number| ExportReport::try_from(number).ok()) {
        let mut seen = Vec::new();
        for format in [ExportFormat::Csv, ExportFormat::Tsv, ExportFormat::Xlsx, ExportFormat::Parquet] {
            let order = ExportOrder { report: report.into(), ..order(query(&[], &[]), format) };
            let export = done(&mut admin, order, filled.version).await;
            let (bytes, _) = download(&mut admin, &export.id, 0).await.unwrap();
            assert_eq!(sha256(&bytes), export.sha256);
            let manifest: serde_json::Value = serde_json::from_str(&export.manifest).unwrap();
            assert_eq!(manifest["order"]["report"], report.as_str_name());
            let scope = match report {
                ExportReport::OfficeUsage => "SCOPE_ALL_SELLERS",
                _ => "SCOPE_SOLD_OR_MANAGED",
            };
            assert_eq!(manifest["order"]["query"]["scope"], scope);
            assert!(export.file_name.ends_with(&format!(".{}", format.as_str_name()[14..].to_lowercase())));
            if format == ExportFormat::Parquet {
                let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
                assert_eq!(builder.metadata().file_metadata().num_rows(), export.rows);
            }
            seen.push((export.rows, manifest["columns"].clone(), manifest["rows_sha256"].clone()));
        }
        assert!(seen[0].0 > 40, "{report:?}: {} rows", seen[0].0);
        assert!(seen.iter().all(|one| *one == seen[0]), "{report:?}: {seen:?}");
    }
}

async fn workbooks_hold_texts_and_numbers_and_no_formula(postgres: bool) {
    let filled = FilledProduct::start(postgres, How::default()).await;
    let mut executive = filled.person(&[Role::ExecutiveReportViewer], &[]).await;
    let query = query(&[Measure::Available, Measure::BilledRevenue], &[Dimension::Segment]);
    let export = done(&mut executive, order(query.clone(), ExportFormat::Xlsx), filled.version).await;
    let (bytes, _) = download(&mut executive, &export.id, 0).await.unwrap();
    assert_eq!(sha256(&bytes), export.sha256);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut file = |name: &str| {
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let (rows, about) = (file("xl/worksheets/sheet1.xml"), file("xl/worksheets/sheet2.xml"));
    for sheet in [&rows, &about] {
        assert!(!sheet.contains("<f>") && !sheet.contains("<f "), "a formula: {sheet}");
    }
    assert_eq!(rows.matches("<row ").count(), usize::try_from(export.rows).unwrap() + 1);
    assert!(rows.contains("=HYPERLINK(") && !rows.contains("'=HYPERLINK"), "a text as it is: {rows}");
    assert!(about.contains("2025-03-31") && about.contains("rows_sha256"), "{about}");
    let numbers: i64 =
        answer(&mut executive, &query, filled.version).await.iter().map(|line| line[2].parse::<i64>().unwrap()).sum();
    let in_sheet: i64 = rows
        .split("<c r=\"C")
        .skip(2)
        .map(|cell| cell.split("<v>").nth(1).unwrap().split("</v>").next().unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(in_sheet, numbers);
}

async fn nobody_exports_what_they_may_not_see(postgres: bool) {
    let filled = FilledProduct::start(postgres, How::default()).await;
    let query = query(&MEASURES, &[Dimension::Subscription, Dimension::Location]);
    // Without revenue: the column is not there, and the file says that something was left out.
    let mut viewer = filled.person(&[Role::ReportViewer], &[]).await;
    let export = done(&mut viewer, order(query.clone(), ExportFormat::Csv), filled.version).await;
    assert!(export.redacted);
    let (bytes, _) = download(&mut viewer, &export.id, 0).await.unwrap();
    let mut found = lines(&bytes, b',');
    let heading = found.remove(0);
    assert!(heading.iter().all(|name| !name.contains("revenue") && name != "currency"), "{heading:?}");
    found.sort();
    let mut expected = answer(&mut viewer, &query, filled.version).await;
    expected.dedup();
    assert_eq!(found, expected);
    assert!(!String::from_utf8_lossy(&bytes).contains("1234567"));

    // Bound to a location: its rows alone.
    let mut bound = filled.person(&[Role::ExecutiveReportViewer], &["L2"]).await;
    let export = done(&mut bound, order(query.clone(), ExportFormat::Csv), filled.version).await;
    let (bytes, _) = download(&mut bound, &export.id, 0).await.unwrap();
    let mut found = lines(&bytes, b',');
    found.remove(0);
    found.sort();
    assert!(!found.is_empty() && found.iter().all(|line| line[2] == "L2"), "{found:?}");
    assert_eq!(found, answer(&mut bound, &query, filled.version).await);
    assert!(export.manifest.contains("\"L2\""));

    // One refused measure refuses the order.
    let users = crate::hostile_names::query(&[Measure::ActiveUsers], &[]);
    let refused = crate::hostile_names::create(&mut viewer, order(users, ExportFormat::Csv), filled.version).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::PermissionDenied);
}

async fn a_preview_shows_what_the_file_begins_with(postgres: bool) {
    let filled = FilledProduct::start(postgres, How::default()).await;
    let mut viewer = filled.person(&[Role::ReportViewer], &[]).await;
    let order = order(query(&MEASURES, &[Dimension::Customer, Dimension::Segment]), ExportFormat::Csv);
    let request = PreviewExportRequest { order: Some(order.clone()), min_version: filled.version };
    let request = viewer.request(request);
    let preview = viewer.client.preview_export(request).await.unwrap().into_inner();
    let export = done(&mut viewer, order, filled.version).await;
    let (bytes, _) = download(&mut viewer, &export.id, 0).await.unwrap();
    let file = lines(&bytes, b',');
    assert_eq!(preview.columns, file[0]);
    assert_eq!((preview.rows.len(), preview.more, preview.redacted), (15, true, true));
    let rows: Vec<_> = preview.rows.into_iter().map(|row| row.cells).collect();
    assert_eq!(rows, file[1..16]);
}

crate::on_each_engine!(
    files_hold_what_the_query_answers,
    parquet_holds_the_same_with_types,
    reports_hold_the_same_in_every_format,
    workbooks_hold_texts_and_numbers_and_no_formula,
    nobody_exports_what_they_may_not_see,
    a_preview_shows_what_the_file_begins_with,
);
