//! Random partners: small enough to read, odd enough to find what the definitions only say in passing.

use super::facts;
use super::oddities;
use super::random::Random;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::{Map, Value, json};

/// What the product takes for now; all partners end before it. Chosen so that partners east of it are a day ahead.
pub const NOW: &str = "2025-03-10T14:30:00Z";

/// When files are received: each part of a partner's files an hour or so after the one before, all on one day wherever the partner
/// is, the last one at [`NOW`].
pub const RECEIPTS: [&str; 4] = ["2025-03-10T11:10:00Z", "2025-03-10T12:10:00Z", "2025-03-10T13:10:00Z", NOW];

/// Times to look back to: before anything came, between the parts, and after everything.
pub const LOOKS: [&str; 5] = [
    "2025-03-10T11:00:00Z",
    "2025-03-10T12:00:00Z",
    "2025-03-10T13:00:00Z",
    "2025-03-10T14:00:00Z",
    "2025-03-10T23:00:00Z",
];

/// Records of one partner, ready to be imported file by file.
pub struct RandomPartner {
    /// What it was made from.
    pub seed: u64,
    /// Its name.
    pub name: String,
    /// Files in the order of their import.
    pub files: Vec<String>,
    /// The first and last month that questions are about.
    pub months: (String, String),
}

impl RandomPartner {
    /// The files received at a time of [`RECEIPTS`].
    pub fn received(&self, receipt: usize) -> impl Iterator<Item = &String> {
        let part = move |at: usize| at * RECEIPTS.len() / self.files.len();
        self.files.iter().enumerate().filter(move |(at, _)| part(*at) == receipt).map(|(_, file)| file)
    }
}

/// The precedences of provisional records.
const PROVISIONAL: [&str; 5] = ["named", "listed", "first_sight", "described", "known"];

/// Who and what there is, while a partner is being made.
pub struct Cast {
    /// Chance.
    pub random: Random,
    /// The first day of interest.
    pub first: NaiveDate,
    /// The last day anything happens.
    pub last: NaiveDate,
    /// Ids of customers, as they are compared.
    pub customers: Vec<String>,
    /// Ids of SKUs with the services they carry and whether they are free.
    pub skus: Vec<(String, Vec<String>, bool)>,
    /// Subscriptions with customer and SKU.
    pub subscriptions: Vec<(String, String, String)>,
    /// Records that may come in any order.
    pub lines: Vec<Value>,
    clock: u64,
}

impl Cast {
    /// Adds a record, sometimes with another one of the same key and other content, which one of the two replaces. Months are
    /// often reported again.
    pub fn add(&mut self, make: impl Fn(&mut Random) -> Value) {
        let first = make(&mut self.random);
        let reported = first["kind"].as_str().is_some_and(|kind| kind.starts_with("reported_"));
        let (second, third) = if reported { (60, 40) } else { (15, 5) };
        let more = usize::from(self.random.chance(second)) + usize::from(self.random.chance(third));
        let again = (0..more).map(|_| make(&mut self.random)).collect::<Vec<_>>();
        for (version, mut line) in std::iter::once(first).chain(again).enumerate() {
            if version == 0 || self.random.chance(65) {
                self.clock += 1 + self.random.below(50) as u64;
            } // else two versions were recorded at the same time
            let at: DateTime<Utc> = "2024-01-01T00:00:00Z".parse().expect("a time");
            let at = at + chrono::Duration::seconds(self.clock as i64);
            line["recorded_at"] = json!(at.to_rfc3339());
            if self.random.chance(15) {
                line["precedence"] = json!(self.random.one(&PROVISIONAL));
            }
            self.lines.push(line);
        }
    }

    /// A day of the partner; often one where months or windows end.
    pub fn day(&mut self) -> NaiveDate {
        let days = (self.last - self.first).num_days() as u64;
        let day = self.first + Days::new(self.random.below(days as usize + 1) as u64);
        let end = naive::calendar::Month::of(day).last_day();
        let day = match self.random.below(8) {
            0 => end,
            1 => end + Days::new(1),
            2 => end - Days::new(27),
            3 => end - Days::new(28),
            4 => NaiveDate::from_ymd_opt(2024, 2, 29).expect("a leap day"),
            _ => day,
        };
        day.clamp(self.first, self.last)
    }

    /// A month of the partner.
    pub fn month(&mut self) -> String {
        self.day().format("%Y-%m").to_string()
    }

    /// One of the customers.
    pub fn customer(&mut self) -> String {
        let customers = self.customers.clone();
        self.random.one(&customers)
    }
}

/// The partner of a seed.
pub fn make(seed: u64) -> RandomPartner {
    let mut random = Random::new(seed);
    let now: DateTime<Utc> = NOW.parse().expect("a time");
    let zone = random.pick(&["UTC", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata"]);
    let zone: chrono_tz::Tz = zone.parse().expect("a zone");
    let today = now.with_timezone(&zone).date_naive();
    let months = random.between(6, 14) as i32;
    // Half of the partners live around the leap day of 2024, half of them reach today.
    let last = if random.chance(50) { today } else { NaiveDate::from_ymd_opt(2024, 7, 19).expect("a day") };
    let last_month = naive::calendar::Month::of(last);
    let first_month = naive::calendar::Month(last_month.0 - months);
    let mut cast = Cast {
        random,
        first: first_month.first_day(),
        last,
        customers: Vec::new(),
        skus: Vec::new(),
        subscriptions: Vec::new(),
        lines: Vec::new(),
        clock: 0,
    };
    facts::all(&mut cast);
    let ancient = last == today && cast.random.chance(8);
    if ancient {
        oddities::ancient(&mut cast);
    }
    let through = through(&mut cast, today);
    let files = files(&mut cast, zone.name(), through);
    RandomPartner {
        seed,
        name: format!("partner-{seed}"),
        files,
        // History reaches back 127 months and no further.
        months: if ancient {
            ("2014-06".into(), "2014-12".into())
        } else {
            (first_month.before().to_string(), last_month.next().to_string())
        },
    }
}

/// None, one or two statements of how far the data goes; some months are partial.
fn through(cast: &mut Cast, today: NaiveDate) -> Vec<Value> {
    let mut days = Vec::new();
    for _ in 0..cast.random.below(3) {
        let day = match cast.random.below(4) {
            0 => naive::calendar::Month::of(cast.last).last_day(),
            1 => today + Days::new(3),
            2 => naive::calendar::Month::of(cast.last).before().last_day(),
            _ => cast.day(),
        };
        days.push(json!({"kind": "complete_through", "day": day.to_string()}));
    }
    days
}

/// Cuts records, in any order and some of them repeated, into files; whatever is taken back comes between them.
fn files(cast: &mut Cast, zone: &str, through: Vec<Value>) -> Vec<String> {
    let settings = json!({"kind": "partner", "name": "P", "time_zone": zone, "currency": "USD"});
    let stamped: Vec<Value> = cast.lines.iter().chain(&through).cloned().collect();
    let mut lines: Vec<String> = stamped.iter().map(|line| spell(&mut cast.random, line)).collect();
    lines.extend(oddities::bad(cast));
    let repeated: Vec<String> = lines.iter().filter(|_| cast.random.chance(10)).cloned().collect();
    lines.extend(repeated);
    cast.random.shuffle(&mut lines);
    let mut files = vec![settings.to_string()];
    let cuts = if cast.random.chance(15) { cast.random.between(6, 12) } else { cast.random.between(2, 4) };
    let size = lines.len() / cuts + 1;
    let parts: Vec<Vec<String>> = lines.chunks(size).map(<[String]>::to_vec).collect();
    let last = parts.len() - 1;
    for (at, mut part) in parts.into_iter().enumerate() {
        if at == last && cast.random.chance(60) {
            // What is taken back: everything before it in the file and in earlier files, and nothing after it.
            let cut = cast.random.below(part.len() + 1);
            let retracts = (0..cast.random.between(1, 4)).map(|_| oddities::retract(cast).to_string());
            part.splice(cut..cut, retracts.collect::<Vec<_>>());
        }
        files.push(part.join("\n"));
    }
    if cast.random.chance(50) {
        files.push(oddities::unstamped(cast).join("\n"));
    }
    if cast.random.chance(20) {
        // A file is imported twice.
        let again = cast.random.one(&files);
        files.push(again);
    }
    files
}

/// The same record in other words: fields in another order, blanks around ids, another case where case means nothing.
fn spell(random: &mut Random, line: &Value) -> String {
    let Value::Object(fields) = line else { return line.to_string() };
    let mut fields: Vec<(String, Value)> = fields.clone().into_iter().collect();
    random.shuffle(&mut fields);
    let fields = fields.into_iter().map(|(name, value)| {
        let value = match &value {
            Value::String(id) if name == "user_id" && random.chance(30) => json!(format!(" {} ", id.to_uppercase())),
            Value::String(id) if name.ends_with("_id") && random.chance(10) => json!(format!("{id} ")),
            Value::String(id) if name.ends_with("_id") && id.len() == 36 && random.chance(30) => {
                json!(id.to_uppercase())
            }
            _ => value,
        };
        (name, value)
    });
    Value::Object(fields.collect::<Map<_, _>>()).to_string()
}
