//! How long entries are kept.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta};
use insights_access::Viewer;
use insights_reporting::{Audit, AuditConfig};
use insights_service::Clock;
use insights_testkit::TempDatabase;

use crate::reads::PARTNER;

const DAY: i64 = 86_400;

/// An audit whose time a test moves, with an entry for every day of a year and of two partners.
async fn a_year(database: &TempDatabase, keep_days: u32) -> (Audit, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(1_750_000_000));
    let clock = {
        let now = Arc::clone(&now);
        Clock::new(move || DateTime::from_timestamp(now.load(Ordering::SeqCst), 0).unwrap_or_default())
    };
    let audit = Audit::open(database.url(), AuditConfig { keep_days, ..AuditConfig::default() }, clock).await.unwrap();
    let ending = insights_reporting::CallOutcome { outcome: tonic::Code::Ok, rows: 1, redacted: false };
    for _ in 0..365 {
        now.fetch_add(DAY, Ordering::SeqCst);
        for partner in [PARTNER, "fabrikam"] {
            let viewer = Viewer::stored(partner, "report_viewer", None);
            audit.record_as("ada", &viewer, "/x/Y", "{}", ending).await.unwrap();
        }
    }
    (audit, now)
}

async fn entries_go_when_their_time_is_over(database: TempDatabase) {
    let (audit, now) = a_year(&database, 100).await;
    assert_eq!(audit.sweep().await.unwrap(), 2 * 264, "those of exactly 100 days ago stay");
    for partner in [PARTNER, "fabrikam"] {
        let left = audit.newest(partner, 1_000).await.unwrap();
        assert_eq!(left.len(), 101, "{partner}");
        let newest = DateTime::from_timestamp_micros(left[0].at_micros).unwrap();
        let oldest = DateTime::from_timestamp_micros(left[100].at_micros).unwrap();
        assert_eq!(newest - oldest, TimeDelta::days(100));
    }
    assert_eq!(audit.sweep().await.unwrap(), 0);
    now.fetch_add(1_000 * DAY, Ordering::SeqCst);
    assert_eq!(audit.sweep().await.unwrap(), 202);
}

async fn without_a_term_everything_is_kept(database: TempDatabase) {
    let (audit, now) = a_year(&database, 0).await;
    now.fetch_add(10_000 * DAY, Ordering::SeqCst);
    assert_eq!(audit.sweep().await.unwrap(), 0);
    assert_eq!(audit.newest(PARTNER, 1_000).await.unwrap().len(), 365);
}

#[tokio::test]
async fn entries_go_when_their_time_is_over_on_sqlite() {
    entries_go_when_their_time_is_over(TempDatabase::sqlite()).await;
}

#[tokio::test]
async fn entries_go_when_their_time_is_over_on_postgres() {
    entries_go_when_their_time_is_over(TempDatabase::postgres()).await;
}

#[tokio::test]
async fn without_a_term_everything_is_kept_on_sqlite() {
    without_a_term_everything_is_kept(TempDatabase::sqlite()).await;
}
