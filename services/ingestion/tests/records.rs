//! Records of every kind: stored, repeated, corrected, early, moved.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use insights_proto::ingestion::v1::{IngestBatchRequest, Precedence, Record, record::Kind};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use support::{Engine, Place, Service, make::*, world::World};

on_both!(
    every_kind_reaches_followers,
    the_same_again_changes_nothing,
    the_greater_recorded_at_wins_in_any_order,
    the_later_line_wins_without_recorded_at,
    a_record_recorded_again_and_again_changes_nothing,
    early_references_wait_in_any_order,
    customers_that_come_together_bring_their_last_days,
    a_subscription_takes_its_facts_along,
    partners_do_not_meet,
    ids_are_folded,
    dates_that_stand_for_none_are_none,
    the_greater_precedence_counts_in_any_order,
    an_unknown_precedence_is_refused,
);

fn everything() -> Vec<Record> {
    vec![
        partner("Contoso", "Europe/Berlin"),
        location("L-1", "Bonn"),
        sku("K-1", &["Exchange", "OneDrive"]),
        sku("K-2", &["Teams"]),
        customer("C-1", "DE"),
        customer("C-2", "FR"),
        subscription("S-1", "C-1", "K-1"),
        subscription("S-2", "C-1", "K-2"),
        subscription("S-3", "C-2", "K-1"),
        state("S-1", "2024-01-01", "Active", 10),
        state("S-1", "2024-03-01", "Suspended", 10),
        state_on_sku("S-2", "2024-02-01", 5, "K-1"),
        state("S-3", "2024-02-01", "unheard of", 7),
        assignment("S-1", "ann@x.example", "2024-01-05", "2024-02-01"),
        assignment("S-1", "bob@x.example", "2024-01-05", ""),
        assignment("S-3", "eve@y.example", "2024-02-05", ""),
        licensed("C-1", "ann@x.example", "Yammer", "2024-01-01"),
        revenue("S-1", "2024-01", "12.50"),
        revenue_by_sku("C-2", "K-2", "2024-01", "-3"),
        support_cases("C-1", "2024-01", 4),
        reported_seats("S-2", "2024-01", 3),
        reported_seats_by_sku("C-2", "K-2", "2024-01", 8),
        reported_usage("C-2", "OneDrive for Business", "2024-01", 5),
        complete_through("2024-05-31"),
    ]
}

fn some_activity() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    vec![
        ("C-1", "ann@x.example", "Exchange", "2024-01-10"),
        ("C-1", "ann@x.example", "Exchange", "2024-01-11"),
        ("C-1", "bob@x.example", "OneDrive", "2024-01-11"),
        ("C-2", "eve@y.example", "Teams", "2024-02-29"),
    ]
}

async fn every_kind_reaches_followers(engine: Engine) {
    let service = Service::start(engine).await;
    let records = everything();
    let count = i64::try_from(records.len()).unwrap();
    let batch = IngestBatchRequest { records, activity: Some(activity(&some_activity())), ..Default::default() };
    let answer = service.send(batch).await.unwrap();
    assert_eq!((answer.accepted, answer.duplicates, answer.rejected, answer.waiting), (count + 4, 0, 0, 0));
    assert!(answer.version > 0);
    let world = service.world().await;
    for (customer, words) in [
        ("C-1", "country: Some(\"DE\")"),
        ("C-1", "on K-1 "),
        ("C-1", "state S-1 19723 Active 10 own None"),
        ("C-1", "state S-1 19783 Suspended 10"),
        ("C-1", "state S-2 19754 Active 5 K-1 Some(true)"),
        ("C-2", "state S-3 19754 unheard of 7"),
        ("C-1", "holds S-1 19727 Some(19754)"),
        ("C-1", "licensed Yammer 19723 None"),
        ("C-1", "active Exchange 24288 11000000000"),
        ("C-1", "active SharePoint 24288 10000000000"),
        ("C-1", "first SharePoint 19733"),
        ("C-1", "amount: \"12.50\", currency: \"EUR\""),
        ("C-2", "amount: \"-3.00\", currency: \"EUR\", seller: None"),
        ("C-1", "total: Some(4)"),
        ("C-1", "available: Some(3)"),
        ("C-2", "available: Some(8)"),
        ("C-2", "service: \"SharePoint\""),
        ("C-2", "active Teams 24289 10000000000000000000000000000"),
    ] {
        assert!(world.says(customer, words), "{words} in {:#?}", world.customers);
    }
    let facts = service.partner_facts().await;
    assert_eq!(facts.complete_through, Some(day("2024-05-31")));
    assert_eq!(facts.last_activity, Some(day("2024-02-29")));
    assert_eq!(facts.settings.unwrap().time_zone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(facts.locations.len(), 1);
    let carried =
        |id: &str| facts.skus.iter().find(|sku| sku.sku.as_ref().unwrap().sku_id == id).unwrap().services.len();
    assert_eq!((carried("K-1"), carried("K-2")), (2, 1));
    assert!(facts.skus.iter().all(|sku| sku.known));
}

async fn the_same_again_changes_nothing(engine: Engine) {
    let service = Service::start(engine).await;
    let batch =
        IngestBatchRequest { records: everything(), activity: Some(activity(&some_activity())), ..Default::default() };
    let first = service.send(batch.clone()).await.unwrap();
    let world = service.world().await;
    let again = service.send(batch.clone()).await.unwrap();
    assert_eq!((again.accepted, again.duplicates, again.version), (0, first.accepted, first.version));
    assert_eq!(service.world().await, world);
    let twice = [batch.records.clone(), batch.records].concat();
    let other = Service::start(engine).await;
    let answer = other.take(twice).await;
    assert_eq!((answer.accepted, answer.duplicates), (24, 24));
}

async fn the_greater_recorded_at_wins_in_any_order(engine: Engine) {
    let mut records = vec![sku("K-1", &["Teams"]), sku("K-2", &["Teams"])];
    for number in 0..4 {
        let minute = number * 60;
        let customer_id = format!("C-{}", number % 2);
        records.push(at(minute, customer("C-0", ["DE", "FR", "IT", "BR"][usize::try_from(number).unwrap()])));
        records.push(at(minute, customer("C-1", "US")));
        records.push(at(minute, subscription("S-1", &customer_id, "K-1")));
        records.push(at(minute, state("S-1", "2024-01-01", "Active", number)));
        records.push(at(minute, assignment("S-1", "u", "2024-01-01", &format!("2024-02-0{}", number + 1))));
        records.push(at(minute, reported_seats("S-1", "2024-03", number)));
        records.push(at(minute, reported_usage(&customer_id, "Teams", "2024-03", number)));
        records.push(at(minute, revenue("S-1", "2024-01", &number.to_string())));
    }
    let mut random = StdRng::seed_from_u64(7);
    let mut worlds: Vec<World> = Vec::new();
    for _ in 0..3 {
        let service = Service::start(engine).await;
        records.shuffle(&mut random);
        for chunk in records.chunks(7) {
            service.take(chunk.to_vec()).await;
        }
        // Repeating everything in another order changes nothing.
        let world = service.world().await;
        records.shuffle(&mut random);
        assert_eq!(service.take(records.clone()).await.accepted, 0);
        assert_eq!(service.world().await, world);
        worlds.push(world);
    }
    assert_eq!(worlds[0], worlds[1]);
    assert_eq!(worlds[0], worlds[2]);
    assert!(worlds[0].says("C-1", "state S-1 19723 Active 3"), "{:#?}", worlds[0]);
    assert!(worlds[0].says("C-1", "amount: \"3.00\""));
    assert!(worlds[0].says("C-0", "country: Some(\"BR\")"));
    assert!(!worlds[0].says("C-0", "S-1"));
}

async fn the_later_line_wins_without_recorded_at(engine: Engine) {
    let service = Service::start(engine).await;
    let answer = service.take(vec![customer("C-1", "DE"), customer("C-1", "FR"), customer("C-1", "BR")]).await;
    assert_eq!((answer.accepted, answer.duplicates), (3, 0));
    assert!(service.world().await.says("C-1", "country: Some(\"BR\")"));
    service.take(vec![customer("C-1", "AT")]).await;
    assert!(service.world().await.says("C-1", "country: Some(\"AT\")"));
    // An explicit time before that of receipt loses.
    let older = service.take(vec![at(0, customer("C-1", "IT"))]).await;
    assert_eq!((older.accepted, older.duplicates, older.superseded), (0, 0, 1));
    assert!(service.world().await.says("C-1", "country: Some(\"AT\")"));
}

async fn a_record_recorded_again_and_again_changes_nothing(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(everything()).await;
    let world = service.world().await;
    // Each line counts as recorded after the one before it, and after what is stored.
    let thrice: Vec<Record> = everything().into_iter().flat_map(|record| vec![record; 3]).collect();
    let answer = service.take(thrice.clone()).await;
    assert_eq!((answer.accepted, usize::try_from(answer.duplicates).unwrap()), (0, thrice.len()), "{answer:?}");
    assert_eq!(service.world().await, world);
    // It takes a later time than that of the last line to change it.
    assert_eq!(service.take(vec![at(0, subscription("S-1", "C-2", "K-1"))]).await.accepted, 0);
    assert_eq!(service.take(vec![subscription("S-1", "C-2", "K-1")]).await.accepted, 1);
}

async fn customers_that_come_together_bring_their_last_days(engine: Engine) {
    let service = Service::start(engine).await;
    let ids: Vec<String> = (0..30).map(|number| format!("C-{number}")).collect();
    let days: Vec<String> = (0..30).map(|number| format!("2024-0{}-{:02}", number % 3 + 1, number % 28 + 1)).collect();
    let mut facts: Vec<_> = ids.iter().zip(&days).map(|(id, day)| (id.as_str(), "u", "Teams", day.as_str())).collect();
    facts.extend([("C-7", "v", "Exchange", "2024-04-17"), ("C-7", "v", "Exchange", "2024-01-01")]);
    service.send(activity_batch(&facts)).await.unwrap();
    let come = async |numbers: &[usize]| {
        service.take(numbers.iter().map(|number| customer(&ids[*number], "DE")).collect()).await;
        service.partner_facts().await.last_activity
    };
    assert_eq!(service.partner_facts().await.last_activity, None);
    let all_but_one: Vec<usize> = (0..30).filter(|number| *number != 7).collect();
    assert_eq!(come(&all_but_one).await, Some(day("2024-03-27")));
    assert_eq!(come(&[7]).await, Some(day("2024-04-17")));
}

async fn early_references_wait_in_any_order(engine: Engine) {
    let expected = {
        let service = Service::start(engine).await;
        let batch = IngestBatchRequest {
            records: everything(),
            activity: Some(activity(&some_activity())),
            ..Default::default()
        };
        service.send(batch).await.unwrap();
        service.world().await
    };
    let mut random = StdRng::seed_from_u64(11);
    for round in 0..4 {
        let service = Service::start(engine).await;
        let mut records = everything();
        records.shuffle(&mut random);
        let activity_after = if round % 2 == 0 { 0 } else { 12 };
        for (place, record) in records.into_iter().enumerate() {
            if place == activity_after {
                service.send(activity_batch(&some_activity())).await.unwrap();
            }
            service.take(vec![record]).await;
        }
        assert_eq!(service.waiting().await, vec![], "nothing waits any more");
        assert_eq!(service.world().await, expected);
    }
    let service = Service::start(engine).await;
    let answer = service
        .take(vec![
            state("S-1", "2024-01-01", "Active", 1),
            assignment("S-1", "u", "2024-01-01", ""),
            revenue_by_sku("C-1", "K-1", "2024-01", "1"),
            subscription("S-2", "C-1", "K-1"),
        ])
        .await;
    assert_eq!((answer.accepted, answer.waiting), (4, 4));
    service
        .send(activity_batch(&[("C-1", "u", "Teams", "2024-01-01"), ("C-1", "v", "Teams", "2024-01-01")]))
        .await
        .unwrap();
    assert_eq!(service.waiting().await, [("customer/C-1".to_owned(), 4), ("subscription/S-1".to_owned(), 2)]);
    assert_eq!(service.partner_facts().await.last_activity, None, "what waits counts nowhere");
    service.take(vec![customer("C-1", "DE")]).await;
    assert_eq!(service.waiting().await, [("sku/K-1".to_owned(), 2), ("subscription/S-1".to_owned(), 2)]);
    assert_eq!(service.partner_facts().await.last_activity, Some(day("2024-01-01")));
    let before = service.partner_facts().await.version;
    service.take(vec![sku("K-1", &["Teams"])]).await;
    assert!(service.partner_facts().await.version > before);
    assert_eq!(service.waiting().await, [("subscription/S-1".to_owned(), 2)]);
    service.take(vec![subscription("S-1", "C-1", "K-1")]).await;
    assert_eq!(service.waiting().await, []);
    let world = service.world().await;
    assert!(world.says("C-1", "holds S-1") && world.says("C-1", "state S-1") && world.says("C-1", "on K-1"));
}

async fn a_subscription_takes_its_facts_along(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(everything()).await;
    let before = service.partner_facts().await.version;
    service.take(vec![subscription("S-1", "C-2", "K-1")]).await;
    let world = service.world().await;
    assert!(!world.says("C-1", "S-1"), "{:#?}", world.customer("C-1"));
    for words in
        ["on K-1", "state S-1 19723", "state S-1 19783", "holds S-1 19727 Some", "holds S-1 19727 None", "12.50"]
    {
        assert!(world.says("C-2", words), "{words} in {:#?}", world.customer("C-2"));
    }
    let changes = service.changes_since(before).await;
    assert_eq!(changes.customers.len(), 2, "both customers changed: {changes:?}");
    // And further to one nobody has introduced, where it waits.
    let answer = service.take(vec![subscription("S-1", "C-9", "K-1")]).await;
    assert_eq!(answer.waiting, 1);
    assert!(!service.world().await.says("C-2", "S-1"));
    service.take(vec![customer("C-9", "")]).await;
    assert!(service.world().await.says("C-9", "state S-1 19783"));
    assert_eq!(service.waiting().await, []);
}

async fn partners_do_not_meet(engine: Engine) {
    use insights_access::Role;
    let service = Service::start(engine).await;
    service.take(everything()).await;
    let world = service.world().await;
    let mut client = service.ingestion();
    let batch = batch(vec![customer("C-1", "JP"), at(0, location("L-1", "Kyoto")), complete_through("2024-06-19")]);
    let answer = client.ingest_batch(service.request("other", Role::DataSource, batch)).await.unwrap().into_inner();
    assert_eq!(answer.accepted, 3);
    assert_eq!(service.world().await, world);
}

async fn ids_are_folded(engine: Engine) {
    let service = Service::start(engine).await;
    let guid = "5B1C0C5E-8A8D-4C5A-9C1D-0A1B2C3D4E5F";
    service.take(vec![sku(&format!(" {guid} "), &["Teams"]), customer(guid, "de"), customer("Case", "")]).await;
    let batch = vec![
        subscription("s-1", &guid.to_lowercase(), guid),
        assignment("s-1", "  Ann@X.Example ", "2024-01-01", ""),
        customer("case", ""),
    ];
    assert_eq!(service.take(batch).await.waiting, 0);
    let again = service.take(vec![assignment("s-1", "ann@x.example", "2024-01-01", "")]).await;
    assert_eq!(again.duplicates, 1);
    let braces = format!("{{{guid}}}");
    let same = vec![subscription("s-1", &format!(" {braces} "), &braces)];
    assert_eq!(service.take(same).await.duplicates, 1, "braces are no part of an id");
    let held = |user: &str| assignment("s-1", user, "2024-01-01", "");
    assert_eq!(service.take(vec![held(guid)]).await.accepted, 1);
    assert_eq!(service.take(vec![held(&braces)]).await.duplicates, 1);
    let world = service.world().await;
    assert_eq!(world.customers.keys().collect::<Vec<_>>(), [&guid.to_lowercase(), "Case", "case"]);
    assert!(world.says(&guid.to_lowercase(), "country: Some(\"DE\")"));
}

async fn dates_that_stand_for_none_are_none(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(everything()).await;
    let with = |start: &str, end: &str| {
        let mut record = subscription("S-9", "C-1", "K-1");
        if let Some(Kind::Subscription(it)) = &mut record.kind {
            (it.start, it.end) = (Some(start.into()), Some(end.into()));
        }
        record
    };
    assert_eq!(service.take(vec![with("", "")]).await.accepted, 1);
    assert_eq!(service.take(vec![with("0001-01-01", "9999-12-31")]).await.duplicates, 1);
    let held = |to: &str| assignment("S-1", "carl@x.example", "2024-01-05", to);
    assert_eq!(service.take(vec![held("")]).await.accepted, 1);
    assert_eq!(service.take(vec![held("9999-12-31")]).await.duplicates, 1);
}

#[tokio::test]
async fn another_key_is_refused() {
    let place = Place::new(Engine::Sqlite);
    let config = place.config();
    let service = Service::open(place.clone(), config.clone()).await;
    service.take(vec![licensed("C-1", "Ann.Secret@x.example", "Teams", "2024-01-01")]).await;
    service.send(activity_batch(&[("C-1", "Bob.Secret@x.example", "Teams", "2024-01-01")])).await.unwrap();
    drop(service);
    for file in ["test.db", "test.db-wal"] {
        let path = place.database.url().trim_start_matches("sqlite:").replace("test.db", file);
        let bytes = std::fs::read(path).unwrap_or_default().to_ascii_lowercase();
        assert!(!bytes.windows(6).any(|window| window == b"secret"), "a user id in {file}");
    }
    std::fs::write(place.key_file(), "ab".repeat(32)).unwrap();
    let error = insights_ingestion::Ingestion::open(config, place.clock()).await.err().unwrap();
    assert!(error.to_string().contains("not the key"), "{error}");
}

fn knowing(precedence: Precedence, record: Record) -> Record {
    Record { precedence: precedence.into(), ..record }
}

async fn the_greater_precedence_counts_in_any_order(engine: Engine) {
    // From the least to the greatest; the later of two records counts, but for those on first sight.
    let rising = [
        knowing(Precedence::Named, at(9, customer("C-1", "AT"))),
        knowing(Precedence::Listed, at(7, customer("C-1", "BE"))),
        knowing(Precedence::FirstSight, at(8, customer("C-1", "CH"))),
        knowing(Precedence::FirstSight, at(6, customer("C-1", "DE"))),
        knowing(Precedence::Described, at(5, customer("C-1", "ES"))),
        knowing(Precedence::Known, at(4, customer("C-1", "FR"))),
        at(3, customer("C-1", "GB")),
    ];
    for count in 1..=rising.len() {
        let mut records = rising[..count].to_vec();
        let mut random = StdRng::seed_from_u64(count as u64);
        records.shuffle(&mut random);
        let service = Service::start(engine).await;
        // One after the other, and in one batch.
        let split = count / 2;
        for record in records.drain(..split) {
            service.take(vec![record]).await;
        }
        service.take(records).await;
        let country = ["AT", "BE", "CH", "DE", "ES", "FR", "GB"][count - 1];
        let world = service.world().await;
        assert!(world.says("C-1", &format!("country: Some(\"{country}\")")), "{count} {:?}", world.customer("C-1"));
    }
}

async fn an_unknown_precedence_is_refused(engine: Engine) {
    let service = Service::start(engine).await;
    let answer = service.send(batch(vec![Record { precedence: 99, ..customer("C-1", "DE") }])).await.unwrap();
    let rejection = &answer.rejections[0];
    assert_eq!(rejection.field, "precedence", "{rejection:?}");
}
