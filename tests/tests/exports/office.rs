//! What a spreadsheet program makes of our files: LibreOffice opens them, where it is installed, and says what it sees.

use std::path::Path;
use std::process::Command;

use insights_access::Role;
use insights_proto::metrics::v1::{Dimension, Measure};
use insights_proto::reporting::v1::{ExportFormat, ExportOrder};
use insights_tests::product::{How, Person};

use crate::files::lines;
use crate::hostile_names::{FilledProduct, done, download, order, query};

/// Commas, quotes, UTF-8, from the first line on, numbers as numbers, and whatever looks like a formula as one.
const CSV: &str = "--infilter=CSV:44,34,76,1,,0,false,true,false,false,false,-1,true";

/// Sheets as the program has them.
struct Seen {
    /// By row and column.
    sheets: Vec<Vec<Vec<String>>>,
    formulas: usize,
}

fn is_installed() -> bool {
    Command::new("soffice").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Opens a file and reads what the program then writes of it, as flat XML.
fn open(folder: &Path, file: &str, bytes: &[u8]) -> Seen {
    let path = folder.join(file);
    std::fs::write(&path, bytes).unwrap();
    let mut command = Command::new("soffice");
    command.arg(format!("-env:UserInstallation=file://{}", folder.join("profile").display())).arg("--headless");
    if file.ends_with(".csv") {
        command.arg(CSV);
    }
    let output = command.args(["--convert-to", "fods", "--outdir"]).arg(folder).arg(&path).output().unwrap();
    let made = std::fs::read_to_string(path.with_extension("fods"));
    read(&made.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// Cells of flat XML: numbers and truths by value, everything else by text.
fn read(xml: &str) -> Seen {
    let mut seen = Seen { sheets: Vec::new(), formulas: 0 };
    let mut tags = xml.split('<').skip(1).map(|rest| rest.split_once('>').unwrap_or((rest, ""))).peekable();
    while let Some((tag, _)) = tags.next() {
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        match name {
            "table:table" => seen.sheets.push(Vec::new()),
            "table:table-row" => seen.sheets.last_mut().unwrap().push(Vec::new()),
            "table:table-cell" => {
                let formula = attribute(tag, "table:formula");
                // The program has no truths of its own: it shows the constants of a workbook's cells as these two.
                let truth = match formula.as_deref() {
                    Some("of:=TRUE()") => Some("true".to_owned()),
                    Some("of:=FALSE()") => Some("false".to_owned()),
                    _ => attribute(tag, "office:boolean-value"),
                };
                let constant = matches!(formula.as_deref(), None | Some("of:=TRUE()" | "of:=FALSE()"));
                seen.formulas += usize::from(!constant);
                let value = truth.or_else(|| attribute(tag, "office:value"));
                let mut text = String::new();
                while !tag.ends_with('/') {
                    let Some((inner, after)) = tags.next_if(|(tag, _)| *tag != "/table:table-cell") else { break };
                    match inner.split([' ', '/']).next().unwrap_or_default() {
                        "text:p" if !text.is_empty() => text.push('\n'),
                        "text:tab" => text.push('\t'),
                        "text:s" => text.push_str(
                            &" ".repeat(attribute(inner, "text:c").and_then(|count| count.parse().ok()).unwrap_or(1)),
                        ),
                        _ => {}
                    }
                    if inner != "/text:p" {
                        text.push_str(&plain(after.trim_matches('\n')));
                    }
                }
                let cell = value.unwrap_or(text);
                let row = seen.sheets.last_mut().and_then(|sheet| sheet.last_mut()).unwrap();
                let count = attribute(tag, "table:number-columns-repeated").and_then(|count| count.parse().ok());
                row.extend(std::iter::repeat_n(cell, count.unwrap_or(1).min(64)));
            }
            _ => {}
        }
    }
    for sheet in &mut seen.sheets {
        for row in &mut *sheet {
            while row.last().is_some_and(String::is_empty) {
                row.pop();
            }
        }
        sheet.retain(|row| !row.is_empty());
    }
    seen
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    Some(plain(tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?))
}

fn plain(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The same number, to the fifteen digits that the program writes, or the same text but for how its lines end.
fn same(seen: &str, written: &str) -> bool {
    match (seen.parse::<f64>(), written.parse::<f64>()) {
        (Ok(seen), Ok(written)) => (seen - written).abs() <= written.abs() * 1e-14,
        _ => seen.replace('\r', "") == written.replace('\r', ""),
    }
}

fn compare(seen: &[Vec<String>], written: &[Vec<String>]) {
    assert_eq!(seen.len(), written.len());
    for (seen, written) in seen.iter().zip(written) {
        for (column, written) in written.iter().enumerate() {
            let seen = seen.get(column).map_or("", String::as_str);
            assert!(same(seen, written), "seen {seen:?}, written {written:?}");
        }
    }
}

async fn file(owner: &mut Person, order: ExportOrder, version: i64) -> Vec<u8> {
    let export = done(owner, order, version).await;
    download(owner, &export.id, 0).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_program_sees_values_and_no_formula() {
    if !is_installed() {
        eprintln!("LibreOffice is not installed: nothing was tried");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Shows that the spreadsheet program evaluates formulas that are not escaped.
    assert_eq!(open(folder.path(), "harm.csv", b"name\r\n=1+1\r\n").formulas, 1);

    let filled = FilledProduct::start(false, How::default()).await;
    let mut owner = filled.person(&[Role::ExecutiveReportViewer], &[]).await;
    let measures = [Measure::Available, Measure::ActiveUsagePercent, Measure::BilledRevenue];
    let query = query(&measures, &[Dimension::Segment, Dimension::Customer, Dimension::Trial]);
    let csv = file(&mut owner, order(query.clone(), ExportFormat::Csv), filled.version).await;
    let written = lines(&csv, b',');
    assert!(written.len() > 100 && written.iter().any(|row| row[1].starts_with("'=HYPERLINK(")));
    let seen = open(folder.path(), "rows.csv", &csv);
    assert_eq!((seen.formulas, seen.sheets.len()), (0, 1));
    compare(&seen.sheets[0], &written);

    let xlsx = file(&mut owner, order(query, ExportFormat::Xlsx), filled.version).await;
    let seen = open(folder.path(), "book.xlsx", &xlsx);
    assert_eq!((seen.formulas, seen.sheets.len()), (0, 2));
    // Texts are texts there, and need no apostrophe.
    let bare = |cell: String| cell.strip_prefix('\'').map(str::to_owned).unwrap_or(cell);
    let written: Vec<Vec<String>> = written.into_iter().map(|row| row.into_iter().map(bare).collect()).collect();
    compare(&seen.sheets[0], &written);
    assert!(seen.sheets[1].iter().any(|row| row[..] == ["rows", &(written.len() - 1).to_string()]));
}
