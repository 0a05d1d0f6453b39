use chrono::TimeZone;
use proptest::prelude::*;

use super::*;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

#[test]
fn days_and_months_read_and_print() {
    assert_eq!(day("1970-01-01").epoch_days(), 0);
    assert_eq!(day("2024-02-29").plus(1).to_string(), "2024-03-01");
    assert_eq!(day("2024-02-29").day_of_month(), 29);
    assert_eq!(day("2023-12-31").month().to_string(), "2023-12");
    assert_eq!(month("2024-02").last_day(), day("2024-02-29"));
    assert_eq!(month("2024-01").previous(), month("2023-12"));
    assert_eq!(month("2024-01").index(), 2024 * 12);
    assert_eq!(Day::from_ymd(1899, 12, 31), None);
    assert_eq!(Day::from_ymd(2200, 1, 1), None);
    assert_eq!(Day::from_epoch_days(0), Some(day("1970-01-01")));
    assert_eq!(Day::from_epoch_days(i32::MAX), None);
    assert_eq!(Day::from_epoch_days(-30_000), None);
    assert_eq!(Month::from_index(1900 * 12).unwrap().to_string(), "1900-01");
    assert_eq!(Month::from_index(1900 * 12 - 1), None);
}

#[test]
fn what_is_no_day_or_month_is_refused() {
    for text in [
        "",
        "2024-2-29",
        "2023-02-29",
        "0000-01-01",
        "10000-01-01",
        "2024-01-01 ",
        "2024-01-01-",
        "+024-01-01",
        "2024-13-01",
    ] {
        assert_eq!(text.parse::<Day>(), Err(CalendarError::Day), "{text}");
    }
    for text in ["", "2026-13", "2026-00", "2026-1", "1899-12", "2200-01", "2026-01-01", "2026"] {
        assert_eq!(text.parse::<Month>(), Err(CalendarError::Month), "{text}");
    }
}

#[test]
fn a_day_is_one_of_the_partners_time_zone() {
    let instant = Utc.with_ymd_and_hms(2026, 3, 1, 2, 0, 0).unwrap();
    assert_eq!(Day::of_instant(instant, Tz::UTC), day("2026-03-01"));
    assert_eq!(Day::of_instant(instant, Tz::America__Sao_Paulo), day("2026-02-28"));
}

#[test]
fn the_snapshot_day_is_the_last_or_the_last_complete() {
    assert_eq!(month("2026-02").snapshot_day(day("2026-03-05")), day("2026-02-28"));
    assert_eq!(month("2026-03").snapshot_day(day("2026-03-05")), day("2026-03-05"));
}

#[test]
fn activity_counts_through_its_28th_day() {
    let counts = |active: &str, on: &str| {
        let active = day(active);
        let days = 1 << (active.day_of_month() - 1);
        Window::ending(day(on)).cut(active.month(), days) != 0
    };
    assert!(counts("2026-03-01", "2026-03-28"));
    assert!(!counts("2026-03-01", "2026-03-29"));
    assert!(counts("2024-02-29", "2024-03-27"));
    assert!(!counts("2024-02-29", "2024-03-28"));
    assert!(!counts("2026-03-02", "2026-03-01"));
}

proptest! {
    #[test]
    fn a_cut_holds_exactly_the_days_of_the_window(last in 10_000_i32..30_000, back in -40_i32..100, days: u32) {
        let last = Day::from_epoch_days(last).unwrap();
        let month = last.plus(-back).month();
        let window = Window::ending(last);
        prop_assert_eq!((window.first(), window.last()), (last.plus(-27), last));
        let cut = window.cut(month, days);
        for position in 0..32 {
            let day = window.first().plus(position);
            let within = position < 28 && day.month() == month && days >> (day.day_of_month() - 1) & 1 == 1;
            // A mask with bits past the month's end names days of the next month; nobody stores such a mask.
            let past_end = position < 28 && day > month.last_day();
            prop_assert!(past_end || (cut >> position & 1 == 1) == within);
        }
    }

    #[test]
    fn between_holds_exactly_the_days_held(last in 10_000_i32..30_000, from in -60_i32..60, length in proptest::option::of(1_i32..90)) {
        let last = Day::from_epoch_days(last).unwrap();
        let window = Window::ending(last);
        let from = last.plus(from);
        let to = length.map(|length| from.plus(length));
        let held = window.between(from, to);
        for position in 0..32 {
            let day = window.first().plus(position);
            let expected = position < 28 && day >= from && to.is_none_or(|to| day < to);
            prop_assert_eq!(held >> position & 1 == 1, expected);
        }
    }

    #[test]
    fn days_and_months_survive_printing(days in -25_000_i32..80_000) {
        let day = Day::from_epoch_days(days).unwrap();
        prop_assert_eq!(day.to_string().parse::<Day>(), Ok(day));
        prop_assert_eq!(day.month().to_string().parse::<Month>(), Ok(day.month()));
        prop_assert!(day.month().first_day() <= day && day <= day.month().last_day());
        prop_assert_eq!(day.month().first_day().plus(day.day_of_month() as i32 - 1), day);
    }
}

#[test]
fn dates_outside_of_the_data_stand_for_none() {
    for never in ["9999-12-31", "2200-01-01", "0001-01-01", "1899-12-30", "0000-00-00"] {
        assert!(Day::is_never(never), "{never}");
    }
    for other in ["2199-12-31", "1900-01-01", "10000-01-01", "9999-13-01", "9999-12-31T00:00:00", "never", ""] {
        assert!(!Day::is_never(other), "{other}");
    }
}
