use insights_domain::calendar::Day;

use super::super::findings::MonthlySeats;

use super::*;

fn config() -> AdviceConfig {
    AdviceConfig::default()
}

/// A customer whose last month this is, and whose active seats were these before.
fn customer(last: MonthSeats, active: &[i64]) -> CustomerSeats {
    let first: Month = "2026-01".parse().unwrap();
    let mut months: Vec<(Month, MonthSeats)> =
        (0..).zip(active).map(|(later, active)| (first.plus(later), MonthSeats { active: *active, ..last })).collect();
    months.push((first.plus(i32::try_from(active.len()).unwrap()), last));
    CustomerSeats { customer: "C-1".into(), seats: MonthlySeats(months) }
}

fn seats(available: i64, assigned: i64, active: i64) -> MonthSeats {
    MonthSeats {
        available,
        assigned,
        active,
        unassigned: (available - assigned).max(0),
        idle: (assigned - active).max(0),
    }
}

/// Seats of one month alone.
fn now(seats: MonthSeats) -> MonthlySeats {
    MonthlySeats(vec![("2026-02".parse().unwrap(), seats)])
}

/// Seats without a problem: most are assigned, and most of those active.
fn healthy() -> MonthSeats {
    seats(100, 92, 80)
}

fn said(found: &AdviceFinding, name: &str) -> String {
    super::super::texts::NamedArguments(&found.arguments).say(name, insights_messages::Language::English)
}

#[test]
fn low_adoption_begins_below_the_threshold() {
    let at = |active| low_adoption(&customer(seats(100, 90, active), &[]), &config());
    assert_eq!(at(40), None);
    let found = at(39).unwrap();
    assert_eq!((found.code, found.score), (AdviceCode::LowAdoption, 61 * config().weights.low_adoption));
    assert_eq!([said(&found, "usage"), said(&found, "unassigned"), said(&found, "idle")], ["39 %", "10", "51"]);
    assert_eq!(low_adoption(&customer(seats(9, 1, 0), &[]), &config()), None, "too few seats");
    assert!(low_adoption(&customer(seats(10, 1, 0), &[]), &config()).is_some());
    assert_eq!(low_adoption(&customer(seats(0, 0, 0), &[]), &config()), None, "no seats are no bad use");
}

#[test]
fn idle_seats_are_many_and_a_great_part() {
    let at = |assigned, idle| {
        let of = MonthSeats { idle, ..seats(1000, assigned, assigned - idle) };
        idle_seats(&customer(of, &[]), &config())
    };
    assert_eq!(at(10, 4), None, "40 %, but few");
    assert_eq!(at(100, 32), None, "many, but a small part");
    let found = at(100, 33).unwrap();
    assert_eq!([said(&found, "idle"), said(&found, "assigned"), said(&found, "share")], ["33", "100", "33 %"]);
    assert!(at(12, 5).is_some());
}

#[test]
fn decline_is_steady_and_steep() {
    let of = |active: &[i64], now| {
        let found = steady_decline(&customer(seats(100, 100, now), active), &config());
        found.map(|found| (found.score, found.evidence[0].trend.len()))
    };
    assert_eq!(of(&[10, 99, 100, 90, 80], 70), Some((30 * config().weights.steady_decline, 4)));
    assert_eq!(of(&[100, 90, 80], 70), Some((30 * config().weights.steady_decline, 4)));
    assert_eq!(of(&[100, 90, 80], 71), None, "not steep");
    assert!(of(&[100, 60, 70], 50).is_some(), "a little up between two months");
    assert_eq!(of(&[100, 60, 71], 50), None, "it came back");
    assert_eq!(of(&[100, 40, 50], 61), None, "it is coming back");
    assert_eq!(of(&[90, 80], 20), None, "too short a time");
    assert_eq!(of(&[100, 0, 0], 0), None, "it fell once");
    assert_eq!(of(&[100, 100, 100], 50), None, "it fell once");
    assert!(of(&[100, 100, 60], 50).is_some());
    let lost = CustomerSeats { customer: "C-1".into(), ..customer(MonthSeats::default(), &[100, 90, 80]) };
    assert_eq!(steady_decline(&lost, &config()), None, "who is lost cannot be kept");
    assert_eq!(of(&[9, 8, 7], 5), None, "too few");
    assert_eq!(of(&[10, 8, 7], 5).map(|(score, _)| score), Some(5 * config().weights.steady_decline));
}

#[test]
fn seats_are_exhausted_when_given_out_and_used() {
    let at = |seats| {
        let of = SkuSeats { customer: "C-1".into(), sku: "E3".into(), seats: now(seats) };
        seats_nearly_exhausted(&of, &config())
    };
    assert!(at(seats(100, 98, 75)).is_some());
    assert_eq!(at(seats(100, 97, 90)), None);
    assert_eq!(at(seats(100, 100, 74)), None, "given out, but not used: more would not be");
    assert_eq!(at(seats(9, 9, 9)), None);
    let over = at(seats(100, 130, 120)).unwrap();
    assert_eq!((over.sku.0.as_str(), said(&over, "missing").as_str()), ("E3", "30"));
    assert_eq!(over.score, 40 * config().weights.seats_nearly_exhausted);
}

fn ending_in(days: i32, seats: MonthSeats) -> EndingSubscription {
    let end = Day::from_ymd(2026, 3, 1).unwrap();
    let sku = ("E3".to_owned(), "Microsoft 365 E3".to_owned());
    EndingSubscription { customer: "C-1".into(), subscription: "S-1".into(), sku, end, days, seats: now(seats) }
}

#[test]
fn unassigned_seats_matter_when_the_end_is_near() {
    let at = |days, unassigned: i64| {
        unassigned_before_renewal(&ending_in(days, seats(100, 100 - unassigned, 50)), &config())
    };
    assert!(at(0, 25).is_some() && at(60, 25).is_some());
    assert!(at(61, 25).is_none() && at(-1, 25).is_none(), "far, or past");
    assert_eq!(at(10, 24), None);
    assert_eq!(unassigned_before_renewal(&ending_in(10, seats(8, 4, 4)), &config()), None, "half, but few");
    let found = at(10, 30).unwrap();
    assert_eq!((found.subscription.as_str(), found.sku.1.as_str()), ("S-1", "Microsoft 365 E3"));
    assert_eq!([said(&found, "end"), said(&found, "days"), said(&found, "share")], ["2026-03-01", "10", "30 %"]);
}

#[test]
fn a_trial_that_is_used_is_worth_an_offer() {
    let at = |days, active| {
        trial_ending(&ending_in(days, MonthSeats { active, ..MonthSeats::default() }), &config()).is_some()
    };
    assert!(at(0, 3) && at(30, 3));
    assert!(!at(31, 3) && !at(-1, 3) && !at(10, 2));
}

#[test]
fn how_to_cases_of_the_last_months_count() {
    let last: Month = "2026-03".parse().unwrap();
    let of = |months: &[(&str, i64, i64)]| {
        let months = months.iter().map(|(month, total, how_to)| (month.parse().unwrap(), *total, *how_to)).collect();
        how_to_cases(&CustomerCases { customer: "C-1".into(), months }, last, &config())
    };
    let found = of(&[("2026-01", 5, 4), ("2026-03", 6, 4)]).unwrap();
    assert_eq!([said(&found, "how_to"), said(&found, "total"), said(&found, "months")], ["8", "11", "3"]);
    let by_month: Vec<i64> = found.evidence[0].trend.iter().map(|point| point.value).collect();
    assert_eq!((by_month, found.evidence[0].value), (vec![4, 0, 4], 8));
    assert_eq!(of(&[("2026-01", 5, 4), ("2026-03", 3, 3)]), None, "few");
    assert_eq!(of(&[("2025-12", 9, 9), ("2026-03", 3, 3)]), None, "long ago");
    assert_eq!(of(&[("2026-02", 14, 8)]), None, "most were about something else");
    assert!(of(&[("2026-02", 13, 8)]).is_some());
}

#[test]
fn a_healthy_customer_gets_no_advice() {
    let steady = customer(healthy(), &[79, 81, 80, 80, 81]);
    assert_eq!(low_adoption(&steady, &config()), None);
    assert_eq!(idle_seats(&steady, &config()), None);
    assert_eq!(steady_decline(&steady, &config()), None);
    let of_sku = SkuSeats { customer: "C-1".into(), sku: "E3".into(), seats: now(healthy()) };
    assert_eq!(seats_nearly_exhausted(&of_sku, &config()), None);
    assert_eq!(unassigned_before_renewal(&ending_in(10, healthy()), &config()), None);
}

#[test]
fn every_rule_has_words_for_all_it_knows() {
    let config = config();
    let found = [
        low_adoption(&customer(seats(100, 50, 5), &[]), &config),
        idle_seats(&customer(seats(100, 50, 5), &[]), &config),
        steady_decline(&customer(seats(100, 90, 5), &[90, 80, 70, 60]), &config),
        seats_nearly_exhausted(
            &SkuSeats { customer: "C".into(), sku: "E3".into(), seats: now(seats(10, 10, 10)) },
            &config,
        ),
        unassigned_before_renewal(&ending_in(10, seats(100, 50, 5)), &config),
        trial_ending(&ending_in(10, seats(0, 0, 5)), &config),
        how_to_cases(
            &CustomerCases { customer: "C".into(), months: vec![("2026-03".parse().unwrap(), 9, 9)] },
            "2026-03".parse().unwrap(),
            &config,
        ),
    ];
    let mut codes = Vec::new();
    for mut found in found.into_iter().flatten() {
        name(&mut found, "Contoso", "E3");
        codes.push(found.code);
        for language in insights_messages::Language::ALL {
            let arguments = super::super::texts::NamedArguments(&found.arguments);
            let said = super::super::texts::texts(found.code, arguments, language);
            for text in [&said.title, &said.problem, &said.because, &said.consider, &said.to_try] {
                // A name that is not there would leave a gap, or stand there as it is.
                assert!(!text.is_empty() && !text.contains("  ") && !text.contains("()"), "{:?}: {text}", found.code);
                assert!(
                    !text.contains(" ,") && !text.contains(" .") && !text.contains('{'),
                    "{:?}: {text}",
                    found.code
                );
            }
            assert!(said.title.contains("Contoso"), "{said:?}");
        }
        assert!(found.evidence.iter().all(|evidence| evidence.kind != 0));
    }
    codes.sort_by_key(|code| *code as i32);
    let all: Vec<AdviceCode> = (1..).map_while(|code| AdviceCode::try_from(code).ok()).collect();
    assert_eq!(codes, all);
}
