//! Migrations by several processes at once, and migrations that are killed in the middle, on both engines.

use std::{process::Stdio, time::Duration};

use insights_proto::ingestion::v1::{
    ActivityColumns, Assignment, Customer, IngestBatchRequest, Record, Sku, Subscription, SubscriptionState,
    record::Kind as What,
};
use insights_testkit::{found, free_address, older};
use insights_tests::running::{
    Kind, Place,
    ledger::Ledger,
    place::{Setting, channel},
    writer::Writer,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const CUSTOMERS: usize = 20;
const USERS: u32 = 5;

fn both() -> [Place; 2] {
    [Place::sqlite(), Place::postgres()]
}

fn pending(place: &Place) -> String {
    let output = place.run(&["migrate", "--check", "--json"], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Several processes migrate at once; all of them must succeed.
fn at_once(place: &Place) {
    let mut all: Vec<_> = (0..4)
        .map(|_| place.command().arg("migrate").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for process in all.drain(..) {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(pending(place).contains("\"pending\": []"), "{}", pending(place));
}

/// A record as the sender has it.
fn records(customer: usize) -> Vec<Record> {
    let (id, subscription) = (format!("C-{customer}"), format!("S-{customer}"));
    let mut all = vec![
        What::Sku(Sku {
            sku_id: "K".into(),
            name: "N".into(),
            product: "Office 365".into(),
            services: vec!["Exchange".into()],
            free: false,
        }),
        What::Customer(Customer { customer_id: id.clone(), ..Customer::default() }),
        What::Subscription(Subscription {
            subscription_id: subscription.clone(),
            customer_id: id,
            sku_id: "K".into(),
            ..Subscription::default()
        }),
        What::SubscriptionState(SubscriptionState {
            subscription_id: subscription.clone(),
            effective: "2024-01-05".into(),
            status: "Active".into(),
            seats: Some(9),
            ..SubscriptionState::default()
        }),
    ];
    all.extend((0..USERS).map(|user| {
        What::Assignment(Assignment {
            subscription_id: subscription.clone(),
            user_id: format!("u{user}"),
            from_day: "2024-01-05".into(),
            to_day: None,
        })
    }));
    all.into_iter().map(|kind| Record { kind: Some(kind), ..Record::default() }).collect()
}

/// Everybody is active in Exchange on 2024-02-03.
fn activity(customer: usize) -> ActivityColumns {
    let users = 0..USERS;
    ActivityColumns {
        customers: vec![format!("C-{customer}")],
        users: users.clone().map(|user| format!("u{user}")).collect(),
        services: vec!["Exchange".into()],
        customer: users.clone().map(|_| 0).collect(),
        user: users.clone().collect(),
        service: users.clone().map(|_| 0).collect(),
        // Days since 1970.
        day: users.map(|_| 19_756).collect(),
        lower_bound: Vec::new(),
    }
}

/// An installation with facts, as the first version of the tables held them.
async fn older(place: &Place) {
    place.done(&["migrate"]);
    let everything = place.start(Kind::Everything, free_address(), &Setting::default());
    let ledger = std::sync::Arc::new(Ledger::default());
    let writer = Writer::several(place, 1, &[channel(everything.address())], &ledger, 1).remove(0);
    for customer in 0..CUSTOMERS {
        let batch = IngestBatchRequest {
            records: records(customer),
            activity: Some(activity(customer)),
            ..IngestBatchRequest::default()
        };
        assert_eq!(writer.call(0, batch).await.unwrap().rejections, []);
    }
    assert_eq!(figures(place, everything.address()).await, (CUSTOMERS, CUSTOMERS * USERS as usize));
    drop(everything);
    let (bytes, body) = match place.is_postgres() {
        true => ("bytea", format!("decode('0100{}', 'hex')", "04000000".repeat(USERS as usize))),
        false => ("blob", format!("x'0100{}'", "04000000".repeat(USERS as usize))),
    };
    for statement in [
        "DROP TABLE ingestion_activity",
        &format!(
            "CREATE TABLE ingestion_activity (partner_no integer NOT NULL, cell integer NOT NULL, customer_no bigint NOT NULL, \
             service_no integer NOT NULL, month integer NOT NULL, bucket integer NOT NULL, body {bytes} NOT NULL, \
             PRIMARY KEY (partner_no, cell, customer_no, service_no, month, bucket))"
        ),
        &format!(
            "INSERT INTO ingestion_activity SELECT c.partner_no, c.cell, c.customer_no, s.service_no, {}, 0, {body} \
             FROM ingestion_customer c JOIN ingestion_service s ON s.partner_no = c.partner_no WHERE c.customer_no > 0",
            2024 * 12 + 1
        ),
        "DELETE FROM ingestion_migration WHERE version = 'm0002_chunks_of_all_services'",
    ] {
        place.execute("ingestion", statement).await;
    }
}

/// Customers, and seats in use, in February 2024.
async fn figures(place: &Place, server: std::net::SocketAddr) -> (usize, usize) {
    let token = place.token("asker", insights_access::Role::GlobalAdmin, &[]);
    let file = place.beside("token");
    insights_testkit::write_secret(&file, token).unwrap();
    let (file, url) = (file.display().to_string(), format!("http://{server}"));
    found("the figures", async || {
        let said =
            asked(place, &["--measures", "customers,active", "--from", "2024-02", "--to", "2024-02"], &file, &url);
        let rows: serde_json::Value = serde_json::from_str(&said).unwrap();
        let figure = |name: &str| rows[0][name].as_u64().unwrap_or(0) as usize;
        let active = figure("active");
        (active == CUSTOMERS * USERS as usize).then(|| (figure("customers"), active))
    })
    .await
}

fn asked(place: &Place, query: &[&str], token_file: &str, url: &str) -> String {
    place.done(&[&["query"], query, &["--json", "--server", url, "--token-file", token_file]].concat())
}

/// Every figure that records and activity give, from the month before them to the month after, as the command line writes them.
fn every_figure(place: &Place, server: std::net::SocketAddr) -> Vec<String> {
    const MEASURES: [&str; 3] = [
        "customers,active_customers,new,existing,churned,subscriptions",
        "available,assigned,active,new_seats,idle_seats,active_entitlements,total_entitlements",
        "active_users,total_users,usage_percent",
    ];
    let token = place.token("asker", insights_access::Role::GlobalAdmin, &[]);
    let file = place.beside("token");
    std::fs::write(&file, token).unwrap();
    let (file, url) = (file.display().to_string(), format!("http://{server}"));
    let mut said = Vec::new();
    for measures in MEASURES {
        for by in [&[][..], &["--by", "sku"], &["--by", "customer"]] {
            let query = ["--measures", measures, "--from", "2023-12", "--to", "2024-03"];
            said.push(asked(place, &[&query, by].concat(), &file, &url));
        }
    }
    said
}

/// The figures are what they were, worked out anew from the facts.
async fn as_before(place: &Place) {
    let everything = place.start(Kind::Everything, free_address(), &Setting::default());
    assert_eq!(figures(place, everything.address()).await, (CUSTOMERS, CUSTOMERS * USERS as usize));
    let (compared, different) = insights_tests::running::figures::verify(place, everything.address());
    assert!(compared > 0 && different == 0, "{different} of {compared} differ");
}

#[test]
fn several_processes_may_migrate_an_empty_database_at_once() {
    for _ in 0..3 {
        for place in both() {
            at_once(&place);
            let _serves = place.start(Kind::Everything, free_address(), &Setting::default());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_may_migrate_an_older_database_at_once() {
    for place in both() {
        older(&place).await;
        at_once(&place);
        as_before(&place).await;
    }
}

#[test]
fn a_migration_of_an_empty_database_that_was_killed_begins_again() {
    let mut random = StdRng::seed_from_u64(3);
    let mut killed = 0;
    for turn in 1..=6 {
        for place in both() {
            let order = format!("abort:ingestion.migrating:{}", turn * 2);
            let output = place.run(&["migrate"], &[("INSIGHTS_FAIL_POINTS", &order)]);
            assert!(!output.status.success(), "it is killed");
            // And once more at any moment, in whichever service.
            let mut process = place.command().arg("migrate").stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(random.random_range(0..150)));
            let _ = process.kill();
            process.wait().unwrap();
            killed += 2;
            place.done(&["migrate"]);
            assert!(pending(&place).contains("\"pending\": []"));
            let _serves = place.start(Kind::Everything, free_address(), &Setting::default());
        }
    }
    println!("migrations killed on empty databases: {killed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_of_an_older_database_that_was_killed_begins_again() {
    for place in both() {
        older(&place).await;
        for turn in [1, CUSTOMERS / 2, CUSTOMERS] {
            let order = format!("abort:ingestion.migrating_chunks:{turn}");
            let output = place.run(&["migrate"], &[("INSIGHTS_FAIL_POINTS", &order)]);
            assert!(!output.status.success(), "it is killed at customer {turn}");
        }
        place.done(&["migrate"]);
        as_before(&place).await;
    }
}

/// The latest migrations change indexes, rows of the feed and epochs, and no figure.
#[tokio::test(flavor = "multi_thread")]
async fn the_latest_migrations_change_no_figure() {
    for place in both() {
        let (ledger, setting) = (std::sync::Arc::new(Ledger::default()), Setting::default());
        let send = async |everything: &insights_testkit::Process, customer: usize| {
            let writer = Writer::several(&place, 1, &[channel(everything.address())], &ledger, 1).remove(0);
            let activity = Some(activity(customer));
            let batch = IngestBatchRequest { records: records(customer), activity, ..IngestBatchRequest::default() };
            writer.call(0, batch).await.unwrap()
        };
        place.done(&["migrate"]);
        let everything = place.start(Kind::Everything, free_address(), &setting);
        for customer in 0..CUSTOMERS {
            send(&everything, customer).await;
        }
        assert_eq!(figures(&place, everything.address()).await, (CUSTOMERS, CUSTOMERS * USERS as usize));
        let before = every_figure(&place, everything.address());
        drop(everything);
        for (service, statements) in [("ingestion", &older::INGESTION[..]), ("metrics", &older::METRICS)] {
            for statement in statements {
                place.execute(service, statement).await;
            }
        }
        let check = place.run(&["migrate", "--check"], &[]);
        assert!(!check.status.success(), "the migrations are to be applied");

        let everything = place.start(Kind::Everything, free_address(), &setting);
        assert_eq!(every_figure(&place, everything.address()), before);
        let (compared, different) = insights_tests::running::figures::verify(&place, everything.address());
        assert!(compared > 0 && different == 0, "{different} of {compared} differ");
        let again = send(&everything, 0).await;
        assert_eq!((again.accepted, again.duplicates > 0), (0, true));
        send(&everything, CUSTOMERS).await;
        found("one customer more", async || {
            let now = every_figure(&place, everything.address());
            (now != before).then_some(())
        })
        .await;
        let (_, different) = insights_tests::running::figures::verify(&place, everything.address());
        assert_eq!(different, 0);
    }
}
