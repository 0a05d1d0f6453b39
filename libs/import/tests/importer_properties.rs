//! However a report is spelled, it says the same.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::io::Write as _;

use insights_domain::calendar::Day;
use insights_import::{Collected, Format, ReadOptions, read, recognise};
use insights_proto::ingestion::v1::{Record, record::Kind};
use proptest::prelude::*;

/// A format's columns with their aliases, and what a row holds there.
struct Shape {
    format: Format,
    columns: &'static [&'static [&'static str]],
    cell: fn(usize, u32) -> String,
}

const NAMES: [&str; 4] = ["Plain", "With, comma", "With \"quotes\"", "With\nnewline"];

fn name(row: u32) -> String {
    NAMES[row as usize % 4].into()
}

fn month(row: u32) -> String {
    format!("2024-{:02}-01", 1 + row % 3)
}

const SHAPES: &[Shape] = &[
    Shape {
        format: Format::InsightsSubscriptions,
        columns: &[
            &["SubscriptionId", "SubscriptionID", "SubscriptionGuid"],
            &["Month"],
            &["CustomerTenantId"],
            &["SKU"],
            &["AvailableSeatsEOP", "TotalSoldSeats"],
            &["MPNId", "MpnId", "MPNID", "PartnerID"],
            &["PartnerAttributionType", "PartnerAttachType"],
            &["SubscriptionState", "SubscriptionStatus"],
            &["IsDuplicateRowForPGA"],
            &["CustomerName"],
            &["BilledRevenueUSD"],
            &["PGAMpnID", "PGAPartnerID", "PGA Mpn Id"],
        ],
        cell: |column, row| match column {
            0 => format!("S-{}", row / 2),
            1 => month(row),
            2 => format!("C-{}", row / 4),
            3 => format!("K-{}", row / 2),
            4 => (row * 7).to_string(),
            5 => format!("L-{}", row % 2),
            6 => "CSP".into(),
            7 => "Active".into(),
            8 => "0".into(),
            9 => name(row),
            10 => format!("{row}.5"),
            _ => "900".into(),
        },
    },
    Shape {
        format: Format::InsightsDynamicsUsage,
        columns: &[
            &["SubscriptionId", "SubscriptionGuid"],
            &["Month"],
            &["CustomerTenantId", "CustomerTenantGuid"],
            &["SKUId", "SKUGuid"],
            &["SKU"],
            &["AvailableSeats"],
            &["AssignedSeats"],
            &["ActiveSeats"],
            &["MPNId", "PartnerID"],
            &["PartnerAttachType", "PartnerAttributionType"],
            &["SalesModel", "SalesChannel"],
        ],
        cell: |column, row| match column {
            0 => format!("S-{}", row / 2),
            1 => month(row),
            2 => format!("C-{}", row / 4),
            3 => format!("K-{}", row % 3),
            4 => name(row),
            5 => (row * 7).to_string(),
            6 => (row * 3).to_string(),
            7 => (row * 2).to_string(),
            8 => format!("L-{}", row % 2),
            9 => "CPOR".into(),
            _ => "CSP".into(),
        },
    },
    Shape {
        format: Format::InsightsCustomers,
        columns: &[
            &["CustomerTenantId", "TenantId"],
            &["Month"],
            &["CustomerName"],
            &["CustomerMarket"],
            &["TenantDomainName"],
            &["SKU"],
            &["MPNId", "MpnId", "PartnerID"],
            &["PartnerAttributionType", "PartnerAttachType"],
            &["IsDuplicateRowForPGA"],
            &["BilledRevenueUSD"],
            &["IndustryName", "Industry"],
        ],
        cell: |column, row| match column {
            0 => format!("C-{}", row / 4),
            1 => month(row),
            2 => name(row),
            3 => ["Germany", "DE", "Brazil"][row as usize % 3].into(),
            4 => "x.example".into(),
            5 => format!("K-{}", row % 2),
            6 => format!("L-{}", row % 2),
            7 => "CSP".into(),
            8 => "0".into(),
            9 => format!("{row}.5"),
            _ => "Retail".into(),
        },
    },
    Shape {
        format: Format::InsightsOfficeUsage,
        columns: &[
            &["CustomerTenantId", "CustomerTenantID"],
            &["Month", "Date"],
            &["WorkloadName", "Workload"],
            &["PaidAvailableUnits"],
            &["MonthlyActiveUsers"],
            &["CustomerName"],
            &["PartnerID", "MPNId"],
        ],
        cell: |column, row| match column {
            0 => format!("C-{}", row / 4),
            1 => month(row),
            2 => ["Exchange Online", "Teams", "OneDrive for Business", "SharePoint Online"][row as usize % 4].into(),
            3 => (row * 5).to_string(),
            4 => (row * 2).to_string(),
            5 => name(row),
            _ => format!("L-{}", row % 2),
        },
    },
    Shape {
        format: Format::GraphUserDetail,
        columns: &[
            &["Report Refresh Date", "ReportRefreshDate"],
            &["User Principal Name"],
            &["Display Name"],
            &["Is Deleted"],
            &["Has Exchange License", "HasExchangeLicense"],
            &["Exchange Last Activity Date"],
            &["Exchange License Assign Date"],
            &["Has OneDrive License"],
            &["OneDrive Last Activity Date"],
        ],
        cell: |column, row| match column {
            0 => "2024-06-20".into(),
            1 => format!("u{row}@x.example"),
            2 => name(row),
            3 => "False".into(),
            4 | 7 => if row % 3 == 0 { "False" } else { "True" }.into(),
            5 => format!("2024-06-{:02}", 1 + row % 20),
            6 => "2024-01-01".into(),
            _ => String::new(),
        },
    },
];

#[derive(Debug, Clone)]
struct Spelling {
    shape: usize,
    order: Vec<usize>,
    alias: Vec<usize>,
    upper: Vec<bool>,
    delimiter: char,
    line_end: &'static str,
    bom: bool,
    quote_all: bool,
    trailing: bool,
}

fn spelling() -> impl Strategy<Value = Spelling> {
    (0..SHAPES.len()).prop_flat_map(|shape| {
        let width = SHAPES[shape].columns.len();
        (
            Just((0..width).collect::<Vec<_>>()).prop_shuffle(),
            prop::collection::vec(0..4_usize, width),
            prop::collection::vec(any::<bool>(), width),
            prop::sample::select(vec![',', '\t', ';']),
            prop::sample::select(vec!["\n", "\r\n"]),
            any::<[bool; 3]>(),
        )
            .prop_map(move |(order, alias, upper, delimiter, line_end, [bom, quote_all, trailing])| Spelling {
                shape,
                order,
                alias,
                upper,
                delimiter,
                line_end,
                bom,
                quote_all,
                trailing,
            })
    })
}

/// What surrounds the text of a file.
#[derive(Debug, Clone, Copy)]
struct Wrapping {
    carriage_returns: bool,
    above: u8,
    encoding: u8,
    packed: bool,
}

fn wrapping() -> impl Strategy<Value = Wrapping> {
    (any::<bool>(), 0..4_u8, 0..4_u8, any::<bool>()).prop_map(|(carriage_returns, above, encoding, packed)| Wrapping {
        carriage_returns,
        above,
        encoding,
        packed,
    })
}

/// A text without a mark as the bytes of a file.
fn wrapped(text: &str, delimiter: char, wrapping: Wrapping) -> Vec<u8> {
    let end = if wrapping.carriage_returns { "\r" } else { "\r\n" };
    let above = match wrapping.above {
        0 => String::new(),
        1 => format!("sep={delimiter}{end}"),
        2 => format!("#TYPE System.Management.Automation.PSCustomObject{end}"),
        _ => format!("{end} {end}"),
    };
    let text = format!("{above}{text}");
    let bytes = match wrapping.encoding {
        0 => text.into_bytes(),
        1 => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        2 => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => "\u{feff}".bytes().map(char::from).chain(text.chars()).collect::<String>().into_bytes(),
    };
    if !wrapping.packed {
        return bytes;
    }
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(&bytes).unwrap();
    writer.finish().unwrap()
}

fn plain(shape: usize) -> Spelling {
    let width = SHAPES[shape].columns.len();
    Spelling {
        shape,
        order: (0..width).collect(),
        alias: vec![0; width],
        upper: vec![false; width],
        delimiter: ',',
        line_end: "\n",
        bom: false,
        quote_all: false,
        trailing: false,
    }
}

fn spelled(spelling: &Spelling, rows: u32) -> String {
    let Shape { columns, cell, .. } = SHAPES[spelling.shape];
    let quoted = |text: &str| {
        let needed = spelling.quote_all || text.contains([spelling.delimiter, '"', '\n']);
        if needed { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
    };
    let line = |fields: Vec<String>| {
        let line = fields.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(&spelling.delimiter.to_string());
        let trailing = if spelling.trailing { spelling.delimiter.to_string() } else { String::new() };
        line + &trailing + spelling.line_end
    };
    let name = |&column: &usize| {
        let names = columns[column];
        let name = names[spelling.alias[column] % names.len()];
        if spelling.upper[column] { name.to_uppercase() } else { name.to_owned() }
    };
    let mut text = String::from(if spelling.bom { "\u{feff}" } else { "" });
    text.push_str(&line(spelling.order.iter().map(name).collect()));
    for row in 0..rows {
        text.push_str(&line(spelling.order.iter().map(|&column| cell(column, row)).collect()));
    }
    text
}

fn options() -> ReadOptions {
    ReadOptions { customer: Some("C".into()), ..ReadOptions::on(Day::from_ymd(2025, 1, 1).unwrap()) }
}

fn collected(format: Format, bytes: &[u8]) -> Collected {
    let mut collected = Collected::default();
    read(format, &mut &bytes[..], &options(), &mut collected).unwrap();
    collected
}

/// What was found, where it does not matter on which line.
fn found(format: Format, bytes: &[u8]) -> Vec<String> {
    let found = collected(format, bytes);
    assert_eq!(found.rejections, []);
    let records = found.records.into_iter().map(|(_, record)| format!("{record:?}"));
    let activity = found.activity.into_iter().map(|(_, activity)| format!("{activity:?}"));
    records.chain(activity).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn order_names_case_delimiters_and_line_ends_change_nothing(spelling in spelling(), rows in 1..12_u32) {
        let format = SHAPES[spelling.shape].format;
        let (text, plain) = (spelled(&spelling, rows), spelled(&plain(spelling.shape), rows));
        prop_assert_eq!(found(format, text.as_bytes()), found(format, plain.as_bytes()));
        prop_assert_eq!(recognise(&mut text.as_bytes(), None).map(|it| it.format), Ok(format));
    }

    /// A row that cannot be read is named by its line and field, and what the others say stays the same.
    #[test]
    fn a_bad_row_takes_no_good_one_along(spelling in spelling(), rows in 1..8_u32, at in 0..8_u32) {
        let shape = &SHAPES[spelling.shape];
        let spelling = Spelling { line_end: "\n", trailing: false, ..spelling };
        let text = spelled(&spelling, rows);
        // Line by line, so that a row with a quoted newline is not torn.
        let good = collected(shape.format, text.as_bytes());
        let bad_cell = |column: usize| match shape.columns[column][0] {
            "Month" => "2024-06- 01".to_owned(),
            "Report Refresh Date" => "soon".to_owned(),
            _ => (shape.cell)(column, 0).replace('\n', " "),
        };
        let quoted = |text: String| format!("\"{}\"", text.replace('"', "\"\""));
        let bad = spelling.order.iter().map(|&column| quoted(bad_cell(column))).collect::<Vec<_>>();
        let bad = bad.join(&spelling.delimiter.to_string()) + "\n";
        let header = text.find('\n').unwrap() + 1;
        let at_the_end = at >= rows;
        let text = if at_the_end { format!("{text}{bad}") } else { format!("{}{bad}{}", &text[..header], &text[header..]) };
        let line = if at_the_end { text.trim_end().matches('\n').count() as u64 + 1 } else { 2 };
        let found = collected(shape.format, text.as_bytes());
        prop_assert_eq!(found.rejections.len(), 1);
        prop_assert_eq!(found.rejections[0].row, line);
        let field = if shape.format == Format::GraphUserDetail { "Report Refresh Date" } else { "Month" };
        prop_assert_eq!(&found.rejections[0].field, field);
        // That a list of licences is complete cannot be said of a file with a row that nobody could read.
        let is_list = |record: &Record| matches!(record.kind, Some(Kind::LicenceList(_)));
        prop_assert!(!found.records.iter().any(|(_, record)| is_list(record)));
        let said = |found: &Collected| found.records.iter().map(|(_, record)| record.clone()).collect::<Vec<_>>();
        let records = |found: &Collected| said(found).into_iter().filter(|it| !is_list(it)).collect::<Vec<_>>();
        prop_assert_eq!(records(&found), records(&good));
        prop_assert_eq!(found.activity.len(), good.activity.len());
    }

    #[test]
    fn encoding_packing_and_what_stands_above_change_nothing(
        spelling in spelling(),
        rows in 1..12_u32,
        wrapping in wrapping(),
    ) {
        let format = SHAPES[spelling.shape].format;
        let line_end = if wrapping.carriage_returns { "\r" } else { spelling.line_end };
        let spelling = Spelling { bom: false, line_end, ..spelling };
        let bytes = wrapped(&spelled(&spelling, rows), spelling.delimiter, wrapping);
        let plain = spelled(&plain(spelling.shape), rows);
        prop_assert_eq!(found(format, &bytes), found(format, plain.as_bytes()));
        prop_assert_eq!(recognise(&mut bytes.as_slice(), None).map(|it| it.format), Ok(format));
    }

    /// Whatever bytes come, a reader ends, and every line is either read or rejected.
    #[test]
    fn no_bytes_break_a_reader(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\"\n\r,;\t{}[]:".to_vec())], 0..400)) {
        let header = b"SubscriptionId,Month,CustomerTenantId,SKU,AvailableSeatsEOP,AvailableSeats,GUID,Product_Display_Name,Service_Plan_Name,WorkloadName,PaidAvailableUnits,MonthlyActiveUsers,Report Refresh Date,User Principal Name,Has Teams License\n";
        let tables = [Format::Ndjson, Format::ProductNames, Format::InsightsSubscriptions, Format::InsightsDynamicsUsage, Format::InsightsCustomers, Format::InsightsOfficeUsage, Format::GraphUserDetail];
        let lists = [Format::PcCustomers, Format::PcSubscriptions, Format::PcSubscribedSkus, Format::GraphSubscribedSkus, Format::GraphSubscriptions];
        let starts: [(&[u8], &[Format]); 3] = [(header, &tables), (b"{\"value\":[", &lists), (b"{\"items\":[{\"id\":", &lists)];
        for (start, formats) in starts {
            let text = [start, &bytes].concat();
            for format in formats {
                let _ = read(*format, &mut text.as_slice(), &options(), &mut Collected::default());
            }
            let _ = recognise(&mut text.as_slice(), None);
        }
    }
}
