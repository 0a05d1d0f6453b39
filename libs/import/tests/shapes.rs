//! Whatever a file is packed in, encoded as or saved by, it says the same; and what is no report is named for what it is.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::{
    fs,
    io::{Cursor, Write as _},
    path::Path,
};

use insights_domain::calendar::Day;
use insights_import::{Collected, Format, Notes, ReadError, ReadOptions, members, read, recognise, with_member};
use insights_proto::ingestion::v1::record::Kind;
use serde_json::{Map, Value, json};

const SUBSCRIPTIONS: &str = "SubscriptionId,Month,CustomerTenantId,CustomerName,SKU,SubscriptionState,AvailableSeatsEOP,BilledRevenueUSD\n\
    S-1,2026-03-01,C-1,Müller & Söhne,Suite,Active,40,12.5\n\
    S-2,2026-03-01,C-2,Zürich AG,Suite,Active,2,\n";

fn options() -> ReadOptions {
    let today = Day::from_ymd(2026, 6, 20).unwrap();
    ReadOptions { customer: Some("C-9".into()), month: None, ..ReadOptions::on(today) }
}

/// Reads a file as the command does: each of its members that is of the format.
fn import(format: Format, bytes: &[u8]) -> Result<(Collected, Vec<Notes>), String> {
    let mut file = Cursor::new(bytes);
    let (mut collected, mut notes) = (Collected::default(), Vec::new());
    for member in members(&mut file).map_err(|error| error.to_string())? {
        let found = with_member(&mut file, &member, |input| read(format, input, &options(), &mut collected));
        notes.push(found.and_then(|found: Result<Notes, ReadError>| found).map_err(|error| error.to_string())?);
    }
    Ok((collected, notes))
}

fn recognised(bytes: &[u8]) -> Vec<Result<Format, String>> {
    let mut file = Cursor::new(bytes);
    let found = match members(&mut file) {
        Ok(found) => found,
        Err(error) => return vec![Err(error.to_string())],
    };
    let look = |member| with_member(&mut file, &member, |input| recognise(input, None));
    let looked: Vec<_> = found.into_iter().map(look).collect();
    looked
        .into_iter()
        .map(|found| found.map_err(|error| error.to_string())?.map(|it| it.format).map_err(|it| it.reason))
        .collect()
}

/// What was found, where it does not matter on which line, and a line break is a blank.
fn said(found: &Collected) -> Vec<String> {
    let plain = |text: String| text.replace("\\r", " ").replace("\\n", " ");
    let records = found.records.iter().map(|(_, record)| plain(format!("{record:?}")));
    let mut said: Vec<String> = records.chain(found.activity.iter().map(|(_, it)| plain(format!("{it:?}")))).collect();
    said.sort_unstable();
    said
}

fn says(format: Format, bytes: &[u8]) -> Vec<String> {
    said(&import(format, bytes).unwrap().0)
}

fn utf_16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let text = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
    let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

/// As if read as windows-1252 and saved as UTF-8 again; the letters of the tests are the same in Latin-1.
fn garbled(text: &str) -> String {
    "\u{feff}".bytes().chain(text.bytes()).map(char::from).collect()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A table as a sheet; months and numbers as the cells they would be.
fn workbook(sheets: &[(&str, &str)]) -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let date = rust_xlsxwriter::Format::new().set_num_format("dd/mm/yyyy");
    for (name, text) in sheets {
        let sheet = workbook.add_worksheet().set_name(*name).unwrap();
        for (row, line) in text.lines().enumerate() {
            for (column, cell) in line.split(',').enumerate() {
                let (row, column) = (u32::try_from(row).unwrap(), u16::try_from(column).unwrap());
                if let Ok(number) = cell.parse::<f64>() {
                    sheet.write_number(row, column, number).unwrap();
                } else if let Ok(day) = rust_xlsxwriter::ExcelDateTime::parse_from_str(cell) {
                    sheet.write_datetime_with_format(row, column, &day, &date).unwrap();
                } else if !cell.is_empty() {
                    sheet.write_string(row, column, cell).unwrap();
                }
            }
        }
    }
    workbook.save_to_buffer().unwrap()
}

/// A table as PowerShell makes it JSON.
fn as_json(text: &str) -> String {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let object = |line: &str| {
        let cells = std::iter::zip(&names, line.split(','));
        Value::Object(cells.map(|(name, cell)| ((*name).to_owned(), cell.into())).collect())
    };
    Value::Array(lines.map(object).collect()).to_string()
}

#[test]
fn a_report_says_the_same_however_it_was_saved() {
    let plain = says(Format::InsightsSubscriptions, SUBSCRIPTIONS.as_bytes());
    let seats = plain.iter().filter(|record| record.contains("ReportedSeats")).count();
    assert_eq!(
        (seats, plain.len()),
        (2, 2 + 2 + 2 + 1 + 1 + 1),
        "seats, subscriptions, customers, SKU, revenue, the month"
    );
    let semicolons = SUBSCRIPTIONS.replace(',', ";");
    let tabs = SUBSCRIPTIONS.replace(',', "\t");
    let (header, rows) = SUBSCRIPTIONS.split_once('\n').unwrap();
    let quoted = |line: &str, blank: &str| {
        format!("\"{blank}{}{blank}\"\r\n", line.replace(',', &format!("{blank}\",\"{blank}")))
    };
    let quoted = quoted(header, " ") + &rows.lines().map(|line| quoted(line, "")).collect::<String>();
    let wrapped: String = SUBSCRIPTIONS.lines().map(|line| format!("\"{line}\"\r\n")).collect();
    let shapes: Vec<(&str, Vec<u8>)> = vec![
        ("carriage returns", SUBSCRIPTIONS.replace('\n', "\r").into()),
        ("doubled carriage returns", SUBSCRIPTIONS.replace('\n', "\r\r\n").into()),
        ("a mark", format!("\u{feff}{SUBSCRIPTIONS}").into()),
        ("a garbled mark", garbled(SUBSCRIPTIONS).into()),
        ("UTF-16", utf_16(&tabs, false, true)),
        ("UTF-16, big end first", utf_16(SUBSCRIPTIONS, true, true)),
        ("UTF-16 without a mark", utf_16(&semicolons, false, false)),
        ("UTF-16, big end first, without a mark", utf_16(SUBSCRIPTIONS, true, false)),
        ("UTF-16 with carriage returns", utf_16(&SUBSCRIPTIONS.replace('\n', "\r"), false, true)),
        ("a hint", format!("sep=;\r\n{semicolons}").into()),
        ("a mark and a hint", format!("\u{feff}sep=;\r\n{semicolons}").into()),
        ("a hint in UTF-16", utf_16(&format!("sep=;\r\n{semicolons}"), false, true)),
        ("a type", format!("#TYPE System.Management.Automation.PSCustomObject\r\n{SUBSCRIPTIONS}").into()),
        ("blank lines", format!("\r\n  \r\n,,,,,,,\r\n{SUBSCRIPTIONS}\r\n,,,,,,,\r\n").into()),
        ("a title", format!("Seats and subscriptions\r\n\r\n{SUBSCRIPTIONS}").into()),
        ("pairs above", format!("Report,Seats\r\nMade on,1 May 2026\r\n\r\n{SUBSCRIPTIONS}").into()),
        ("rows that end otherwise than the header", format!("{header}\r\n{}", rows.replace('\n', "\r")).into()),
        ("two marks", format!("\u{feff}\u{feff}{SUBSCRIPTIONS}").into()),
        ("blanks before quotes", SUBSCRIPTIONS.replace("Zürich AG", " \"Zürich AG\"").into()),
        ("letters in parts", SUBSCRIPTIONS.replace('ü', "u\u{308}").into()),
        ("signs of no width", SUBSCRIPTIONS.replace("Suite", "Suite\u{200b}").into()),
        ("totals", format!("{SUBSCRIPTIONS}Total,,,,,,42,12.5\n").into()),
        ("short totals", format!("{SUBSCRIPTIONS}Grand total,42\n").into()),
        ("quotes, and blanks in the header", quoted.into()),
        ("lines as cells", wrapped.into()),
        ("semicolons", semicolons.clone().into()),
        ("bars", SUBSCRIPTIONS.replace(',', "|").into()),
        ("gzip", gzipped(SUBSCRIPTIONS.as_bytes())),
        ("gzip of UTF-16", gzipped(&utf_16(&tabs, false, true))),
        ("gzip twice", gzipped(&gzipped(SUBSCRIPTIONS.as_bytes()))),
        ("a zip", zipped(&[("report.csv", SUBSCRIPTIONS.as_bytes())])),
        ("a zip of a gzip", zipped(&[("reports/report.csv.gz", &gzipped(SUBSCRIPTIONS.as_bytes()))])),
        ("a workbook", workbook(&[("Export", SUBSCRIPTIONS)])),
        ("a workbook with a title", workbook(&[("Export", &format!("Seats\n\n{SUBSCRIPTIONS}Total,,,,,,42,12.5"))])),
        ("a zip of a workbook", zipped(&[("report.xlsx", &workbook(&[("Export", SUBSCRIPTIONS)]))])),
        ("a gzip of a workbook", gzipped(&workbook(&[("Export", SUBSCRIPTIONS)]))),
        ("JSON", as_json(SUBSCRIPTIONS).into()),
        ("JSON in UTF-16", utf_16(&as_json(SUBSCRIPTIONS), false, true)),
    ];
    for (shape, bytes) in shapes {
        assert_eq!(recognised(&bytes), [Ok(Format::InsightsSubscriptions)], "{shape}");
        let (found, notes) =
            import(Format::InsightsSubscriptions, &bytes).unwrap_or_else(|error| panic!("{shape}: {error}"));
        assert_eq!(found.rejections, [], "{shape}");
        assert_eq!(said(&found), plain, "{shape}");
        let totals = notes[0].remarks.iter().any(|remark| remark.contains("totals"));
        assert_eq!(totals, shape.contains("total") || shape.contains("with a title"), "{shape}");
    }
}

#[test]
fn sheets_of_a_workbook_are_files_of_their_own() {
    let users = "Report Refresh Date,User Principal Name,Has Teams License\n2026-03-30,ana@x.example,True\n";
    let bytes = workbook(&[("Seats", SUBSCRIPTIONS), ("Notes", "Remember the milk"), ("Users", users)]);
    let unknown = Err("its columns are those of no known format".to_owned());
    let expected = [Ok(Format::InsightsSubscriptions), unknown, Ok(Format::GraphUserDetail)];
    assert_eq!(recognised(&bytes), expected);
    let names: Vec<_> = members(&mut Cursor::new(bytes)).unwrap().iter().map(|it| it.name()).collect();
    assert_eq!(names, ["sheet Seats", "sheet Notes", "sheet Users"].map(|name| Some(name.to_owned())));
    // A row that is rejected has the number that the sheet shows.
    let bad =
        workbook(&[("Seats", &format!("\n\n{}\n\nS-3,2026-03-01,,Nobody,Suite,Active,1,", SUBSCRIPTIONS.trim_end()))]);
    let (found, _) = import(Format::InsightsSubscriptions, &bad).unwrap();
    assert_eq!((found.rejections[0].row, found.rejections[0].field.as_str()), (7, "CustomerTenantId"));
}

/// Names of members as PowerShell writes them.
fn pascal(value: Value) -> Value {
    match value {
        Value::Array(elements) => elements.into_iter().map(pascal).collect(),
        Value::Object(members) => {
            let upper = |name: &str| name[..1].to_uppercase() + &name[1..];
            let rename = |(name, value): (String, Value)| {
                if name.starts_with('@') { (name, value) } else { (upper(&name), pascal(value)) }
            };
            Value::Object(members.into_iter().map(rename).collect::<Map<_, _>>())
        }
        other => other,
    }
}

#[test]
fn lists_say_the_same_however_powershell_wrote_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for (name, format, list) in [
        ("pc-customers.json", Format::PcCustomers, "items"),
        ("pc-subscriptions.json", Format::PcSubscriptions, "items"),
        ("pc-subscribed-skus.json", Format::PcSubscribedSkus, "items"),
        ("graph-subscribed-skus.json", Format::GraphSubscribedSkus, "value"),
        ("graph-subscriptions.json", Format::GraphSubscriptions, "value"),
    ] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let mut pages = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter::<Value>();
        let page = pages.next().unwrap().unwrap();
        let elements = page[list].as_array().unwrap().clone();
        let plain = says(format, Value::Array(elements.clone()).to_string().as_bytes());
        assert!(plain.len() >= 3, "{name}: {plain:?}");
        let lines: String = elements.iter().map(|element| format!("{element}\r\n")).collect();
        let nested = json!({"Items": {"value": elements, "Count": elements.len()}});
        for (shape, text) in [
            ("a list in Pascal case", pascal(Value::Array(elements.clone())).to_string()),
            ("a wrapper", json!({"value": elements, "Count": elements.len()}).to_string()),
            ("a wrapper in a page", nested.to_string()),
            ("pages in a list", json!([{"value": elements}]).to_string()),
            ("lines", lines),
            (
                "pages with a mark each",
                elements.iter().map(|it| format!("\u{feff}{}\n", json!({"value": [it]}))).collect(),
            ),
        ] {
            for bytes in [
                text.clone().into_bytes(),
                utf_16(&text, false, true),
                utf_16(&text, false, false),
                gzipped(text.as_bytes()),
            ] {
                assert_eq!(recognised(&bytes), [Ok(format)], "{name}: {shape}");
                assert_eq!(says(format, &bytes), plain, "{name}: {shape}");
            }
        }
        let alone = says(format, elements[0].to_string().as_bytes());
        assert_eq!(alone, says(format, json!([elements[0]]).to_string().as_bytes()), "{name}: a list of one");
        assert_eq!(recognised(elements[0].to_string().as_bytes()), [Ok(format)], "{name}: a list of one");
    }
}

#[test]
fn words_that_are_numbers_in_powershell_are_words() {
    let of = |status: Value| {
        let text = json!([{"Id": "S-1", "OfferId": "O", "Quantity": 10, "Status": status}]).to_string();
        let (found, _) = import(Format::PcSubscriptions, text.as_bytes()).unwrap();
        let state = found.records.iter().find_map(|(_, record)| match &record.kind {
            Some(Kind::SubscriptionState(state)) => Some(state.status.clone()),
            _ => None,
        });
        (state, found.rejections.len())
    };
    for (number, word) in
        [(1, "active"), (2, "suspended"), (3, "deleted"), (4, "expired"), (5, "pending"), (6, "disabled")]
    {
        assert_eq!(of(number.into()), (Some(word.to_owned()), 0));
    }
    assert_eq!(of(99.into()), (None, 1));
}

#[test]
fn users_say_the_same_as_json_and_as_a_table() {
    let table = "Report Refresh Date,User Principal Name,Is Deleted,Deleted Date,Has Exchange License,Has Viva Goals License,Exchange Last Activity Date,Viva Goals Last Activity Date,Exchange License Assign Date\n\
        2026-03-30,ana@x.example,False,,True,False,2026-03-20,,2025-01-10\n\
        2026-03-30,bob@x.example,False,,False,True,,2026-03-01,\n";
    let user = |name: &str, exchange: bool, used: Value, goals: bool, used_goals: Value, since: Value| {
        json!({"reportRefreshDate": "2026-03-30", "userPrincipalName": name, "displayName": "A", "isDeleted": false, "deletedDate": null,
            "hasExchangeLicense": exchange, "hasVivaGoalsLicense": goals, "exchangeLastActivityDate": used,
            "vivaGoalsLastActivityDate": used_goals, "exchangeLicenseAssignDate": since, "assignedProducts": ["A", "B"]})
    };
    let ana = user("ana@x.example", true, "2026-03-20".into(), false, Value::Null, "2025-01-10".into());
    let bob = user("bob@x.example", false, Value::Null, true, "2026-03-01".into(), Value::Null);
    let plain = says(Format::GraphUserDetail, table.as_bytes());
    let pages = format!(
        "{}{}",
        json!({"@odata.context": "x", "value": [ana], "@odata.nextLink": "y"}),
        json!({"value": [bob]})
    );
    for text in [
        json!({"value": [ana, bob]}).to_string(),
        pascal(json!([ana, bob])).to_string(),
        pages,
        format!("{ana}\n{bob}\n"),
    ] {
        assert_eq!(recognised(text.as_bytes()), [Ok(Format::GraphUserDetail)]);
        assert_eq!(says(Format::GraphUserDetail, text.as_bytes()), plain);
    }
    let cut = json!({"value": [ana, bob], "@odata.nextLink": "y"}).to_string();
    let (found, notes) = import(Format::GraphUserDetail, cut.as_bytes()).unwrap();
    let is_list = |kind: &Option<Kind>| matches!(kind, Some(Kind::LicenceList(_)));
    assert!(!found.records.iter().any(|(_, record)| is_list(&record.kind)), "a page is no whole list");
    assert!(notes[0].remarks.iter().any(|remark| remark.contains("download all pages")), "{notes:?}");
    let bad = json!({"value": [ana, {"reportRefreshDate": "2026-03-30", "userPrincipalName": null, "hasExchangeLicense": true}]});
    let (found, _) = import(Format::GraphUserDetail, bad.to_string().as_bytes()).unwrap();
    assert_eq!((found.rejections[0].row, found.rejections.len()), (2, 1), "the number of the element");
}

#[test]
fn records_of_our_own_may_be_a_list() {
    let lines =
        "{\"kind\":\"customer\",\"customer_id\":\"C\"}\n{\"kind\":\"customer\",\"customer_id\":\"D\",\"colour\":1}\n";
    let elements: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let pretty = elements.iter().map(|it| serde_json::to_string_pretty(it).unwrap()).collect::<Vec<_>>().join("\n");
    for text in [lines.to_owned(), lines.replace('\n', "\r"), Value::Array(elements).to_string(), pretty] {
        assert_eq!(recognised(text.as_bytes()), [Ok(Format::Ndjson)], "{text}");
        let (found, _) = import(Format::Ndjson, text.as_bytes()).unwrap();
        assert_eq!((found.records.len(), found.rejections.len(), found.rejections[0].row), (1, 1, 2), "{text}");
    }
    // The first line may be broken, and costs itself.
    let broken = format!("{{\"kind\":\"customer\",oops\n{lines}");
    assert_eq!(recognised(broken.as_bytes()), [Ok(Format::Ndjson)]);
    assert_eq!(import(Format::Ndjson, broken.as_bytes()).unwrap().0.rejections.len(), 2);
}

#[test]
fn what_is_no_report_is_named_and_both_doors_agree() {
    let latin: Vec<u8> = SUBSCRIPTIONS.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let packed = gzipped(&SUBSCRIPTIONS.repeat(1_000).into_bytes());
    let cases: Vec<(Vec<u8>, &[&str])> = vec![
        (
            b"<!DOCTYPE html>\r\n<html><head><title>429 Too Many Requests</title></head></html>".into(),
            &["a web page", "wait"],
        ),
        (b"\xef\xbb\xbf\n<html><body>Sign in to your account</body></html>".into(), &["a web page", "sign in"]),
        (
            b"{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"slow down\"}}".into(),
            &["request that failed", "slow down", "wait"],
        ),
        (
            b"{\"code\":2000,\"description\":\"Access denied.\",\"data\":[],\"source\":\"PartnerFabricApi\"}".into(),
            &["Access denied", "role"],
        ),
        (
            b"<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code></Error>".into(),
            &["AuthenticationFailed", "expired"],
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\nSubscriptionId,Month\r\n".into(),
            &["headers", "curl without -i"],
        ),
        (b"Rate limit is exceeded. Try again in 30 seconds.".into(), &["request that failed", "wait"]),
        (latin, &["windows-1252", "CSV UTF-8"]),
        (packed[..packed.len() / 2].to_vec(), &["not downloaded whole"]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".into(), &["Excel before 2007", "password"]),
        (b"%PDF-1.7".into(), &["PDF"]),
        (b"\xff\xfe\0\0S\0\0\0".into(), &["UTF-32"]),
        (SUBSCRIPTIONS.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect(), &["UTF-32"]),
        (
            b"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"/>".into(),
            &["workbook", ".xlsx"],
        ),
    ];
    for (bytes, words) in cases {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        let looked = recognised(&bytes).remove(0).unwrap_err();
        assert!(words.iter().all(|word| looked.contains(word)), "{start}: {looked}");
        for format in [
            Format::InsightsSubscriptions,
            Format::PcSubscriptions,
            Format::GraphUserDetail,
            Format::Csv,
            Format::Ndjson,
        ] {
            let said = import(format, &bytes).unwrap_err();
            assert!(words.iter().all(|word| said.contains(word)), "{start} as {format:?}: {said}");
        }
    }
    let bomb = gzipped(&[SUBSCRIPTIONS.as_bytes(), &vec![b'a'; 80 << 20]].concat());
    assert!(import(Format::InsightsSubscriptions, &bomb).unwrap_err().contains("250 times"));
    let other = import(Format::PcSubscriptions, SUBSCRIPTIONS.as_bytes()).unwrap_err();
    assert!(other.contains("is a table") && other.contains("insights-subscriptions"), "{other}");
    let lacking = SUBSCRIPTIONS.replace("CustomerTenantId", "Customer");
    assert!(recognised(lacking.as_bytes())[0].clone().unwrap_err().contains("insights-subscriptions, but it lacks"));
}

#[test]
fn a_file_of_nothing_says_so() {
    let header = SUBSCRIPTIONS.lines().next().unwrap();
    for (format, text) in [
        (Format::InsightsSubscriptions, header.to_owned()),
        (Format::PcSubscriptions, "{\"totalCount\": 0, \"items\": []}".into()),
        (
            Format::GraphSubscribedSkus,
            "{\"@odata.context\": \"https://x/$metadata#subscribedSkus\", \"value\": []}".into(),
        ),
        (Format::GraphUserDetail, "{\"value\": []}".into()),
        (Format::Csv, "customer_id,name,country\r\n".into()),
        (Format::Ndjson, "\n# nothing\n".into()),
        (Format::PcSubscriptions, "null".into()),
    ] {
        let (found, notes) = import(format, text.as_bytes()).unwrap();
        assert_eq!(found.rejections, [], "{text}");
        assert!(notes[0].remarks.iter().any(|remark| remark.contains("no rows")), "{text}: {notes:?}");
    }
    for empty in ["", "\r\n \r\n", "\u{feff}"] {
        assert!(recognised(empty.as_bytes())[0].clone().unwrap_err().contains("empty"));
        assert!(import(Format::InsightsSubscriptions, empty.as_bytes()).unwrap_err().contains("empty"));
    }
    assert!(recognised(&[0; 5_000])[0].is_err() && import(Format::InsightsSubscriptions, &[0; 5_000]).is_err());
}

#[test]
fn a_file_whose_every_row_is_rejected_completes_nothing() {
    let bad = |format, text: &str| {
        let (found, notes) = import(format, text.as_bytes()).unwrap();
        assert!(!found.rejections.is_empty(), "{text}");
        assert_eq!(said(&found), [] as [&str; 0], "{text}");
        assert!(notes[0].remarks.iter().any(|remark| remark.contains("all its rows were rejected")), "{notes:?}");
    };
    let header = SUBSCRIPTIONS.lines().next().unwrap();
    bad(Format::InsightsSubscriptions, &format!("{header}\nS-1,2026-03-01,,x,Suite,Active,1,\n"));
    bad(Format::PcSubscribedSkus, "[{\"availableUnits\": 1}]");
    bad(Format::GraphSubscriptions, "{\"value\": [{\"totalLicenses\": 1}]}");
    bad(Format::PcSubscriptions, "{\"items\": [{\"quantity\": 1}]}");
    bad(Format::GraphUserDetail, "Report Refresh Date,User Principal Name,Has Teams License\n2026-03-30,,True\n");
    bad(Format::Csv, "customer_id,service,month,paid_available_units,monthly_active_users\nC,Teams,2026-03,many,few\n");
    bad(Format::Ndjson, "{\"kind\":\"customer\"}\n{\"kind\":\"complete_through\",\"day\":\"2026-03-31\"}\n");
}

#[test]
fn a_formula_counts_as_it_was_computed_or_costs_its_row() {
    let seats = |result: Option<&str>| {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        for (row, line) in (0..).zip(SUBSCRIPTIONS.lines()) {
            for (column, cell) in (0..).zip(line.split(',')).filter(|(_, cell)| !cell.is_empty()) {
                sheet.write_string(row, column, cell).unwrap();
            }
        }
        let formula = rust_xlsxwriter::Formula::new("=20+20").set_result(result.unwrap_or("UNSAVED"));
        sheet.write_formula(1, 6, formula).unwrap();
        let bytes = workbook.save_to_buffer().unwrap();
        let bytes = if result.is_some() { bytes } else { without_result(&bytes) };
        import(Format::InsightsSubscriptions, &bytes).unwrap().0
    };
    assert_eq!(seats(Some("40")).rejections, []);
    let [rejection] = &seats(None).rejections[..] else { panic!("one row is rejected") };
    assert_eq!((rejection.row, rejection.field.as_str()), (2, "AvailableSeatsEOP"));
    assert!(rejection.reason.contains("a formula without a result"), "{rejection:?}");
}

/// The workbook as a program writes it that does not compute.
fn without_result(workbook: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).unwrap();
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut part, &mut text).unwrap();
        let plain = String::from_utf8_lossy(&text).replace(" t=\"str\"", "").replace("<v>UNSAVED</v>", "<v></v>");
        parts.push((part.name().unwrap().into_owned(), plain.into_bytes()));
    }
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    zipped(&parts)
}

/// A file of every format that is a table, a header and rows.
fn tables() -> Vec<(Format, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let fixture = |name: &str| fs::read_to_string(folder.join(name)).unwrap().trim_start_matches('\u{feff}').to_owned();
    let own = "subscription_id,effective,status,seats\nS-1,2026-03-01,Active,5\n";
    vec![
        (Format::InsightsSubscriptions, SUBSCRIPTIONS.to_owned()),
        (Format::InsightsCustomers, fixture("insights-customers.csv")),
        (Format::InsightsDynamicsUsage, fixture("insights-dynamics-usage.tsv")),
        (Format::InsightsOfficeUsage, fixture("insights-office-usage.tsv")),
        (Format::GraphUserDetail, fixture("graph-user-detail.csv")),
        (Format::ProductNames, fixture("product-names.csv")),
        (Format::Csv, own.to_owned()),
    ]
}

#[test]
fn tables_put_one_after_the_other_are_one() {
    for (format, table) in tables() {
        let (once, _) = import(format, table.as_bytes()).unwrap();
        let (header, rows) = table.split_once('\n').unwrap();
        for joined in
            [format!("{header}\n{header}\n{rows}"), format!("{header}\n\u{feff}{}\n{rows}", header.to_uppercase())]
        {
            let (found, notes) = import(format, joined.as_bytes()).unwrap();
            let rows = |found: &Collected| found.rejections.iter().map(|it| it.field.clone()).collect::<Vec<_>>();
            assert_eq!((said(&found), rows(&found)), (said(&once), rows(&once)), "{format:?}");
            assert!(notes[0].remarks.iter().any(|remark| remark.contains("there again")), "{format:?}: {notes:?}");
        }
    }
    let users = |day: &str, names: &[&str]| {
        let row = |name: &&str| format!("{day},{name},True,2026-01-10,30\n");
        let rows: String = names.iter().map(row).collect();
        format!(
            "Report Refresh Date,User Principal Name,Has Teams License,Teams License Assign Date,Report Period\n{rows}"
        )
    };
    let joined = users("2026-03-30", &["ana@x.example", "bo@x.example"]) + &users("2026-04-30", &["ana@x.example"]);
    let (found, _) = import(Format::GraphUserDetail, joined.as_bytes()).unwrap();
    let lists = found.records.iter().filter(|(_, record)| matches!(record.kind, Some(Kind::LicenceList(_))));
    assert_eq!(lists.count(), 2, "both are whole: who is not in the second has no licence any more");
}

#[test]
fn a_column_that_is_there_twice_is_refused() {
    for (format, column) in [
        (Format::InsightsSubscriptions, "AvailableSeatsEOP"),
        (Format::InsightsCustomers, "BilledRevenueUSD"),
        (Format::InsightsDynamicsUsage, "ActiveSeats"),
        (Format::InsightsOfficeUsage, "MonthlyActiveUsers"),
        (Format::GraphUserDetail, "Has Teams License"),
        (Format::ProductNames, "GUID"),
        (Format::Csv, "seats"),
    ] {
        let (_, table) = tables().into_iter().find(|(of, _)| *of == format).unwrap();
        let (header, rows) = table.split_once('\n').map(|(header, rows)| (header.trim_end(), rows)).unwrap();
        let by = if header.contains('\t') { '\t' } else { ',' };
        let twice: String = rows.lines().map(|row| format!("{row}{by}7\n")).collect();
        let twice = format!("{header}{by}{}\n{twice}", column.to_uppercase());
        let refused = import(format, twice.as_bytes()).unwrap_err();
        assert!(
            refused.contains("twice") && refused.to_uppercase().contains(&column.to_uppercase()),
            "{format:?}: {refused}"
        );
    }
    let unused =
        SUBSCRIPTIONS.replacen("CustomerName", "Note", 1).replacen("SKU", "SKU,Note", 1).replace(",Suite", ",Suite,x");
    assert_eq!(
        says(Format::InsightsSubscriptions, unused.as_bytes()).len(),
        9,
        "a column that nobody uses does no harm"
    );
}

#[test]
fn a_file_of_another_format_than_the_one_that_is_named_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let list = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let lists = [
        (Format::PcCustomers, list("pc-customers.json")),
        (Format::PcSubscriptions, list("pc-subscriptions.json")),
        (Format::PcSubscribedSkus, list("pc-subscribed-skus.json")),
        (Format::GraphSubscribedSkus, list("graph-subscribed-skus.json")),
        (Format::GraphSubscriptions, list("graph-subscriptions.json")),
    ];
    let reports: Vec<_> = tables().into_iter().filter(|(format, _)| format.is_report()).collect();
    for files in [&lists[..], &reports[..]] {
        for (format, text) in files {
            for (named, _) in files.iter().filter(|(named, _)| named != format) {
                let refused = import(*named, text.as_bytes()).unwrap_err();
                // Or the named one lacks a column, and the reason says so first.
                let says = format!("by its content the file is {}", format.name());
                assert!(refused.contains(&says), "{} as {}: {refused}", format.name(), named.name());
            }
        }
    }
}

#[test]
fn what_the_module_of_partner_center_makes_of_its_objects_is_read() {
    let alike = |format, flat: Value, own: Value| {
        assert_eq!(recognised(flat.to_string().as_bytes()), [Ok(format)]);
        assert_eq!(says(format, flat.to_string().as_bytes()), says(format, own.to_string().as_bytes()));
    };
    alike(
        Format::PcSubscribedSkus,
        json!([{"ActiveUnits": 10, "AvailableUnits": 4, "ConsumedUnits": 6, "WarningUnits": 2, "CapabilityStatus": "Enabled",
            "ProductName": "Suite", "SkuId": "K-1", "SkuPartNumber": "SUITE", "ServicePlans": []}]),
        json!([{"activeUnits": 10, "consumedUnits": 6, "warningUnits": 2, "capabilityStatus": "Enabled",
            "productSku": {"id": "K-1", "name": "Suite", "skuPartNumber": "SUITE"}, "servicePlans": []}]),
    );
    let flat = json!([{"SubscriptionId": "S-1", "OfferId": "O", "OfferName": "Suite", "Quantity": 7, "Status": 1, "BillingType": 2},
        {"SubscriptionId": "S-2", "OfferId": "P", "OfferName": "Cloud", "Quantity": 999, "Status": 1, "BillingType": 1}]);
    let own = json!([{"id": "S-1", "offerId": "O", "offerName": "Suite", "quantity": 7, "status": "active", "billingType": "license"},
        {"id": "S-2", "offerId": "P", "offerName": "Cloud", "quantity": 999, "status": "active", "billingType": "usage"}]);
    alike(Format::PcSubscriptions, flat, own);
    alike(
        Format::PcCustomers,
        json!([{"CustomerId": "C-1", "Name": "Fabrikam", "Domain": "x.example", "RelationshipToPartner": 3}]),
        json!([{"id": "C-1", "companyProfile": {"companyName": "Fabrikam", "domain": "x.example"}}]),
    );
}

#[test]
fn a_list_that_names_something_twice_or_another_tenant_says_so() {
    let tenant = |last: u8| format!("c0ffee00-0001-4e00-9e00-0000000000{last:02}");
    let note = |format, text: Value| {
        let options = ReadOptions { customer: Some(tenant(1)), ..options() };
        let notes = read(format, &mut text.to_string().as_bytes(), &options, &mut Collected::default()).unwrap();
        let says = |word: &str| notes.remarks.iter().any(|remark| remark.contains(word));
        (says("another tenant"), says("more than once"))
    };
    let sku = |id: &str, of: u8| json!({"id": format!("{}_{id}", tenant(of)), "skuId": id, "prepaidUnits": {"enabled": 5}, "consumedUnits": 1});
    let bought = |id: &str, of: u8| {
        json!({"id": id, "offerId": "O", "quantity": 5, "status": "active",
            "links": {"self": {"uri": format!("/customers/{}/subscriptions/{id}", tenant(of).to_uppercase())}}})
    };
    let graph = Format::GraphSubscribedSkus;
    assert_eq!(note(graph, json!({"value": [sku("K", 1), sku("L", 1)]})), (false, false));
    assert_eq!(note(graph, json!({"value": [sku("K", 1), sku("K", 1)]})), (false, true));
    assert_eq!(note(graph, json!({"value": [sku("K", 2)]})), (true, false));
    assert_eq!(note(Format::PcSubscriptions, json!({"items": [bought("S", 1)]})), (false, false));
    let page = json!({"items": [], "links": {"self": {"uri": format!("/customers/{}/subscriptions", tenant(2))}}});
    assert_eq!(note(Format::PcSubscriptions, page), (true, false));
    assert_eq!(note(Format::PcSubscriptions, json!({"items": [bought("S", 2), bought("S", 2)]})), (true, true));
}

#[test]
fn settings_and_notes_are_no_lists() {
    for text in ["[.ShellClassInfo]\r\nIconResource=x.dll,1\r\n", "[network]\nhost = a\n", "[General]\n"] {
        assert_eq!(recognised(text.as_bytes()), [Err("its columns are those of no known format".into())], "{text}");
    }
    assert!(recognised(b"[null]")[0].clone().unwrap_err().contains("members"), "a list");
}
