//! Files longer than the memory: five million rows go through in a bounded part of it.
//!
//! The peak is that of a process of its own, which reads rows made as they are asked for. With `INSIGHTS_LONG=1` there are
//! five million of them, and the bound is 200 MB; without, few enough for every day, and the peak must not grow with them.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    process::Command,
    sync::Arc,
};

use arrow_array::{ArrayRef, Date32Array, RecordBatch, StringArray};
use insights_domain::calendar::Day;
use insights_import::{ActivityDay, Format, ReadOptions, Rejection, Sink, Stopped, read};
use insights_proto::ingestion::v1::Record;

/// Rows made one after the other.
struct Rows {
    format: Format,
    /// A list in JSON.
    is_list: bool,
    next: u64,
    count: u64,
    text: Vec<u8>,
    at: usize,
}

impl Rows {
    fn new(format: Format, count: u64) -> Self {
        let start: &[u8] = match format {
            Format::InsightsSubscriptions => b"SubscriptionId,Month,CustomerTenantId,CustomerName,CustomerMarket,SKU,AvailableSeatsEOP,SubscriptionState,MPNId,PartnerAttributionType,IsDuplicateRowForPGA,BilledRevenueUSD\n",
            Format::InsightsCustomers => b"CustomerTenantId,CustomerName,CustomerMarket,Month,SKU,MPNId,PartnerAttributionType,BilledRevenueUSD\n",
            Format::InsightsOfficeUsage => b"CustomerTenantId,Month,WorkloadName,PaidAvailableUnits,MonthlyActiveUsers,CustomerMarket\n",
            Format::Csv => b"customer_id,user_id,service,day\n",
            Format::GraphUserDetail => b"Report Refresh Date,User Principal Name,Has Exchange License,Has Teams License,Exchange Last Activity Date,Teams Last Activity Date\n",
            _ => b"{\"value\": [\n",
        };
        let is_list = start.starts_with(b"{");
        Self { format, is_list, next: 0, count, text: start.to_vec(), at: 0 }
    }

    /// The report of users as the service gives it in JSON.
    fn of_users_in_json(count: u64) -> Self {
        let text = b"{\"@odata.context\": \"x\", \"value\": [\n".to_vec();
        Self { format: Format::GraphUserDetail, is_list: true, next: 0, count, text, at: 0 }
    }

    /// A subscription has twelve rows, far apart; a customer twelve subscriptions.
    fn row(&self, number: u64) -> String {
        let things = self.count.div_ceil(12);
        let (thing, month) = (number % things, 1 + number / things);
        let customer = thing / 12;
        let id = format!("c0ffee00-{:04x}-4e00-9e00-{customer:012x}", customer % 65_536);
        match self.format {
            Format::InsightsSubscriptions => format!(
                "5b0c1d2e-0001-4f00-8a00-{thing:012x},2023-{month:02}-01,{id},Customer number {customer},United States,Microsoft 365 E3,{},Active,{},CSP Tier 1,0,12.5\n",
                thing % 300,
                4_711 + thing % 40
            ),
            Format::InsightsCustomers => {
                format!(
                    "{id},Customer number {customer},Germany,2023-{month:02}-01,Microsoft 365 E{},4711,CPOR,3.25\n",
                    thing % 12
                )
            }
            Format::InsightsOfficeUsage => format!("{id},2023-{month:02}-01,Workload {},50,40,Brazil\n", thing % 12),
            Format::Csv => format!("{id},user{number}@customer.example,Teams,2024-05-{month:02}\n"),
            Format::GraphUserDetail if self.is_list => format!(
                "{}{{\"reportRefreshDate\": \"2024-05-31\", \"userPrincipalName\": \"user{number}@customer.example\", \"hasExchangeLicense\": true, \"exchangeLastActivityDate\": null}}\n",
                if number == 0 { "" } else { "," }
            ),
            Format::GraphUserDetail => {
                format!("2024-05-31,user{number}@customer.example,True,False,2024-05-30,\n")
            }
            _ => format!(
                "{}{{\"skuId\": \"aaaaaaaa-0000-4000-8000-{number:012x}\", \"skuPartNumber\": \"PART\", \"consumedUnits\": 3, \"prepaidUnits\": {{\"enabled\": 4}}, \"servicePlans\": []}}\n",
                if number == 0 { "" } else { "," }
            ),
        }
    }
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if self.next > self.count || (self.next == self.count && !self.is_list) {
                return Ok(0);
            }
            self.text = if self.next == self.count { b"]}\n".to_vec() } else { self.row(self.next).into_bytes() };
            self.at = 0;
            self.next += 1;
        }
        let count = buffer.len().min(self.text.len() - self.at);
        buffer[..count].copy_from_slice(&self.text[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// A table of activity as Parquet, laid down a part at a time.
fn lay_down(rows: u64, file: &Path) {
    const PART: u64 = 1 << 16;
    let mut writer = None;
    for start in (0..rows).step_by(1 << 16) {
        let numbers = || start..rows.min(start + PART);
        let texts =
            |text: &dyn Fn(u64) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(numbers().map(text))) };
        let columns = [
            ("customer_id", texts(&|number| format!("c0ffee00-0000-4e00-9e00-{:012x}", number % 40_000))),
            ("user_id", texts(&|number| format!("user{number}@customer.example"))),
            ("service", texts(&|number| ["Teams", "Exchange", "SharePoint"][(number % 3) as usize].to_owned())),
            (
                "day",
                Arc::new(Date32Array::from_iter_values(numbers().map(|number| 19_800 + (number % 60) as i32))) as _,
            ),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let writer = writer.get_or_insert_with(|| {
            parquet::arrow::ArrowWriter::try_new(File::create(file).unwrap(), batch.schema(), None).unwrap()
        });
        writer.write(&batch).unwrap();
    }
    writer.unwrap().close().unwrap();
}

/// Counts and forgets.
#[derive(Default)]
struct Count {
    records: u64,
    activity: u64,
    rejected: u64,
}

impl Sink for Count {
    fn record(&mut self, _: u64, _: Record) -> Result<(), Stopped> {
        self.records += 1;
        Ok(())
    }

    fn activity(&mut self, _: u64, _: ActivityDay) -> Result<(), Stopped> {
        self.activity += 1;
        Ok(())
    }

    fn rejected(&mut self, rejection: Rejection) -> Result<(), Stopped> {
        assert_eq!((rejection.row, rejection.field.as_str()), (2, "row"), "{rejection:?}");
        assert!(rejection.reason.contains("longer than 1 MiB"), "{rejection:?}");
        self.rejected += 1;
        Ok(())
    }
}

/// What this process has used of memory at most, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Not a test of its own: what the others run in a process of its own.
#[test]
fn in_a_process_of_its_own() {
    let Ok(what) = std::env::var("INSIGHTS_MEMORY_OF") else { return };
    let mut words = what.splitn(3, '|');
    let mut word = || words.next().unwrap();
    let (format, rows) = (word(), word().parse().unwrap());
    let (format, mut input): (_, Box<dyn BufRead>) = match format {
        "endless" => {
            let header = &b"customer_id,user_id,service,day\n"[..];
            let after = &b"\nC-1,u,Teams,2024-05-01\n"[..];
            (Format::Csv, Box::new(BufReader::new(header.chain(io::repeat(b'x').take(rows)).chain(after))))
        }
        "parquet" => (Format::Parquet, Box::new(BufReader::new(File::open(word()).unwrap()))),
        "users in JSON" => (Format::GraphUserDetail, Box::new(BufReader::new(Rows::of_users_in_json(rows)))),
        "gzip" => {
            let rows = BufReader::new(Rows::new(Format::InsightsSubscriptions, rows));
            let packed = flate2::bufread::GzEncoder::new(rows, flate2::Compression::fast());
            (Format::InsightsSubscriptions, Box::new(BufReader::new(packed)))
        }
        other => {
            let format = <Format as clap::ValueEnum>::from_str(other, false).unwrap();
            (format, Box::new(BufReader::new(Rows::new(format, rows))))
        }
    };
    let options = ReadOptions { customer: Some("C".into()), ..ReadOptions::on(Day::from_ymd(2024, 6, 20).unwrap()) };
    let mut count = Count::default();
    read(format, &mut *input, &options, &mut count).unwrap();
    let Count { records, activity, rejected } = count;
    println!("\npeak={} records={records} activity={activity} rejected={rejected}", peak());
}

/// The peak in KiB, records, activity and rejected rows.
fn measured(what: &str, rows: u64) -> [u64; 4] {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.parquet");
    if what == "parquet" {
        lay_down(rows, &file);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_process_of_its_own", "--nocapture"])
        .env("INSIGHTS_MEMORY_OF", format!("{what}|{rows}|{}", file.display()))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("peak=")).unwrap_or_else(|| panic!("{text}"));
    let mut numbers = line.split([' ', '=']).filter_map(|word| word.parse().ok());
    [(); 4].map(|()| numbers.next().unwrap())
}

/// Files in which nothing belongs together, and those that are gathered.
const FORMATS: [Format; 7] = [
    Format::Csv,
    Format::Parquet,
    Format::InsightsSubscriptions,
    Format::InsightsCustomers,
    Format::InsightsOfficeUsage,
    Format::GraphUserDetail,
    Format::GraphSubscribedSkus,
];

#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_rows() {
    let names = FORMATS.map(Format::name);
    for name in names.iter().map(String::as_str).chain(["users in JSON", "gzip"]) {
        let [small, ..] = measured(name, 60_000);
        let [large, records, activity, _] = measured(name, 180_000);
        assert!(records + activity >= 180_000, "{name}: {records} records, {activity} activity");
        // Three times the rows are at least 20 MB more when they are kept.
        assert!(large < small + 16 * 1024, "{name}: {small} KiB for 60,000 rows, {large} KiB for 180,000");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_row_without_an_end_is_rejected_without_being_kept() {
    let [small, ..] = measured("endless", 2_000_000);
    let [large, records, activity, rejected] = measured("endless", 100_000_000);
    assert_eq!((records, activity, rejected), (0, 1, 1), "the row after it is read");
    assert!(large < small + 16 * 1024, "{small} KiB for 2 MB, {large} KiB for 100 MB");
}

#[test]
#[cfg(target_os = "linux")]
fn five_million_rows_take_less_than_200_megabytes() {
    if std::env::var("INSIGHTS_LONG").is_err() {
        return;
    }
    for name in FORMATS.iter().map(|format| format.name()).chain(["users in JSON", "gzip"].map(str::to_owned)) {
        let start = std::time::Instant::now();
        let [peak, records, activity, _] = measured(&name, 5_000_000);
        eprintln!("{name}: peak {peak} KiB, {records} records, {activity} activity, {:?}", start.elapsed());
        assert!(records + activity >= 5_000_000, "{name}");
        assert!(peak * 1024 < 200_000_000, "{name}: {peak} KiB");
    }
}
