//! What a whole list leaves out is gone from its day on, in whatever order lists come.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use insights_proto::ingestion::v1::{AbsenceFacts, IngestBatchRequest, Record, absence_facts::Subject, record::Kind};
use support::{Engine, Service, make::*};

on_both!(
    what_a_list_leaves_out_is_gone_in_whatever_order_lists_come,
    lists_of_skus_and_of_customers_end_what_they_leave_out,
    a_list_of_customers_changes_those_it_leaves_out_and_no_others,
    a_list_of_customers_recorded_anew_names_those_it_names_now,
    a_list_waits_for_its_customer_and_a_part_ends_nothing,
    lists_are_taken_back,
    a_list_must_say_whose_it_is_of_what_and_of_when,
);

/// What of a customer is gone, from when until when.
async fn absences(service: &Service, customer: i64) -> Vec<(String, i32, Option<i32>)> {
    let facts = service.facts(vec![customer], 0).await;
    let absence = |it: &AbsenceFacts| {
        let subject = match it.subject.clone().unwrap() {
            Subject::Subscription(number) => format!("S{number}"),
            Subject::SkuId(id) => id,
        };
        (subject, it.from_day, it.to_day)
    };
    let mut absences: Vec<_> = facts.iter().flat_map(|part| &part.absences).map(absence).collect();
    absences.sort_unstable();
    absences
}

/// A customer with two subscriptions, numbered 1 and 2.
async fn two_subscriptions(service: &Service) {
    service.take(vec![customer("C-1", ""), sku("K", &["Teams"])]).await;
    for id in ["S-1", "S-2"] {
        service.take(vec![subscription(id, "C-1", "K"), state(id, "2024-01-10", "Active", 5)]).await;
    }
}

async fn what_a_list_leaves_out_is_gone_in_whatever_order_lists_come(engine: Engine) {
    let lists = [
        whole_list("subscriptions", "C-1", "2024-03-31", &["S-1", "S-2"]),
        whole_list("subscriptions", "C-1", "2024-04-30", &["S-1"]),
        whole_list("subscriptions", "C-1", "2024-05-31", &["S-2", "S-1"]),
        whole_list("subscriptions", "C-1", "2024-06-15", &[]),
    ];
    let expected = [
        ("S1".to_owned(), day("2024-06-15"), None),
        ("S2".to_owned(), day("2024-04-30"), Some(day("2024-05-31"))),
        ("S2".to_owned(), day("2024-06-15"), None),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        let service = Service::start(engine).await;
        two_subscriptions(&service).await;
        for list in order {
            service.take(vec![lists[list].clone()]).await;
        }
        assert_eq!(absences(&service, 1).await, expected, "{order:?}");
        let before = service.partner_facts().await.version;
        let again = service.take(lists.to_vec()).await;
        assert_eq!((again.accepted, again.duplicates), (0, 4), "{order:?}");
        assert_eq!(service.partner_facts().await.version, before, "the same again changes nothing");
        // A later list for the day replaces the one before.
        service.take(vec![whole_list("subscriptions", "C-1", "2024-04-30", &["S-1", "S-2"])]).await;
        assert_eq!(absences(&service, 1).await, [expected[0].clone(), expected[2].clone()]);
        let change = service.changes_since(before).await;
        assert_eq!(change.customers[0].first_month, 2024 * 12 + 3, "nothing changes before the list");
    }
}

async fn lists_of_skus_and_of_customers_end_what_they_leave_out(engine: Engine) {
    let service = Service::start(engine).await;
    two_subscriptions(&service).await;
    let other = subscription("S-3", "C-1", "K");
    let Some(Kind::Subscription(sold)) = other.kind else { unreachable!() };
    let seller = Some("other".to_owned());
    let other = record(Kind::Subscription(insights_proto::ingestion::v1::Subscription { seller, ..sold }));
    service.take(vec![other, state("S-3", "2024-01-10", "Active", 5)]).await;
    service.take(vec![whole_list("skus", "C-1", "2024-03-05", &["K"])]).await;
    service.take(vec![reported_seats_by_sku("C-1", "K", "2024-03", 7)]).await;
    service.take(vec![whole_list("skus", "C-1", "2024-03-25", &[])]).await;
    assert_eq!(absences(&service, 1).await, [("K".to_owned(), day("2024-03-25"), None)]);
    service.take(vec![reported_seats_by_sku("C-1", "K", "2024-05", 7)]).await;
    let sku = ("K".to_owned(), day("2024-03-25"), Some(day("2024-05-01")));
    assert_eq!(absences(&service, 1).await, std::slice::from_ref(&sku), "a row of a later month names it again");

    let list = |named: &str, on: &str| at(0, whole_list("customers", named, on, &[]));
    service.take(vec![list("C-1", "2024-04-10"), list("", "2024-04-10")]).await;
    service.take(vec![list("", "2024-05-10")]).await;
    let own = |number: u32, to| (format!("S{number}"), day("2024-05-10"), to);
    assert_eq!(absences(&service, 1).await, [sku.clone(), own(1, None), own(2, None)], "not what another sold");
    // A state of a later day names a subscription again, and so does a list of subscriptions.
    service.take(vec![state("S-1", "2024-05-20", "Active", 5)]).await;
    service.take(vec![whole_list("subscriptions", "C-1", "2024-05-22", &["S-2"])]).await;
    let expected = [sku, own(1, Some(day("2024-05-20"))), own(2, Some(day("2024-05-22")))];
    assert_eq!(absences(&service, 1).await, expected);
}

async fn a_list_of_customers_changes_those_it_leaves_out_and_no_others(engine: Engine) {
    let service = Service::start(engine).await;
    let ids = ["C-1", "C-2", "C-3", "C-4"];
    service.take(ids.iter().map(|id| customer(id, "")).collect()).await;
    let list = |named: &[&str], on: &str| {
        let named = named.iter().chain(&[""]).map(|id| at(0, whole_list("customers", id, on, &[])));
        named.collect::<Vec<Record>>()
    };
    service.take(list(&["C-1", "C-2"], "2024-04-10")).await;
    service.take(list(&["C-1", "C-3"], "2024-05-10")[..2].to_vec()).await;
    let before = service.partner_facts().await.version;
    service.take(list(&[], "2024-05-10")).await;
    let changed = |changes: Vec<insights_proto::ingestion::v1::CustomerChange>| {
        let mut changed: Vec<_> = changes.iter().map(|change| (change.customer, change.first_month)).collect();
        changed.sort_unstable();
        changed
    };
    let may = 2024 * 12 + 4;
    assert_eq!(changed(service.changes_since(before).await.customers), [(2, may)]);
    let before = service.partner_facts().await.version;
    let gone = service.take(vec![retract("whole_list", "", "", "2024-05-01", "2024-05-31")]).await;
    assert_eq!(gone.accepted, 1);
    assert_eq!(changed(service.changes_since(before).await.customers), [(2, may)]);
}

async fn a_list_of_customers_recorded_anew_names_those_it_names_now(engine: Engine) {
    let service = Service::start(engine).await;
    two_subscriptions(&service).await;
    let list = |named: &str, on: &str, recorded: i64| at(recorded, whole_list("customers", named, on, &[]));
    service.take(vec![list("C-1", "2024-04-10", 5), list("", "2024-04-10", 5)]).await;
    service.take(vec![list("C-1", "2024-05-10", 5), list("", "2024-05-10", 5)]).await;
    assert_eq!(absences(&service, 1).await, []);
    service.take(vec![list("", "2024-05-10", 6)]).await;
    assert_eq!(absences(&service, 1).await.len(), 2);
    service.take(vec![list("C-1", "2024-05-10", 6)]).await;
    assert_eq!(absences(&service, 1).await, []);
}

async fn a_list_waits_for_its_customer_and_a_part_ends_nothing(engine: Engine) {
    let service = Service::start(engine).await;
    let answer = service.take(vec![whole_list("subscriptions", "C-1", "2024-03-31", &["S-1", "S-2"])]).await;
    assert_eq!((answer.accepted, answer.waiting), (1, 1));
    two_subscriptions(&service).await;
    let part = |ids: &[&str]| {
        let Some(Kind::WholeList(list)) = whole_list("subscriptions", "C-1", "2024-04-30", ids).kind else {
            unreachable!()
        };
        record(Kind::WholeList(insights_proto::ingestion::v1::WholeList { part: true, ..list }))
    };
    service.take(vec![part(&["S-1"])]).await;
    assert_eq!(absences(&service, 1).await, []);
    // The last page of a list looks like all of it; the pages before it name the rest.
    service.take(vec![part(&["S-2"]), whole_list("subscriptions", "C-1", "2024-04-30", &["S-9"])]).await;
    assert_eq!(absences(&service, 1).await, []);
}

async fn lists_are_taken_back(engine: Engine) {
    let service = Service::start(engine).await;
    two_subscriptions(&service).await;
    let lists = || {
        [("2024-03-31", &["S-1", "S-2"][..]), ("2024-04-30", &["S-1"])]
            .map(|(on, ids)| whole_list("subscriptions", "C-1", on, ids))
            .to_vec()
    };
    for what in ["whole_list", "subscription_state"] {
        service.take(lists()).await;
        assert_eq!(absences(&service, 1).await.len(), 1);
        let before = service.partner_facts().await.version;
        service.take(vec![retract(what, "C-1", "", "2024-04-01", "2024-04-30")]).await;
        assert_eq!(absences(&service, 1).await, [], "{what}");
        assert_eq!(service.changes_since(before).await.customers[0].first_month, 2024 * 12 + 3);
    }
}

async fn a_list_must_say_whose_it_is_of_what_and_of_when(engine: Engine) {
    let service = Service::start(engine).await;
    let wrong = [
        (whole_list("subscriptions", "", "2024-05-31", &[]), "whole_list.customer_id"),
        (whole_list("users", "C-1", "2024-05-31", &[]), "whole_list.what"),
        (whole_list("skus", "C-1", "2024-06-21", &[]), "whole_list.day"),
        (whole_list("skus", "C-1", "2024-05-31", &[" "]), "whole_list.ids[0]"),
        (whole_list("customers", "C-1", "2024-05-31", &["C-1"]), "whole_list.ids"),
    ];
    let records = wrong.iter().map(|(record, _)| record.clone()).collect();
    let answer = service.send(IngestBatchRequest { records, ..Default::default() }).await.unwrap();
    let found: Vec<String> = answer.rejections.into_iter().map(|rejection| rejection.field).collect();
    assert_eq!(found, wrong.map(|(_, field)| field.to_owned()));
}
