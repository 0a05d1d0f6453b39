//! From changes to figures, by whoever follows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use insights_access::TokenRequest;
use insights_proto::metrics::v1::{Dimension, GetFreshnessRequest, Measure};
use insights_service::Clock;
use insights_testkit::{PATIENCE, TempDatabase, until};
use tonic::Code;

use crate::world::{World, admin, catalogue, customer, day, month, noon, on_both_engines, query, short, use_seat};

const CUSTOMERS: &[Measure] = &[Measure::Customers, Measure::New, Measure::Churned];

fn today() -> Clock {
    Clock::fixed(noon("2026-06-20"))
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_become_figures() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let replica = world.replica(today()).await;
        let version = world.feed.change("contoso", &[(1, month("2026-04")), (2, month("2026-05"))], |book| {
            catalogue(book, "2026-06-10");
            book.customers.insert(1, customer(1, "BR", "2026-04-03"));
            book.customers.insert(2, customer(2, "DE", "2026-05-03"));
            use_seat(book.customers.get_mut(&1).unwrap(), "2026-05-20");
        });
        let asked = query(CUSTOMERS, &[], "2026-03", "2026-07");
        let expected = ["2026-03: 0 0 0", "2026-04: 1 1 0", "2026-05: 2 1 0", "2026-06: 2 0 0"];
        assert_eq!(replica.rows(asked.clone(), version).await, expected);
        let seats =
            query(&[Measure::Available, Measure::ActiveUsagePercent], &[Dimension::Country], "2026-05", "2026-06");
        let expected = ["2026-05 BR: 10 1/10", "2026-05 DE: 10 0/10", "2026-06 BR: 10 1/10", "2026-06 DE: 10 0/10"];
        assert_eq!(replica.rows(seats, version).await, expected);

        // A correction of the past changes what follows, and nothing else is asked for.
        world.feed.sent.lock().unwrap().clear();
        let version = world.feed.change("contoso", &[(2, month("2026-04"))], |book| {
            book.customers.get_mut(&2).unwrap().states[0].effective = day("2026-04-30");
        });
        let expected = ["2026-03: 0 0 0", "2026-04: 2 2 0", "2026-05: 2 0 0", "2026-06: 2 0 0"];
        assert_eq!(replica.rows(asked.clone(), version).await, expected);
        assert_eq!(*world.feed.sent.lock().unwrap(), [2]);

        // What was taken back leaves no trace.
        let version = world.feed.change("contoso", &[(2, month("2026-04"))], |book| {
            book.customers.get_mut(&2).unwrap().states.clear();
        });
        let expected = ["2026-03: 0 0 0", "2026-04: 1 1 0", "2026-05: 1 0 0", "2026-06: 1 0 0"];
        assert_eq!(replica.rows(asked, version).await, expected);
        let verified = replica.verify().await;
        assert_eq!((verified.differences, verified.customers), (0, 2), "{:?}", verified.samples);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn complete_through_moves_every_customer() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let replica = world.replica(today()).await;
        world.feed.change("contoso", &[(1, month("2026-04")), (2, month("2026-04")), (3, month("2026-04"))], |book| {
            catalogue(book, "2026-05-10");
            for number in 1..=3 {
                book.customers.insert(number, customer(number, "BR", "2026-04-03"));
            }
        });
        let asked = query(CUSTOMERS, &[], "2026-04", "2026-07");
        assert_eq!(replica.rows(asked.clone(), 1).await, ["2026-04: 3 3 0", "2026-05: 3 0 0"]);
        world.feed.change("contoso", &[], |book| book.partner.complete_through = Some(day("2026-06-01")));
        assert_eq!(replica.rows(asked.clone(), 2).await, ["2026-04: 3 3 0", "2026-05: 3 0 0", "2026-06: 3 0 0"]);
        world.feed.change("contoso", &[], |book| book.partner.complete_through = Some(day("2026-04-02")));
        assert_eq!(replica.rows(asked, 3).await, ["2026-04: 0 0 0"]);
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_moves_what_was_never_said_to_be_complete() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let now = Arc::new(Mutex::new(noon("2026-05-20")));
        let clock = now.clone();
        let replica = world.replica(Clock::new(move || *clock.lock().unwrap())).await;
        world.feed.change("contoso", &[(1, month("2026-04"))], |book| {
            catalogue(book, "2026-05-10");
            book.partner.complete_through = None;
            book.customers.insert(1, customer(1, "BR", "2026-04-03"));
        });
        let asked = query(&[Measure::Customers], &[], "2026-04", "2026-07");
        assert_eq!(replica.rows(asked.clone(), 1).await, ["2026-04: 1", "2026-05: 1"]);
        *now.lock().unwrap() = noon("2026-06-01");
        let expected = ["2026-04: 1", "2026-05: 1", "2026-06: 1"];
        until("the figures of June", async || replica.rows(asked.clone(), 1).await == expected).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_reaches_back_when_complete_through_does() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let replica = world.replica(today()).await;
        world.feed.change("contoso", &[(1, month("2012-04"))], |book| {
            catalogue(book, "2026-05-10");
            book.customers.insert(1, customer(1, "BR", "2012-04-03"));
        });
        let asked = query(&[Measure::Customers], &[], "2012-03", "2012-05");
        assert!(replica.rows(asked.clone(), 1).await.iter().all(|row| row.ends_with(": 0")));
        world.feed.change("contoso", &[], |book| book.partner.complete_through = Some(day("2013-06-30")));
        assert_eq!(replica.rows(asked, 2).await, ["2012-03: 0", "2012-04: 1", "2012-05: 1"]);
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cubes_make_room_for_one_another() {
    let mut world = World::new(TempDatabase::sqlite());
    world.cubes_in_memory = 1;
    let replica = world.replica(today()).await;
    let other = TokenRequest { partner: "fabrikam".to_owned(), ..admin() };
    for round in 1..=3 {
        for (partner, caller) in [("contoso", admin()), ("fabrikam", other.clone())] {
            let version = world.feed.change(partner, &[(round, month("2026-04"))], |book| {
                catalogue(book, "2026-06-10");
                book.customers.insert(round, customer(round, "BR", "2026-04-03"));
            });
            let asked = query(&[Measure::Customers], &[], "2026-06", "2026-06");
            let answer = replica.batch(&caller, vec![asked], version).await.unwrap();
            assert_eq!(short(&answer.results[0].rows[0]), format!("2026-06: {round}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_fails_holds_up_nobody_else() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let replica = world.replica(today()).await;
        for partner in ["bad1", "bad2", "bad3"] {
            world.feed.change(partner, &[(1, month("2026-04"))], |book| {
                catalogue(book, "2026-06-10");
                let mut facts = customer(1, "BR", "2026-04-03");
                facts.subscriptions[0].subscription = None;
                book.customers.insert(1, facts);
            });
        }
        let version = world.feed.change("contoso", &[(1, month("2026-04"))], |book| {
            catalogue(book, "2026-06-10");
            book.customers.insert(1, customer(1, "BR", "2026-04-03"));
        });
        let asked = query(&[Measure::Customers], &[], "2026-06", "2026-06");
        assert_eq!(replica.rows(asked, version).await, ["2026-06: 1"]);
        // What was wrong is put right, and counts.
        let version = world.feed.change("bad2", &[(1, month("2026-04"))], |book| {
            book.customers.insert(1, customer(1, "BR", "2026-04-03"));
        });
        let caller = TokenRequest { partner: "bad2".to_owned(), ..admin() };
        let asked = query(&[Measure::Customers], &[], "2026-06", "2026-06");
        let answer = replica.batch(&caller, vec![asked], version).await.unwrap();
        assert_eq!(short(&answer.results[0].rows[0]), "2026-06: 1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_sku_rolls_up_who_has_it() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let replica = world.replica(today()).await;
        world.feed.change("contoso", &[(1, month("2026-04"))], |book| {
            catalogue(book, "2026-05-31");
            book.partner.skus[0].services.clear();
            book.customers.insert(1, customer(1, "BR", "2026-04-03"));
            use_seat(book.customers.get_mut(&1).unwrap(), "2026-05-20");
        });
        let asked = query(&[Measure::Active], &[], "2026-05", "2026-05");
        assert_eq!(replica.rows(asked.clone(), 1).await, ["2026-05: 0"]);
        world.feed.change("contoso", &[], |book| book.partner.skus[0].services.push(1));
        assert_eq!(replica.rows(asked.clone(), 2).await, ["2026-05: 1"]);
        // A name changes no rollup, and no facts are asked for.
        world.feed.sent.lock().unwrap().clear();
        world.feed.change("contoso", &[], |book| book.partner.skus[0].sku.as_mut().unwrap().name = "E3 (new)".into());
        assert_eq!(replica.rows(asked, 3).await, ["2026-05: 1"]);
        assert!(world.feed.sent.lock().unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_only_answers_learns_from_the_tables() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let _follower = world.replica(today()).await;
        let replica = world.replica_with(today(), false).await;
        let asked = query(&[Measure::Customers], &[], "2026-06", "2026-06");
        assert_eq!(replica.rows(asked.clone(), 0).await, ["2026-06: 0"]);
        for number in 1..=5 {
            let version = world.feed.change("contoso", &[(number, month("2026-04"))], |book| {
                catalogue(book, "2026-06-10");
                book.customers.insert(number, customer(number, "BR", "2026-04-03"));
            });
            assert_eq!(replica.rows(asked.clone(), version).await, [format!("2026-06: {number}")]);
        }
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_waited_for() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let replica = world.replica_with(today(), false).await;
        let freshness = |min_version, patience| {
            let mut request = replica.as_caller(&admin(), GetFreshnessRequest { min_version });
            request.set_timeout(patience);
            let mut client = replica.client.clone();
            async move { client.get_freshness(request).await.map(|answer| answer.into_inner().freshness.unwrap()) }
        };
        let nothing = freshness(0, PATIENCE).await.unwrap();
        assert_eq!(
            (nothing.version, nothing.complete_through.as_str(), nothing.first_month.as_str()),
            (0, "2026-06-20", "")
        );
        assert_eq!(freshness(1, PATIENCE).await.unwrap_err().code(), Code::OutOfRange);
        assert_eq!(freshness(-1, PATIENCE).await.unwrap_err().code(), Code::InvalidArgument);
        world.feed.change("contoso", &[(1, month("2026-04"))], |book| {
            catalogue(book, "2026-06-10");
            book.customers.insert(1, customer(1, "BR", "2026-04-03"));
        });
        // Nobody follows.
        let shortly = Duration::from_millis(400);
        assert_eq!(freshness(1, shortly).await.unwrap_err().code(), Code::DeadlineExceeded);
        let _follower = world.replica(today()).await;
        let fresh = freshness(1, PATIENCE).await.unwrap();
        assert_eq!((fresh.version, fresh.epoch), (1, 1));
        assert_eq!(
            (fresh.complete_through.as_str(), fresh.first_month.as_str(), fresh.currency.as_str()),
            ("2026-06-10", "2026-04", "USD")
        );
        assert_eq!(freshness(2, PATIENCE).await.unwrap_err().code(), Code::OutOfRange);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_partner_that_cannot_be_read_hold_up_nobody_else() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let follower = world.replica(today()).await;
        let reader = world.replica_with(today(), false).await;
        let asked = query(&[Measure::Customers], &[], "2026-06", "2026-06");
        let change = |partner: &str, number: i64| {
            world.feed.change(partner, &[(number, month("2026-04"))], |book| {
                catalogue(book, "2026-06-10");
                book.customers.insert(number, customer(number, "BR", "2026-04-03"));
            })
        };
        let partners = ["adatum", "contoso", "woodgrove"];
        for partner in partners {
            let version = change(partner, 1);
            let caller = TokenRequest { partner: partner.to_owned(), ..admin() };
            for replica in [&follower, &reader] {
                replica.batch(&caller, vec![asked.clone()], version).await.unwrap();
            }
        }
        // Whatever the order in which partners are looked at, one before or after is damaged.
        for bad in ["adatum", "woodgrove"] {
            let sql = format!(
                "UPDATE rollup_customer SET body = 'damaged' WHERE partner_no = \
                 (SELECT partner_no FROM rollup_partner WHERE partner = '{bad}')"
            );
            insights_testkit::sql(&world.database, &sql);
            let sql = format!(
                "UPDATE rollup_partner SET revision = revision + 1, rebuilt_revision = revision + 1 WHERE partner = '{bad}'"
            );
            insights_testkit::sql(&world.database, &sql);
        }
        let version = change("contoso", 2);
        assert_eq!(reader.rows(asked, version).await, ["2026-06: 2"]);
    })
    .await;
}

/// Whoever waits for a version is told of it though the cube made room for another's meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_outlives_the_cube() {
    let mut world = World::new(TempDatabase::sqlite());
    world.cubes_in_memory = 1;
    let change = |partner: &str| {
        world.feed.change(partner, &[(1, month("2026-04"))], |book| {
            catalogue(book, "2026-06-10");
            book.customers.insert(1, customer(1, "BR", "2026-04-03"));
        })
    };
    let reader = world.replica_with(today(), false).await;
    let asked = query(&[Measure::Customers], &[], "2026-06", "2026-06");
    let (contoso, fabrikam) = (admin(), TokenRequest { partner: "fabrikam".to_owned(), ..admin() });
    let version = change("contoso");
    let waits = reader.batch(&contoso, vec![asked.clone()], version);
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        reader.batch(&fabrikam, vec![asked.clone()], 0).await.unwrap();
        world.replica(today()).await
    };
    let (answer, _follower) = tokio::join!(waits, meanwhile);
    assert_eq!(short(&answer.unwrap().results[0].rows[0]), "2026-06: 1");
}
