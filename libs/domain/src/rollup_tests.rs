use super::*;
use crate::coverage::USERS_REPORT;
use crate::facts::{Activity, Assignment, Licence};

const E3: SkuNumber = 1;
const CRM: SkuNumber = 2;
const ABSENT: SkuNumber = 9;
const EXCHANGE: ServiceNumber = 1;
const YAMMER: ServiceNumber = 2;
const SALES: ServiceNumber = 3;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn catalogue() -> Catalogue {
    Catalogue { services: [(E3, vec![EXCHANGE, YAMMER]), (CRM, vec![SALES])].into(), ..Catalogue::default() }
}

fn number(number: u32) -> SubscriptionNumber {
    SubscriptionNumber::of_subscription(number)
}

fn subscription(code: u32, sku: SkuNumber, states: &[(&str, &str, u32)]) -> SubscriptionFacts {
    let states = states.iter().map(|(effective, status, seats)| State {
        effective: day(effective),
        status: (*status).to_owned(),
        seats: *seats,
        sku: None,
        trial: None,
    });
    SubscriptionFacts {
        number: number(code),
        sku,
        trial: false,
        paid_by_use: false,
        states: states.collect(),
        assignments: Vec::new(),
        reported: Vec::new(),
        revenue: Vec::new(),
        absences: Vec::new(),
    }
}

fn assigned(user: u32, from: &str, to: Option<&str>) -> Assignment {
    Assignment { user, from: day(from), to: to.map(day) }
}

fn customer(subscriptions: Vec<SubscriptionFacts>, activity: &[(u32, ServiceNumber, &str)]) -> CustomerFacts {
    let mut facts = CustomerFacts { known: true, subscriptions, ..CustomerFacts::default() };
    for (user, service, on) in activity {
        let on = day(on);
        facts.activity.push(Activity {
            user: *user,
            service: *service,
            month: on.month(),
            days: 1 << (on.day_of_month() - 1),
        });
        let first = facts.first_activity.entry(*service).or_insert(on);
        *first = (*first).min(on);
    }
    facts
}

fn report(of: &str, available: u32, assigned: Option<u32>, active: Option<u32>) -> ReportedSeats {
    ReportedSeats {
        month: month(of),
        sku: None,
        available,
        grace: 0,
        assigned,
        active,
        status: None,
        seller: None,
        attributions: Vec::new(),
        report: String::new(),
        of_customer: false,
    }
}

fn rolled(facts: &CustomerFacts, complete_through: &str) -> Vec<(Month, MonthRollup)> {
    roll_up(facts, &catalogue(), day(complete_through), month("1990-01"))
}

fn at(facts: &CustomerFacts, complete_through: &str) -> MonthRollup {
    let complete_through = day(complete_through);
    let all = rolled(facts, &complete_through.to_string());
    all.into_iter().find(|(of, _)| *of == complete_through.month()).map(|(_, rollup)| rollup).unwrap_or_default()
}

/// Seats, assigned, active, active and still assigned of the only subscription.
fn seats(rollup: &MonthRollup) -> (u32, u32, u32, u32) {
    let [row] = rollup.subscriptions.as_slice() else { panic!("one subscription: {rollup:?}") };
    (row.seats, row.assigned, row.active, row.active_assigned)
}

#[test]
fn a_seat_moved_between_two_active_users_is_active_twice() {
    let mut seat = subscription(1, E3, &[("2026-05-01", "Active", 1)]);
    seat.assignments = vec![assigned(1, "2026-05-01", Some("2026-05-10")), assigned(2, "2026-05-10", None)];
    let facts = customer(vec![seat], &[(1, EXCHANGE, "2026-05-03"), (2, EXCHANGE, "2026-05-12")]);
    let on_the_20th = at(&facts, "2026-05-20");
    assert_eq!(seats(&on_the_20th), (1, 1, 2, 1));
    let classes = vec![
        UserClass { active_services: vec![EXCHANGE], held_before: vec![number(1)], users: 1, ..UserClass::default() },
        UserClass { active_services: vec![EXCHANGE], held: vec![number(1)], users: 1, ..UserClass::default() },
    ];
    assert_eq!(on_the_20th.classes, classes);
    assert_eq!(on_the_20th.active_services, vec![EXCHANGE]);
    assert_eq!(seats(&at(&facts, "2026-05-31")), (1, 1, 1, 1));
}

#[test]
fn use_counts_only_on_days_the_seat_was_held_and_on_services_of_its_sku() {
    let mut seat = subscription(1, E3, &[("2026-05-01", "Active", 5)]);
    seat.assignments = vec![
        assigned(1, "2026-05-10", None),
        assigned(2, "2026-05-01", None),
        assigned(3, "2026-05-20", Some("2026-05-25")),
        assigned(3, "2026-05-22", None),
    ];
    let facts = customer(
        vec![seat],
        &[(1, EXCHANGE, "2026-05-09"), (2, SALES, "2026-05-12"), (3, YAMMER, "2026-05-26"), (4, YAMMER, "2026-05-26")],
    );
    let may = at(&facts, "2026-05-31");
    assert_eq!(seats(&may), (5, 3, 1, 1));
    assert_eq!(may.active_services, vec![EXCHANGE, YAMMER, SALES]);
    assert_eq!(may.classes.iter().map(|class| class.users).sum::<u32>(), 4);
    // On the 9th nobody but user 2 holds a seat; assignments that lie ahead are not yet held.
    assert_eq!(seats(&at(&facts, "2026-05-09")), (5, 1, 0, 0));
}

#[test]
fn days_of_overlapping_assignments_and_of_several_services_unite() {
    let mut seat = subscription(1, E3, &[("2026-05-01", "Active", 5)]);
    seat.assignments =
        vec![assigned(1, "2026-05-20", Some("2026-05-25")), assigned(1, "2026-05-22", Some("2026-05-24"))];
    let facts = customer(vec![seat], &[(1, EXCHANGE, "2026-05-22"), (1, YAMMER, "2026-05-22")]);
    assert_eq!(seats(&at(&facts, "2026-05-31")), (5, 0, 1, 0));
}

#[test]
fn the_latest_state_decides_with_its_own_sku_and_trial() {
    let mut seat = subscription(1, E3, &[("2026-01-10", "Active", 5), ("2026-03-05", "suspended", 6)]);
    seat.states.reverse();
    seat.trial = true;
    seat.states[0].sku = Some(CRM);
    seat.states[0].trial = Some(false);
    let rows: Vec<_> = rolled(&customer(vec![seat], &[]), "2026-04-02")
        .into_iter()
        .map(|(of, rollup)| (of.to_string(), rollup.subscriptions[0].clone()))
        .collect();
    let figures: Vec<_> = rows
        .iter()
        .map(|(of, row)| (of.as_str(), row.standing, row.trial, row.sku, row.seats, row.has_state))
        .collect();
    let expected = vec![
        ("2026-01", Standing::Active, true, E3, 5, true),
        ("2026-02", Standing::Active, true, E3, 5, true),
        ("2026-03", Standing::Suspended, false, CRM, 6, true),
        ("2026-04", Standing::Suspended, false, CRM, 6, true),
    ];
    assert_eq!(figures, expected);
}

#[test]
fn what_has_not_come_keeps_the_rest_waiting() {
    let mut seat = subscription(1, E3, &[("2026-01-10", "Active", 5), ("2026-02-05", "Active", 9)]);
    seat.states[1].sku = Some(ABSENT);
    let waiting = subscription(2, ABSENT, &[("2026-01-10", "Active", 5)]);
    let mut facts = customer(vec![seat, waiting], &[]);
    facts.by_sku.push(BySku {
        sku: ABSENT,
        reported: vec![report("2026-02", 5, None, None)],
        revenue: Vec::new(),
        absences: Vec::new(),
    });
    assert_eq!(seats(&at(&facts, "2026-02-28")).0, 5);
    facts.known = false;
    assert_eq!(rolled(&facts, "2026-02-28"), Vec::new());
}

#[test]
fn a_subscription_without_a_state_is_pending_and_its_users_count_as_users() {
    let mut seat = subscription(1, E3, &[("2026-06-01", "Active", 5)]);
    seat.assignments = vec![assigned(1, "2026-05-01", None)];
    let facts = customer(vec![seat], &[(1, EXCHANGE, "2026-05-03")]);
    let may = at(&facts, "2026-05-20");
    assert_eq!(seats(&may), (0, 1, 1, 1));
    let row = &may.subscriptions[0];
    assert_eq!((row.standing, row.has_state), (Standing::Pending, false));
    assert_eq!(
        at(
            &customer(vec![subscription(1, E3, &[("2026-06-01", "Active", 5)])], &[(1, EXCHANGE, "2026-05-03")]),
            "2026-05-20"
        )
        .subscriptions,
        Vec::new()
    );
}

#[test]
fn licences_make_classes_of_their_own() {
    let mut facts = customer(Vec::new(), &[(1, YAMMER, "2026-05-20")]);
    let licence =
        |user, from: &str, to: Option<&str>| Licence { user, service: YAMMER, from: day(from), to: to.map(day) };
    facts.licences = vec![
        licence(1, "2026-05-01", None),
        licence(2, "2026-04-01", Some("2026-05-10")),
        licence(3, "2026-01-01", Some("2026-05-04")),
    ];
    let classes = vec![
        UserClass { licensed_before: vec![YAMMER], users: 1, ..UserClass::default() },
        UserClass { active_services: vec![YAMMER], licensed: vec![YAMMER], users: 1, ..UserClass::default() },
    ];
    assert_eq!(at(&facts, "2026-05-31").classes, classes);
}

#[test]
fn a_report_serves_where_no_detail_of_its_kind_exists() {
    let mut seat = subscription(1, E3, &[]);
    seat.trial = true;
    seat.reported = vec![report("2026-05", 20, Some(15), Some(12)), report("2026-07", 30, None, None)];
    seat.reported[0].attributions = vec![Attribution { location: Some("L1".to_owned()), kind: None }];
    seat.reported[1].status = Some("Suspended".to_owned());
    let facts = customer(vec![seat.clone()], &[]);
    let may = at(&facts, "2026-05-31");
    assert_eq!(seats(&may), (20, 15, 12, 12));
    let row = &may.subscriptions[0];
    assert_eq!(row.reported, Reported { seats: true, assigned: true, active: true });
    assert_eq!((row.standing, row.trial, row.has_state), (Standing::Active, true, true));
    assert_eq!(row.attributions.len(), 1);
    assert!(at(&facts, "2026-06-30").is_empty());
    let july = at(&facts, "2026-07-31");
    assert_eq!(seats(&july), (30, 0, 0, 0));
    assert_eq!(
        (july.subscriptions[0].standing, july.subscriptions[0].reported),
        (Standing::Suspended, Reported { seats: true, ..Reported::default() })
    );
    // Detail of each kind takes over from the day it begins, and absence then means zero.
    seat.states = subscription(1, E3, &[("2026-05-31", "Active", 3)]).states;
    seat.assignments = vec![assigned(7, "2026-05-31", None)];
    let facts = customer(vec![seat.clone()], &[(9, EXCHANGE, "2026-05-31")]);
    assert_eq!(seats(&at(&facts, "2026-05-31")), (3, 1, 0, 0));
    assert_eq!(at(&facts, "2026-05-31").subscriptions[0].reported, Reported::default());
    assert_eq!(seats(&at(&facts, "2026-05-30")), (20, 15, 12, 12));
    assert_eq!(seats(&at(&customer(vec![seat], &[(9, SALES, "2026-05-01")]), "2026-05-31")), (3, 1, 12, 12));
}

#[test]
fn rows_by_customer_and_sku_serve_only_without_a_subscription_of_that_sku() {
    let revenue = |currency: &str, seller| Revenue {
        month: month("2026-05"),
        sku: None,
        currency: currency.to_owned(),
        amount: Amount::from_micros(5),
        seller,
    };
    let by_sku = BySku {
        sku: CRM,
        reported: vec![report("2026-05", 8, Some(7), Some(6))],
        revenue: vec![revenue("USD", Some(Seller::Own)), revenue("EUR", Some(Seller::Direct))],
        absences: Vec::new(),
    };
    let mut facts = customer(Vec::new(), &[]);
    facts.by_sku.push(by_sku);
    let may = at(&facts, "2026-05-31");
    assert_eq!(seats(&may), (8, 7, 6, 6));
    let row = may.subscriptions[0].clone();
    assert_eq!(
        (row.subscription.sku(), row.standing, row.has_state, row.trial, row.seller),
        (Some(CRM), Standing::Active, true, false, Some(Seller::Direct))
    );
    assert_eq!(row.revenue.iter().map(|(currency, _)| currency.as_str()).collect::<Vec<_>>(), ["EUR", "USD"]);
    assert_eq!(row.reported, Reported { seats: true, assigned: true, active: true });
    facts.by_sku[0].reported[0].seller = Some(Seller::Own);
    assert_eq!(at(&facts, "2026-05-31").subscriptions[0].seller, Some(Seller::Own));
    facts.by_sku[0].reported[0].seller = None;
    facts.by_sku[0].revenue.iter_mut().for_each(|row| row.seller = None);
    assert_eq!(at(&facts, "2026-05-31").subscriptions[0].seller, Some(Seller::Other));
    // Activity known on the SKU's services means zero for a report without users.
    let mut active = facts.clone();
    active.first_activity.insert(SALES, day("2026-05-31"));
    assert_eq!(seats(&at(&active, "2026-05-31")), (8, 7, 0, 0));
    // A subscription of the SKU with seats in the month takes the seats over, not the revenue.
    facts.subscriptions.push(subscription(1, CRM, &[("2026-05-31", "Disabled", 2)]));
    let rows = at(&facts, "2026-05-31").subscriptions;
    assert_eq!(
        rows.iter()
            .map(|row| (row.subscription.sku(), row.seats, row.has_state, row.revenue.len()))
            .collect::<Vec<_>>(),
        [(None, 2, true, 0), (Some(CRM), 0, false, 2)]
    );
    assert_eq!(rows[1].standing, Standing::Pending);
    facts.subscriptions[0].states.clear();
    facts.subscriptions[0].reported = vec![report("2026-05", 1, None, None), report("2026-04", 1, None, None)];
    assert_eq!(at(&facts, "2026-05-31").subscriptions.iter().map(|row| row.seats).collect::<Vec<_>>(), [1, 0]);
    // With revenue of its own too, nothing is left of the row; of another SKU it leaves it alone.
    facts.subscriptions[0].revenue = vec![revenue("USD", None)];
    assert_eq!(at(&facts, "2026-05-31").subscriptions.iter().map(|row| row.revenue.len()).collect::<Vec<_>>(), [1]);
    facts.subscriptions[0].sku = E3;
    assert_eq!(at(&facts, "2026-05-31").subscriptions.iter().map(|row| row.seats).collect::<Vec<_>>(), [1, 8]);
    facts.subscriptions[0].reported.clear();
    facts.subscriptions[0].sku = CRM;
    facts.subscriptions[0].revenue[0].month = month("2026-06");
    assert_eq!(
        at(&facts, "2026-05-31").subscriptions.iter().map(|row| (row.seats, row.revenue.len())).collect::<Vec<_>>(),
        [(8, 2)]
    );
    // What it has in another month is no data of this one.
    facts.subscriptions[0].revenue.clear();
    facts.subscriptions[0].reported = vec![report("2026-04", 1, None, None)];
    assert_eq!(at(&facts, "2026-05-31").subscriptions.iter().map(|row| row.seats).collect::<Vec<_>>(), [8]);
}

#[test]
fn reported_usage_serves_where_nothing_is_known_of_its_kind() {
    let mut facts = customer(vec![subscription(1, E3, &[])], &[]);
    facts.reported_usage.push(ReportedUsage {
        service: YAMMER,
        month: month("2026-05"),
        paid_available_units: 20,
        monthly_active_users: 30,
        attributions: Vec::new(),
    });
    let usage = |facts: &CustomerFacts, on: &str| {
        at(facts, on).reported_usage.first().map(|row| (row.service, row.active_users, row.total_users))
    };
    assert_eq!(usage(&facts, "2026-05-31"), Some((YAMMER, Some(30), Some(20))));
    assert_eq!(usage(&facts, "2026-06-30"), None);
    facts.first_activity.insert(EXCHANGE, day("2026-05-01"));
    facts.subscriptions[0].assignments = vec![assigned(1, "2026-06-01", None)];
    assert_eq!(usage(&facts, "2026-05-31"), Some((YAMMER, Some(30), Some(20))));
    facts.first_activity.insert(YAMMER, day("2026-05-31"));
    assert_eq!(usage(&facts, "2026-05-30"), Some((YAMMER, Some(30), Some(20))));
    assert_eq!(usage(&facts, "2026-05-31"), Some((YAMMER, None, Some(20))));
    facts.subscriptions[0].assignments = vec![assigned(1, "2026-05-31", None)];
    assert_eq!(usage(&facts, "2026-05-31"), None);
    assert_eq!(usage(&facts, "2026-05-30"), Some((YAMMER, Some(30), Some(20))));
    facts.first_activity.clear();
    facts.subscriptions[0].sku = CRM;
    assert_eq!(usage(&facts, "2026-05-31"), Some((YAMMER, Some(30), Some(20))));
    facts.licences = vec![Licence { user: 1, service: YAMMER, from: day("2026-05-31"), to: None }];
    assert_eq!(usage(&facts, "2026-05-30"), Some((YAMMER, Some(30), Some(20))));
    assert_eq!(usage(&facts, "2026-05-31"), Some((YAMMER, Some(30), None)));
    facts.licences[0].service = EXCHANGE;
    assert_eq!(usage(&facts, "2026-05-31"), Some((YAMMER, Some(30), Some(20))));
}

#[test]
fn months_run_from_the_first_fact_to_complete_through() {
    let months = |facts: &CustomerFacts, from: &str| {
        let months = roll_up(facts, &catalogue(), day("2026-05-20"), month(from));
        months.iter().map(|(of, _)| of.to_string()).collect::<Vec<_>>()
    };
    let facts = customer(vec![subscription(1, E3, &[("2026-03-31", "Active", 1), ("2026-06-01", "Active", 2)])], &[]);
    assert_eq!(months(&facts, "1990-01"), ["2026-03", "2026-04", "2026-05"]);
    assert_eq!(months(&facts, "2026-05"), ["2026-05"]);
    assert_eq!(months(&customer(Vec::new(), &[(1, EXCHANGE, "2026-04-25")]), "1990-01"), ["2026-04", "2026-05"]);
    let long = customer(vec![subscription(1, E3, &[("2001-03-31", "Active", 1)])], &[]);
    let all = months(&long, "1990-01");
    assert_eq!((all.len(), all[0].as_str()), (128, "2015-10"));
    let mut licensed = customer(Vec::new(), &[]);
    licensed.licences =
        vec![Licence { user: 1, service: YAMMER, from: day("2026-04-01"), to: Some(day("2026-04-02")) }];
    assert_eq!(months(&licensed, "1990-01"), Vec::<String>::new());
    licensed.licences[0].to = None;
    assert_eq!(months(&licensed, "1990-01"), ["2026-04", "2026-05"]);
}

#[test]
fn numbers_of_subscriptions_and_of_skus_do_not_meet() {
    let by_sku = SubscriptionNumber::of_sku(7);
    assert_ne!(by_sku, number(7));
    assert_eq!((number(7).sku(), by_sku.sku()), (None, Some(7)));
    assert_eq!((number(7).code(), SubscriptionNumber::from_code(by_sku.code())), (7, by_sku));
    let part = number(7).part(3);
    assert_eq!((SubscriptionNumber::from_code(part.code()), part.whole(), part.is_part()), (part, number(7), true));
    assert!(number(7) < part && part < number(8) && !number(7).is_part());
    assert_eq!(SubscriptionNumber::of_subscription(u32::MAX).sku(), None);
}

#[test]
fn sellers_have_names() {
    for (seller, name) in Seller::ALL.into_iter().zip(["own", "other", "direct"]) {
        assert_eq!(seller.name(), name);
        assert_eq!(Seller::from_name(&name.to_uppercase()), Some(seller));
    }
    assert_eq!(Seller::from_name("else"), None);
}

#[test]
fn windows_with_dates_of_last_activity_know_a_lower_bound() {
    let mut facts = customer(vec![subscription(1, E3, &[("2026-01-01", "Active", 1)])], &[(1, EXCHANGE, "2026-05-09")]);
    facts.lower_bound.insert(EXCHANGE, (day("2026-03-29"), day("2026-05-09")));
    facts.lower_bound.insert(YAMMER, (day("2026-05-04"), day("2026-05-04")));
    let bounded = |on: &str| at(&facts, on).lower_bound_services;
    assert_eq!(bounded("2026-03-28"), []);
    assert_eq!(bounded("2026-03-29"), [EXCHANGE]);
    assert_eq!(bounded("2026-05-31"), [EXCHANGE, YAMMER]);
    assert_eq!(bounded("2026-06-01"), [EXCHANGE], "the 4th has left the window");
    assert_eq!(bounded("2026-06-05"), [EXCHANGE]);
    assert_eq!(bounded("2026-06-06"), []);
}

/// The rows of a month, where reports cover these months.
fn rows_with(facts: &CustomerFacts, covered: &[(bool, &str)], on: &str) -> Vec<SubscriptionMonth> {
    let mut catalogue = catalogue();
    covered.iter().for_each(|(by_sku, of)| catalogue.coverage.add("", *by_sku, month(of)));
    let mut months = roll_up(facts, &catalogue, day(on), month("1990-01"));
    months.retain(|(of, _)| *of == day(on).month());
    months.pop().map(|(_, month)| month.subscriptions).unwrap_or_default()
}

#[test]
fn a_month_that_no_report_covers_takes_the_one_before_over() {
    let covered = [(false, "2026-01"), (false, "2026-04")];
    let mut seat = subscription(1, E3, &[]);
    seat.reported = vec![report("2026-01", 10, Some(8), Some(5)), report("2026-04", 12, None, None)];
    seat.reported[0].attributions = vec![Attribution { location: Some("L1".to_owned()), kind: None }];
    let mut facts = customer(vec![seat], &[]);
    for on in ["2026-02-28", "2026-03-31"] {
        let rows = rows_with(&facts, &covered, on);
        let row = &rows[0];
        assert_eq!((row.standing, row.seats, row.assigned, row.active), (Standing::Active, 10, 8, 0));
        assert_eq!((row.has_state, row.carried, row.active_unknown), (true, true, true));
        assert_eq!(row.reported, Reported { seats: true, assigned: true, active: true });
        assert_eq!(row.attributions.len(), 1, "attributions of the month that is carried");
    }
    // Neither before the first nor after the last, nor in a month that is covered.
    let of = |facts: &CustomerFacts, covered: &[(bool, &str)], on: &str| {
        rows_with(facts, covered, on).iter().map(|row| (row.seats, row.carried)).collect::<Vec<_>>()
    };
    assert_eq!(of(&facts, &covered, "2026-04-30"), [(12, false)]);
    assert_eq!(of(&facts, &covered, "2026-05-31"), []);
    let filled = [(false, "2026-01"), (false, "2026-02"), (false, "2026-04")];
    assert_eq!(of(&facts, &filled, "2026-02-28"), []);
    assert_eq!(of(&facts, &filled, "2026-03-31"), [], "the last month covered has no row of it");
    assert_eq!(of(&facts, &[(true, "2026-01"), (true, "2026-04")], "2026-02-28"), [], "another kind of report");
    // What is known by detail is known.
    facts.first_activity.insert(EXCHANGE, day("2026-02-01"));
    assert!(!rows_with(&facts, &covered, "2026-02-28")[0].active_unknown);
    facts.subscriptions[0].states = subscription(1, E3, &[("2026-02-10", "Active", 3)]).states;
    let row = &rows_with(&facts, &covered, "2026-02-28")[0];
    assert_eq!((row.seats, row.assigned, row.carried, row.active_unknown), (3, 8, true, false));
    facts.subscriptions[0].assignments = vec![assigned(1, "2026-02-11", None)];
    let row = &rows_with(&facts, &covered, "2026-02-28")[0];
    assert_eq!((row.seats, row.assigned, row.carried), (3, 1, false));
}

#[test]
fn reported_users_of_a_month_without_a_report_are_those_of_the_one_before() {
    let row = |of: &str, units, active| ReportedUsage {
        service: YAMMER,
        month: month(of),
        paid_available_units: units,
        monthly_active_users: active,
        attributions: Vec::new(),
    };
    let mut facts = customer(vec![subscription(1, E3, &[])], &[]);
    facts.reported_usage = vec![row("2026-01", 20, 12), row("2026-04", 30, 15)];
    let usage = |facts: &CustomerFacts, covered: &[&str], on: &str| {
        let mut catalogue = catalogue();
        covered.iter().for_each(|of| catalogue.coverage.add(USERS_REPORT, false, month(of)));
        let mut months = roll_up(facts, &catalogue, day(on), month("1990-01"));
        months.retain(|(of, _)| *of == day(on).month());
        let rows = months.pop().map(|(_, month)| month.reported_usage).unwrap_or_default();
        rows.iter().map(|row| (row.active_users, row.total_users, row.carried)).collect::<Vec<_>>()
    };
    let covered = ["2026-01", "2026-04"];
    assert_eq!(usage(&facts, &covered, "2026-01-31"), [(Some(12), Some(20), false)]);
    assert_eq!(usage(&facts, &covered, "2026-02-28"), [(Some(0), Some(20), true)]);
    assert_eq!(usage(&facts, &covered, "2026-03-31"), [(Some(0), Some(20), true)]);
    assert_eq!(usage(&facts, &covered, "2026-04-30"), [(Some(15), Some(30), false)]);
    assert_eq!(usage(&facts, &covered, "2026-05-31"), [], "after the last");
    assert_eq!(usage(&facts, &["2026-01", "2026-03", "2026-04"], "2026-03-31"), [], "covered, without a row");
    // What is known by detail is known.
    facts.first_activity.insert(YAMMER, day("2026-02-01"));
    assert_eq!(usage(&facts, &covered, "2026-02-28"), [(None, Some(20), true)]);
}

#[test]
fn a_report_about_one_customer_covers_months_for_it_alone() {
    let mut rows = vec![report("2026-01", 4, Some(3), None), report("2026-03", 5, Some(3), None)];
    rows.iter_mut().for_each(|row| row.of_customer = true);
    let mut facts = customer(Vec::new(), &[]);
    facts.by_sku.push(BySku { sku: CRM, reported: rows, revenue: Vec::new(), absences: Vec::new() });
    let partner = [(true, "2026-02")];
    let row = &rows_with(&facts, &partner, "2026-02-28")[0];
    assert_eq!((row.seats, row.assigned, row.carried), (4, 3, true));
    let mut another = report("2026-02", 9, None, None);
    another.of_customer = true;
    facts.by_sku.push(BySku { sku: E3, reported: vec![another], revenue: Vec::new(), absences: Vec::new() });
    let seats: Vec<u32> = rows_with(&facts, &partner, "2026-02-28").iter().map(|row| row.seats).collect();
    assert_eq!(seats, [9], "its list of the month lacks the other SKU");
    // What a subscription of the SKU has by a carried row counts before a row by customer and SKU.
    let mut seat = subscription(1, CRM, &[]);
    seat.reported = vec![report("2026-01", 6, None, None), report("2026-03", 7, None, None)];
    facts.subscriptions.push(seat);
    facts.by_sku.truncate(1);
    let covered = [(false, "2026-01"), (false, "2026-03")];
    let seats: Vec<u32> = rows_with(&facts, &covered, "2026-02-28").iter().map(|row| row.seats).collect();
    assert_eq!(seats, [6]);
}

#[test]
fn parts_of_a_subscription_add_up_and_show_their_own() {
    let part = |sku, available, assigned, active| ReportedSeats {
        sku: Some(sku),
        ..report("2026-05", available, assigned, active)
    };
    let billed = |sku, amount| Revenue {
        month: month("2026-05"),
        sku,
        currency: "USD".to_owned(),
        amount: Amount::from_micros(amount),
        seller: None,
    };
    let mut seat = subscription(1, E3, &[]);
    seat.reported = vec![part(CRM, 5, None, None), part(E3, 10, Some(4), None), part(ABSENT, 7, None, None)];
    seat.revenue = vec![billed(Some(E3), 100), billed(Some(CRM), 50), billed(Some(ABSENT), 1), billed(None, 1_000)];
    let facts = customer(vec![seat], &[]);
    let of = |facts: &CustomerFacts| {
        let rows = at(facts, "2026-05-31").subscriptions;
        let figures = |row: &SubscriptionMonth| {
            let revenue: i64 = row.revenue.iter().map(|(_, amount)| amount.micros()).sum();
            (row.subscription, row.sku, row.seats, row.assigned, revenue)
        };
        rows.iter().map(figures).collect::<Vec<_>>()
    };
    // The subscription's own SKU comes first, and takes what is billed under a SKU that is no part.
    assert_eq!(of(&facts), [(number(1), E3, 10, 4, 101), (number(1).part(CRM), CRM, 5, 0, 50)]);
    // A row about all of it tells what no part does, and nothing else.
    let mut whole = facts.clone();
    whole.subscriptions[0].reported.insert(0, report("2026-05", 99, Some(3), Some(2)));
    let rows = at(&whole, "2026-05-31").subscriptions;
    assert_eq!(
        rows.iter().map(|row| (row.seats, row.assigned, row.active)).collect::<Vec<_>>(),
        [(10, 4, 2), (5, 0, 0)]
    );
    // With a state in force there is one row, with what all parts tell together.
    let mut in_force = facts.clone();
    in_force.subscriptions[0].reported[0].assigned = Some(2);
    in_force.subscriptions[0].states = subscription(1, E3, &[("2026-05-31", "Active", 3)]).states;
    assert_eq!(of(&in_force), [(number(1), E3, 3, 6, 151)]);
    // A row by customer and SKU gives way to any of the parts.
    let mut by_sku = facts.clone();
    by_sku.by_sku.push(BySku {
        sku: CRM,
        reported: vec![report("2026-05", 8, None, None)],
        revenue: Vec::new(),
        absences: Vec::new(),
    });
    assert_eq!(of(&by_sku), of(&facts));
    // What is paid by use has no seats.
    let mut used = facts;
    used.subscriptions[0].paid_by_use = true;
    assert_eq!(of(&used).iter().map(|row| row.2).collect::<Vec<_>>(), [0, 0]);
    assert!(at(&used, "2026-05-31").subscriptions.iter().all(|row| row.standing == Standing::Active));
}
