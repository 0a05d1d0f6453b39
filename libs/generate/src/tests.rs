use std::collections::{BTreeMap, BTreeSet};

use insights_import::{self as import, Collected, Format};
use insights_proto::ingestion::v1::record::Kind;

use super::*;

fn options(seed: u64) -> GenerateOptions {
    GenerateOptions { customers: 80, months: 24, seed, end: Day::from_ymd(2025, 8, 17).unwrap() }
}

fn made(seed: u64) -> Collected {
    let mut made = Collected::default();
    generate(&options(seed), &mut made).unwrap();
    made
}

#[test]
fn the_same_seed_gives_the_same_partner() {
    let (one, two, other) = (made(1), made(1), made(2));
    assert_eq!(one.records, two.records);
    assert_eq!(one.activity, two.activity);
    assert_ne!(one.records, other.records);
}

#[test]
fn the_partner_is_believable() {
    let made = made(3);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut statuses = BTreeSet::new();
    let mut seats = Vec::new();
    for (_, record) in &made.records {
        let kind = match record.kind.as_ref().unwrap() {
            Kind::SubscriptionState(state) => {
                statuses.insert(state.status.clone());
                seats.push(state.seats.unwrap());
                "state"
            }
            Kind::Assignment(_) => "assignment",
            Kind::Licensed(_) => "licensed",
            Kind::Revenue(_) => "revenue",
            Kind::SupportCases(_) => "cases",
            Kind::ReportedSeats(_) => "reported seats",
            Kind::Subscription(subscription) if subscription.trial => "trial",
            _ => "other",
        };
        *kinds.entry(kind).or_default() += 1;
    }
    for kind in ["state", "assignment", "licensed", "revenue", "cases", "reported seats", "trial"] {
        assert!(kinds.contains_key(kind), "no {kind}: {kinds:?}");
    }
    for status in ["Active", "InGracePeriod", "Deleted", "Disabled"] {
        assert!(statuses.contains(status), "no {status}: {statuses:?}");
    }
    assert!(seats.iter().any(|seats| [10_000, 50_000, 1_000_000].contains(seats)));
    let days: Vec<Day> = made.activity.iter().map(|(_, activity)| activity.day).collect();
    assert!(days.iter().all(|day| *day <= options(3).end && *day >= Day::from_ymd(2023, 9, 1).unwrap()));
    let of =
        |month: u32| days.iter().filter(|day| day.month() == Day::from_ymd(2024, month, 1).unwrap().month()).count();
    assert!(of(8) < of(10), "August {} is not quieter than October {}", of(8), of(10));
}

#[test]
fn what_is_written_is_what_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(folder.path()).unwrap();
    generate(&options(4), &mut writer).unwrap();
    let (written, paths) = writer.finish().unwrap();
    let mut read = Collected::default();
    for path in paths {
        let mut file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
        let options = import::ReadOptions::on(options(4).end);
        import::read(Format::Ndjson, &mut file, &options, &mut read).unwrap();
    }
    assert_eq!(read.rejections, []);
    assert_eq!(read.records.len() + read.activity.len(), usize::try_from(written).unwrap());
    let made = made(4);
    let sorted = |collected: &Collected| {
        let mut records: Vec<String> = collected.records.iter().map(|(_, record)| format!("{record:?}")).collect();
        records.sort();
        records
    };
    assert_eq!(sorted(&read), sorted(&made));
    assert_eq!(read.activity.len(), made.activity.len());
}
