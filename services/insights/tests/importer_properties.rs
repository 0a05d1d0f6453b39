//! However a report is spelled, it says the same.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use insights_cli::import::{Collected, Format, Options, read};
use insights_domain::calendar::Day;
use proptest::prelude::*;

/// Column names with their aliases, and what a row holds there.
const COLUMNS: &[&[&str]] = &[
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
];

fn cell(column: usize, row: u32) -> String {
    match column {
        0 => format!("S-{}", row / 2),
        1 => format!("2024-{:02}-01", 1 + row % 3),
        2 => format!("C-{}", row / 4),
        3 => format!("K-{}", row / 2),
        4 => (row * 7).to_string(),
        5 => format!("L-{}", row % 2),
        6 => "CSP".into(),
        7 => "Active".into(),
        8 => "0".into(),
        9 => ["Plain", "With, comma", "With \"quotes\"", "With\nnewline"][row as usize % 4].into(),
        _ => format!("{}.5", row),
    }
}

#[derive(Debug, Clone)]
struct Spelling {
    order: Vec<usize>,
    alias: Vec<usize>,
    upper: Vec<bool>,
    delimiter: char,
    line_end: &'static str,
    bom: bool,
    quote_all: bool,
}

fn spelling() -> impl Strategy<Value = Spelling> {
    let width = COLUMNS.len();
    (
        Just((0..width).collect::<Vec<_>>()).prop_shuffle(),
        prop::collection::vec(0..4_usize, width),
        prop::collection::vec(any::<bool>(), width),
        prop::sample::select(vec![',', '\t', ';']),
        prop::sample::select(vec!["\n", "\r\n"]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(order, alias, upper, delimiter, line_end, bom, quote_all)| Spelling {
            order,
            alias,
            upper,
            delimiter,
            line_end,
            bom,
            quote_all,
        })
}

fn spelled(spelling: &Spelling, rows: u32) -> String {
    let quoted = |text: &str| {
        let needed = spelling.quote_all || text.contains([spelling.delimiter, '"', '\n']);
        if needed { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
    };
    let line = |fields: Vec<String>| {
        fields.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(&spelling.delimiter.to_string())
            + spelling.line_end
    };
    let name = |&column: &usize| {
        let names = COLUMNS[column];
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

fn found(text: &str) -> Vec<String> {
    let mut collected = Collected::default();
    let options = Options::on(Day::from_ymd(2025, 1, 1).unwrap());
    read(Format::InsightsSubscriptions, &mut text.as_bytes(), &options, &mut collected).unwrap();
    assert_eq!(collected.rejections, []);
    collected.records.into_iter().map(|(_, record)| format!("{record:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_names_case_delimiters_and_line_ends_change_nothing(spelling in spelling(), rows in 1..12_u32) {
        let plain = Spelling {
            order: (0..COLUMNS.len()).collect(),
            alias: vec![0; COLUMNS.len()],
            upper: vec![false; COLUMNS.len()],
            delimiter: ',',
            line_end: "\n",
            bom: false,
            quote_all: false,
        };
        prop_assert_eq!(found(&spelled(&spelling, rows)), found(&spelled(&plain, rows)));
    }

    /// Whatever bytes come, a reader ends, and every line is either read or rejected.
    #[test]
    fn no_bytes_break_a_reader(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\"\n\r,;\t{}:".to_vec())], 0..400)) {
        let options = Options::on(Day::from_ymd(2025, 1, 1).unwrap());
        for format in [Format::Ndjson, Format::InsightsSubscriptions, Format::InsightsDynamicsUsage, Format::ProductNames] {
            let mut text = b"SubscriptionId,Month,CustomerTenantId,SKU,AvailableSeatsEOP,AvailableSeats,GUID,Product_Display_Name,Service_Plan_Name\n".to_vec();
            text.extend(&bytes);
            let _ = read(format, &mut text.as_slice(), &options, &mut Collected::default());
        }
    }
}
