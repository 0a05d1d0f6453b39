//! Licences of sources that list all of them anew each time end with the first list that lacks them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use insights_proto::ingestion::v1::{LicenceFacts, Licensed, Record, record::Kind};
use support::{Engine, Service, make::*};

on_both!(
    a_licence_ends_with_the_first_list_that_lacks_it_in_whatever_order_they_come,
    only_licences_of_lists_end_with_them,
    a_list_waits_for_its_customer,
    a_later_sight_of_a_licence_is_a_change,
    a_retract_of_licences_takes_lists_back,
    a_list_must_say_whose_it_is_of_what_and_of_when,
);

/// The licences of the first customer, in the order of users: from when until when.
async fn licences(service: &Service) -> Vec<(u32, i32, Option<i32>)> {
    let facts = service.facts(vec![1], 0).await;
    let licence = |it: &LicenceFacts| (it.user, it.from_day, it.to_day);
    let mut licences: Vec<_> = facts.iter().flat_map(|part| &part.licences).map(licence).collect();
    licences.sort_unstable();
    licences
}

/// What the source says on a day of who is licensed for Teams, and since when.
fn report(on: &str, users: &[(&str, &str)]) -> Vec<Record> {
    let mut records: Vec<Record> = users.iter().map(|(user, from)| listed("C-1", user, "Teams", from, on)).collect();
    records.push(licence_list("C-1", "Teams", on));
    records
}

async fn a_licence_ends_with_the_first_list_that_lacks_it_in_whatever_order_they_come(engine: Engine) {
    let reports = [
        report("2024-03-31", &[("ada", "2024-01-10"), ("bob", "2024-03-31"), ("cy", "2024-03-01")]),
        report("2024-04-30", &[("ada", "2024-01-10"), ("bob", "2024-04-30")]),
        report("2024-05-31", &[("bob", "2024-05-31"), ("cy", "2024-03-01")]),
    ];
    let day = support::make::day;
    let (april, may) = (Some(day("2024-04-30")), Some(day("2024-05-31")));
    // Bob's licence has another first day in each report, so that his three licences follow each other without a gap. Cy came
    // back under the old first day: as the source tells it now, there was no break.
    let expected = [
        (0, day("2024-01-10"), may),
        (1, day("2024-03-31"), april),
        (1, day("2024-04-30"), may),
        (1, day("2024-05-31"), None),
        (2, day("2024-03-01"), None),
    ];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let service = Service::start(engine).await;
        // Users get their numbers first, so that these do not depend on the order.
        for user in ["ada", "bob", "cy"] {
            service.take(vec![licensed("C-1", user, "Yammer", "2024-01-01")]).await;
        }
        service.take(vec![retract("licensed", "C-1", "Yammer", "2024-01-01", "2024-01-01"), customer("C-1", "")]).await;
        for report in order {
            service.take(reports[report].clone()).await;
        }
        assert_eq!(licences(&service).await, expected, "{order:?}");
        let before = service.partner_facts().await.version;
        for report in order {
            let again = service.take(reports[report].clone()).await;
            assert_eq!(again.accepted, 0, "{order:?}");
        }
        assert_eq!(service.partner_facts().await.version, before, "the same again changes nothing");
    }
}

async fn only_licences_of_lists_end_with_them(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![customer("C-1", "")]).await;
    let own = |user: &str, to: &str| {
        let Some(Kind::Licensed(it)) = licensed("C-1", user, "Teams", "2024-01-01").kind else { unreachable!() };
        record(Kind::Licensed(Licensed { to_day: Some(to.into()), listed: true, ..it }))
    };
    service.take(vec![at(0, licensed("C-1", "ada", "Teams", "2024-01-01"))]).await;
    service.take(vec![at(0, own("bob", "2024-03-01"))]).await;
    service.take(vec![listed("C-1", "cy", "Exchange", "2024-01-01", "2024-01-31")]).await;
    service.take(vec![licence_list("C-1", "Teams", "2024-05-31"), licence_list("C-2", "Exchange", "2024-05-31")]).await;
    let from = day("2024-01-01");
    let expected = [(0, from, None), (1, from, Some(day("2024-03-01"))), (2, from, None)];
    assert_eq!(licences(&service).await, expected, "not of a list; ended before; another service and customer");
    // The same licence by a source that says when it ends: of two with one key the later recorded counts, whole.
    service.take(vec![licence_list("C-1", "Exchange", "2024-05-31")]).await;
    assert_eq!(licences(&service).await[2], (2, from, Some(day("2024-05-31"))));
    service.take(vec![licensed("C-1", "cy", "Exchange", "2024-01-01")]).await;
    assert_eq!(licences(&service).await[2], (2, from, None));
}

async fn a_list_waits_for_its_customer(engine: Engine) {
    let service = Service::start(engine).await;
    let answer = service.take(vec![licence_list("C-1", "Teams", "2024-05-31")]).await;
    assert_eq!((answer.accepted, answer.waiting), (1, 1));
    service.take(vec![listed("C-1", "ada", "Teams", "2024-01-01", "2024-04-30")]).await;
    assert_eq!(service.waiting().await, [("customer/C-1".to_owned(), 2)]);
    service.take(vec![customer("C-1", "")]).await;
    assert_eq!(licences(&service).await, [(0, day("2024-01-01"), Some(day("2024-05-31")))]);
}

async fn a_later_sight_of_a_licence_is_a_change(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![customer("C-1", ""), listed("C-1", "ada", "Teams", "2023-01-01", "2024-04-30")]).await;
    let before = service.partner_facts().await.version;
    service.take(vec![licence_list("C-1", "Teams", "2024-05-31")]).await;
    let change = service.changes_since(before).await;
    assert_eq!(change.customers[0].first_month, 2024 * 12 + 4, "nothing changes before the list");
    let before = service.partner_facts().await.version;
    // The second half of the same list.
    let answer = service.take(vec![listed("C-1", "ada", "Teams", "2023-01-01", "2024-05-31")]).await;
    assert_eq!((answer.accepted, answer.duplicates), (0, 1));
    assert_eq!(licences(&service).await, [(0, day("2023-01-01"), None)]);
    let change = service.changes_since(before).await;
    assert_eq!(change.customers[0].first_month, 2024 * 12 + 3, "nothing changes before it was last seen");
}

async fn a_retract_of_licences_takes_lists_back(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![customer("C-1", "")]).await;
    service.take(report("2024-04-30", &[("ada", "2024-01-10")])).await;
    service.take(report("2024-05-31", &[])).await;
    assert_eq!(licences(&service).await, [(0, day("2024-01-10"), Some(day("2024-05-31")))]);
    let before = service.partner_facts().await.version;
    let other = retract("licensed", "C-1", "Exchange", "2024-05-01", "2024-05-31");
    assert_eq!(service.take(vec![other]).await.duplicates, 1, "another service's");
    let wrong = retract("licensed", "C-1", "Teams", "2024-05-01", "2024-05-31");
    assert_eq!(service.take(vec![wrong]).await.accepted, 1);
    assert_eq!(licences(&service).await, [(0, day("2024-01-10"), None)]);
    assert_eq!(service.changes_since(before).await.customers[0].first_month, 2024 * 12 + 4);
}

async fn a_list_must_say_whose_it_is_of_what_and_of_when(engine: Engine) {
    let service = Service::start(engine).await;
    let wrong = [
        (licence_list("", "Teams", "2024-05-31"), "licence_list.customer_id"),
        (licence_list("C-1", " ", "2024-05-31"), "licence_list.service"),
        (licence_list("C-1", "Teams", "2024-06-21"), "licence_list.day"),
    ];
    let records = wrong.iter().map(|(record, _)| record.clone()).collect();
    let answer = service.send(insights_proto::ingestion::v1::IngestBatchRequest { records, ..Default::default() });
    let found: Vec<String> = answer.await.unwrap().rejections.into_iter().map(|rejection| rejection.field).collect();
    assert_eq!(found, wrong.map(|(_, field)| field.to_owned()));
}
