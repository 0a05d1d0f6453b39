//! Records in, figures out: the worked examples of the definitions, and what happens to records on the way.

use std::sync::{Arc, Mutex};

use insights_proto::ingestion::v1::record::Kind;
use insights_proto::ingestion::v1::{
    Assignment, CompleteThrough, Customer, Licensed, ReportedSeats, Retract, Sku, Subscription, SubscriptionState,
};
use insights_proto::metrics::v1::{Dimension, ExplainRequest, Measure, Query, Reason};
use insights_service::Clock;
use insights_testkit::TempDatabase;

use crate::world::{Replica, World, admin, noon, query};

/// Runs a story on both engines, each service on a database of its own.
async fn story<F: Future<Output = ()>>(test: impl Fn(World, Replica) -> F) {
    let today = Clock::fixed(noon("2026-09-20"));
    for database in [TempDatabase::sqlite, TempDatabase::postgres] {
        let facts = database();
        let world = World::with_ingestion(database(), &facts, today.clone()).await;
        let replica = world.replica(today.clone()).await;
        test(world, replica).await;
        drop(facts);
    }
}

fn sku(id: &str, product: &str, services: &[&str]) -> Kind {
    let services = services.iter().map(|service| (*service).to_owned()).collect();
    Kind::Sku(Sku { sku_id: id.into(), name: id.into(), product: product.into(), services, free: false })
}

fn customer(id: &str) -> Kind {
    Kind::Customer(Customer { customer_id: id.into(), country: Some("BR".into()), ..Customer::default() })
}

fn subscription(id: &str, customer: &str, sku: &str) -> Subscription {
    Subscription {
        subscription_id: id.into(),
        customer_id: customer.into(),
        sku_id: sku.into(),
        ..Subscription::default()
    }
}

fn state(id: &str, effective: &str, status: &str, seats: i64) -> SubscriptionState {
    SubscriptionState {
        subscription_id: id.into(),
        effective: effective.into(),
        status: status.into(),
        seats: Some(seats),
        ..SubscriptionState::default()
    }
}

fn assignment(subscription: &str, user: &str, from: &str, to: Option<&str>) -> Kind {
    Kind::Assignment(Assignment {
        subscription_id: subscription.into(),
        user_id: user.into(),
        from_day: from.into(),
        to_day: to.map(str::to_owned),
    })
}

fn complete(day: &str) -> Kind {
    Kind::CompleteThrough(CompleteThrough { day: day.into() })
}

/// One customer with one subscription of a SKU.
fn simple(seats: i64) -> Vec<Kind> {
    vec![
        sku("dyn", "Dynamics 365 Sales", &["Sales"]),
        customer("C-1"),
        Kind::Subscription(subscription("S-1", "C-1", "dyn")),
        Kind::SubscriptionState(state("S-1", "2026-04-01", "Active", seats)),
    ]
}

/// Numerator, denominator, covered and the reasons of the last month asked for.
async fn explained(replica: &Replica, asked: Query, version: i64) -> (i64, i64, i64, Vec<(Reason, i64)>) {
    let request = replica.as_caller(&admin(), ExplainRequest { query: Some(asked), min_version: version });
    let answer = replica.client.clone().explain(request).await.unwrap().into_inner();
    let last = answer.explanations.last().unwrap();
    let reasons = last.reasons.iter().map(|reason| (reason.reason(), reason.count)).collect();
    (last.numerator, last.denominator, last.covered, reasons)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_moves_is_active_twice_within_the_window() {
    story(|world, replica| async move {
        let mut records = simple(1);
        records.push(assignment("S-1", "a", "2026-04-01", Some("2026-05-10")));
        records.push(assignment("S-1", "b", "2026-05-10", None));
        records.push(complete("2026-05-20"));
        let activity = [("C-1", "a", "Sales", "2026-05-03"), ("C-1", "b", "Sales", "2026-05-12")];
        let version = world.ingest(records, &activity).await;
        let usage = query(&[Measure::ActiveUsagePercent], &[], "2026-05", "2026-05");
        assert_eq!(replica.rows(usage.clone(), version).await, ["2026-05: 2/1"]);
        let why = explained(&replica, usage.clone(), version).await;
        assert_eq!(why, (2, 1, 1, vec![(Reason::LicenseTransferred, 1)]));
        let version = world.ingest(vec![complete("2026-05-31")], &[]).await;
        assert_eq!(replica.rows(usage, version).await, ["2026-05: 1/1"]);
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_made_paid_keeps_its_past() {
    story(|world, replica| async move {
        let mut records = simple(25);
        let trial = Subscription { trial: true, ..subscription("S-1", "C-1", "dyn") };
        records[2] = Kind::Subscription(trial);
        let users: Vec<String> = (0..5).map(|user| format!("u{user}")).collect();
        records.extend(users.iter().map(|user| assignment("S-1", user, "2026-04-01", None)));
        records.push(complete("2026-06-30"));
        let used =
            users.iter().flat_map(|user| ["2026-05-20", "2026-06-20"].map(|on| ("C-1", user.as_str(), "Sales", on)));
        let activity: Vec<_> = used.collect();
        let version = world.ingest(records, &activity).await;
        let measures = [Measure::Customers, Measure::ActiveCustomers, Measure::Available, Measure::ActiveUsagePercent];
        let asked = query(&measures, &[], "2026-05", "2026-06");
        assert_eq!(replica.rows(asked.clone(), version).await, ["2026-05: 1 1 0 5/0", "2026-06: 1 1 0 5/0"]);
        let usage = query(&[Measure::ActiveUsagePercent], &[], "2026-05", "2026-05");
        assert_eq!(explained(&replica, usage, version).await, (5, 0, 0, vec![(Reason::Trial, 5)]));
        let paid = SubscriptionState { trial: Some(false), ..state("S-1", "2026-06-10", "Active", 25) };
        let version = world.ingest(vec![Kind::SubscriptionState(paid)], &[]).await;
        assert_eq!(replica.rows(asked, version).await, ["2026-05: 1 1 0 5/0", "2026-06: 1 1 25 5/25"]);
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unlicensed_use_stands_beside_licences() {
    story(|world, replica| async move {
        let mut records = vec![customer("C-1"), complete("2026-05-31")];
        let users: Vec<String> = (0..30).map(|user| format!("u{user}")).collect();
        records.extend(users[..20].iter().map(|user| {
            Kind::Licensed(Licensed {
                customer_id: "C-1".into(),
                user_id: user.clone(),
                service: "Yammer".into(),
                from_day: "2026-01-01".into(),
                ..Licensed::default()
            })
        }));
        let activity: Vec<_> = users.iter().map(|user| ("C-1", user.as_str(), "Yammer", "2026-05-20")).collect();
        let version = world.ingest(records, &activity).await;
        let usage = query(&[Measure::UsagePercent], &[Dimension::Service], "2026-05", "2026-05");
        assert_eq!(replica.rows(usage.clone(), version).await, ["2026-05 Yammer: 30/20"]);
        assert_eq!(explained(&replica, usage, version).await, (30, 20, 20, vec![(Reason::UnlicensedUse, 10)]));
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_leaves_and_returns() {
    story(|world, replica| async move {
        let mut records = simple(10);
        records[3] = Kind::SubscriptionState(state("S-1", "2026-01-10", "Active", 10));
        records.push(Kind::SubscriptionState(state("S-1", "2026-03-15", "Suspended", 10)));
        records.push(Kind::SubscriptionState(state("S-1", "2026-05-10", "Active", 10)));
        records.push(complete("2026-05-31"));
        let version = world.ingest(records, &[]).await;
        let measures = [Measure::Customers, Measure::New, Measure::Churned, Measure::Returning];
        let asked = query(&measures, &[], "2026-01", "2026-06");
        let expected =
            ["2026-01: 1 1 0 0", "2026-02: 1 0 0 0", "2026-03: 0 0 1 0", "2026-04: 0 0 0 0", "2026-05: 1 1 0 1"];
        assert_eq!(replica.rows(asked, version).await, expected);
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn early_references_wait_and_corrections_and_retractions_count() {
    story(|world, replica| async move {
        let asked = query(&[Measure::Customers, Measure::Available, Measure::Active], &[], "2026-05", "2026-05");
        let early = vec![
            Kind::SubscriptionState(state("S-1", "2026-04-01", "Active", 10)),
            assignment("S-1", "a", "2026-04-01", None),
            complete("2026-05-31"),
        ];
        let version = world.ingest(early, &[("C-1", "a", "Sales", "2026-05-20")]).await;
        assert_eq!(replica.rows(asked.clone(), version).await, ["2026-05: 0 0 0"]);
        let version = world.ingest(vec![Kind::Subscription(subscription("S-1", "C-1", "dyn"))], &[]).await;
        assert_eq!(replica.rows(asked.clone(), version).await, ["2026-05: 0 0 0"]);
        let version = world.ingest(vec![customer("C-1")], &[]).await;
        assert_eq!(replica.rows(asked.clone(), version).await, ["2026-05: 0 0 0"]);
        let version = world.ingest(vec![sku("dyn", "Dynamics 365 Sales", &["Sales"])], &[]).await;
        assert_eq!(replica.rows(asked.clone(), version).await, ["2026-05: 1 10 1"]);
        assert_eq!(replica.verify().await.differences, 0);
        // The same state again replaces; the catalogue loses the service that was used.
        let version = world.ingest(vec![Kind::SubscriptionState(state("S-1", "2026-04-01", "Active", 12))], &[]).await;
        assert_eq!(replica.rows(asked.clone(), version).await, ["2026-05: 1 12 1"]);
        let version = world.ingest(vec![sku("dyn", "Dynamics 365 Sales", &["Marketing"])], &[]).await;
        assert_eq!(replica.rows(asked.clone(), version).await, ["2026-05: 1 12 0"]);
        // The subscription moves to another customer, and what belongs to it goes along.
        let moved = vec![customer("C-2"), Kind::Subscription(subscription("S-1", "C-2", "dyn"))];
        let version = world.ingest(moved, &[]).await;
        let by_customer =
            query(&[Measure::Customers, Measure::Available], &[Dimension::Customer], "2026-05", "2026-05");
        assert_eq!(replica.rows(by_customer, version).await, ["2026-05 C-2: 1 12"]);
        assert_eq!(replica.verify().await.differences, 0);
        let retract = Retract {
            what: "subscription_state".into(),
            customer_id: "C-2".into(),
            service: None,
            from_day: "2026-04-01".into(),
            to_day: "2026-04-01".into(),
            ..Retract::default()
        };
        let version = world.ingest(vec![Kind::Retract(retract)], &[]).await;
        assert_eq!(replica.rows(asked, version).await, ["2026-05: 0 0 0"]);
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reported_rows_are_read_as_they_stood() {
    for database in [TempDatabase::sqlite, TempDatabase::postgres] {
        let facts = database();
        let now = Arc::new(Mutex::new(noon("2026-06-01")));
        let told = now.clone();
        let clock = Clock::new(move || *told.lock().unwrap());
        let world = World::with_ingestion(database(), &facts, clock.clone()).await;
        let replica = world.replica(clock).await;
        let reported = |available: i64| {
            Kind::ReportedSeats(ReportedSeats {
                customer_id: Some("C-1".into()),
                sku_id: Some("dyn".into()),
                month: "2026-05".into(),
                available: Some(available),
                ..ReportedSeats::default()
            })
        };
        let mut records = simple(0);
        records.truncate(2);
        records.extend([complete("2026-05-31"), reported(10)]);
        world.ingest(records, &[]).await;
        *now.lock().unwrap() = noon("2026-06-03");
        world.ingest(vec![reported(20)], &[]).await;
        *now.lock().unwrap() = noon("2026-06-05");
        let retract = Retract {
            what: "reported_seats".into(),
            customer_id: "C-1".into(),
            service: None,
            from_day: "2026-05-01".into(),
            to_day: "2026-05-31".into(),
            ..Retract::default()
        };
        let version = world.ingest(vec![Kind::Retract(retract)], &[]).await;
        let asked = query(&[Measure::Customers, Measure::Available], &[], "2026-05", "2026-05");
        assert_eq!(replica.rows(asked.clone(), version).await, ["2026-05: 0 0"]);
        for (day, expected) in
            [("2026-05-30", "0 0"), ("2026-06-02", "1 10"), ("2026-06-04", "1 20"), ("2026-06-06", "0 0")]
        {
            let as_of = Some(prost_types::Timestamp { seconds: noon(day).timestamp(), nanos: 0 });
            let rows = replica.rows(Query { as_of, ..asked.clone() }, version).await;
            assert_eq!(rows, [format!("2026-05: {expected}")], "{day}");
        }
        assert_eq!(replica.verify().await.differences, 0);
        drop(facts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_batches_at_once_end_in_the_same_figures() {
    story(|world, replica| async move {
        world.ingest(vec![sku("dyn", "Dynamics 365 Sales", &["Sales"]), complete("2026-05-31")], &[]).await;
        let world = std::sync::Arc::new(world);
        let mut senders = tokio::task::JoinSet::new();
        for sender in 0..4 {
            let world = world.clone();
            senders.spawn(async move {
                let mut version = 0;
                for number in 0..10 {
                    let (id, subscription_id) = (format!("C-{number}"), format!("S-{sender}-{number}"));
                    let user = format!("u{sender}");
                    let records = vec![
                        customer(&id),
                        Kind::Subscription(subscription(&subscription_id, &id, "dyn")),
                        Kind::SubscriptionState(state(&subscription_id, "2026-05-01", "Active", 1)),
                        assignment(&subscription_id, &user, "2026-05-01", None),
                    ];
                    version = world.ingest(records, &[(&id, &user, "Sales", "2026-05-20")]).await;
                }
                version
            });
        }
        let version = senders.join_all().await.into_iter().max().unwrap();
        let measures =
            [Measure::Customers, Measure::Available, Measure::Active, Measure::ActiveUsers, Measure::TotalUsers];
        let asked = query(&measures, &[], "2026-05", "2026-05");
        assert_eq!(replica.rows(asked, version).await, ["2026-05: 10 40 40 40 40"]);
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn skus_and_products_that_differ_in_case_and_blanks_only_are_one() {
    story(|world, replica| async move {
        let row = |sku: &str, available: i64| {
            Kind::ReportedSeats(ReportedSeats {
                customer_id: Some("C-1".into()),
                sku_id: Some(sku.into()),
                month: "2026-05".into(),
                available: Some(available),
                ..ReportedSeats::default()
            })
        };
        let records = vec![
            customer("C-1"),
            sku("office 365 e3", "OFFICE  365", &["Teams"]),
            sku("Office 365 E3", "Office 365", &["Teams"]),
            sku("Other", "office 365", &["Teams"]),
            Kind::Subscription(subscription("S-1", "C-1", "Office 365 E3")),
            Kind::SubscriptionState(state("S-1", "2026-04-01", "Active", 10)),
            Kind::Subscription(subscription("S-2", "C-1", "office 365 e3")),
            Kind::SubscriptionState(state("S-2", "2026-04-01", "Active", 5)),
            row("office 365 e3", 100),
            row("Other", 1),
            complete("2026-05-31"),
        ];
        let version = world.ingest(records, &[]).await;
        let asked = |by: Dimension| query(&[Measure::Customers, Measure::Available], &[by], "2026-05", "2026-05");
        let by_sku = replica.rows(asked(Dimension::Sku), version).await;
        assert_eq!(by_sku, ["2026-05 Office 365 E3: 1 15", "2026-05 Other: 1 1"], "the row gives way to subscriptions");
        assert_eq!(replica.rows(asked(Dimension::Product), version).await, ["2026-05 Office 365: 1 16"]);
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}
