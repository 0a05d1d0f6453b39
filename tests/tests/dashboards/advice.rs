//! Advice finds the customers with trouble, says why in the figures of the queries, and leaves the others alone.

use std::collections::{BTreeMap, BTreeSet};

use insights_access::Role;
use insights_proto::ingestion::v1::{
    ActivityColumns, IngestBatchRequest, IngestBatchResponse, Partner, SupportCases, record::Kind,
};
use insights_proto::metrics::v1::{Dimension, DimensionValue, Filter};
use insights_proto::reporting::v1::{
    Advice, AdviceCode, EvidenceKind, ListAdviceRequest, ListAdviceResponse, PageFilters, advice_argument,
};
use insights_tests::product::{Person, Product};
use insights_tests::records::{self, text};
use tonic::Code;

use AdviceCode as A;

const MONTHS: [&str; 6] = ["2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06"];

/// A customer of a small partner: one subscription of 40 seats from January on.
#[derive(Clone, Copy)]
struct Story {
    customer: &'static str,
    seats: i64,
    /// Users who hold a seat.
    assigned: usize,
    /// How many of them work, month by month.
    active: [usize; 6],
    trial: bool,
    end: Option<&'static str>,
    /// Support cases of June: all, and how-to.
    cases: (i64, i64),
    location: &'static str,
}

const HEALTHY: Story = Story {
    customer: "C-healthy",
    seats: 40,
    assigned: 37,
    active: [32, 33, 32, 31, 33, 32],
    trial: false,
    end: Some("2025-07-20"),
    cases: (6, 1),
    location: "L1",
};

fn stories() -> Vec<(Story, Vec<AdviceCode>)> {
    let of = |customer: &'static str| Story { customer, ..HEALTHY };
    vec![
        (HEALTHY, vec![]),
        (Story { active: [12, 12, 11, 12, 12, 12], assigned: 16, end: None, ..of("C-low") }, vec![A::LowAdoption]),
        (Story { active: [19; 6], ..of("C-idle") }, vec![A::IdleSeats]),
        (Story { active: [37, 37, 36, 33, 29, 25], ..of("C-fading") }, vec![A::SteadyDecline]),
        (Story { assigned: 40, active: [36; 6], ..of("C-full") }, vec![A::SeatsNearlyExhausted]),
        (Story { assigned: 26, active: [24; 6], ..of("C-renewal") }, vec![A::UnassignedBeforeRenewal]),
        (Story { assigned: 26, active: [24; 6], end: Some("2025-11-20"), ..of("C-later") }, vec![]),
        (Story { trial: true, assigned: 12, active: [9; 6], location: "L2", ..of("C-trial") }, vec![A::TrialEnding]),
        (Story { trial: true, assigned: 12, active: [2; 6], ..of("C-quiet") }, vec![]),
        (Story { cases: (11, 9), location: "L2", ..of("C-asks") }, vec![A::HowToCases]),
    ]
}

/// The records of a partner with these customers, and what their users did.
fn told(stories: &[Story]) -> (Vec<Kind>, ActivityColumns) {
    let mut all = vec![Kind::Partner(Partner::default()), records::sku("E3", "Plan E3", "Office 365", &["Exchange"])];
    let mut activity = ActivityColumns { services: vec!["Exchange".into()], ..ActivityColumns::default() };
    for (at, story) in stories.iter().enumerate() {
        let id = story.customer;
        let subscription = format!("S-{id}");
        all.push(records::customer(id, |it| it.name = Some(format!("Name of {id}"))));
        all.push(records::subscription(&subscription, id, "E3", |it| {
            it.trial = story.trial;
            it.start = text("2025-01-01");
            it.end = story.end.and_then(text);
            it.attributions = vec![records::attribution(story.location, "CSP")];
        }));
        all.push(records::state(&subscription, "2025-01-01", "Active", story.seats));
        for user in 0..story.assigned {
            all.push(records::assignment(&subscription, &format!("u{user}@{id}"), "2025-01-01"));
        }
        all.push(Kind::SupportCases(SupportCases {
            customer_id: id.into(),
            month: "2025-06".into(),
            total: Some(story.cases.0),
            how_to: Some(story.cases.1),
        }));
        activity.customers.push(id.into());
        for (month, active) in MONTHS.iter().zip(story.active) {
            let day: chrono::NaiveDate = format!("{month}-20").parse().expect("a day");
            let days = (day - chrono::NaiveDate::default()).num_days();
            for user in 0..active {
                activity.users.push(format!("u{user}@{id}"));
                activity.user.push(activity.users.len() as u32 - 1);
                activity.customer.push(at as u32);
                activity.service.push(0);
                activity.day.push(i32::try_from(days).expect("a day"));
            }
        }
    }
    all.push(records::complete_through("2025-06-30"));
    (all, activity)
}

/// A product with a partner of these customers, and the version of it.
async fn product(stories: &[Story]) -> (Product, i64) {
    let product = Product::sqlite().await;
    let (all, activity) = told(stories);
    let batch = IngestBatchRequest { activity: Some(activity), ..records::batch("b", all) };
    let token = product.token("acme", &[Role::DataSource], &[]);
    let path = "/insights.ingestion.v1.IngestionService/IngestBatch";
    let (answer, stored) = product.ask::<IngestBatchResponse>(path, &token, &batch).await;
    assert_eq!(answer.code(), Code::Ok, "{answer:?}");
    assert_eq!(stored.rejections, []);
    (product, stored.version)
}

async fn ask(person: &mut Person, request: ListAdviceRequest) -> Result<ListAdviceResponse, tonic::Status> {
    let request = person.request(request);
    person.client.list_advice(request).await.map(tonic::Response::into_inner)
}

fn about(advice: &Advice) -> String {
    let customer = advice.customer.as_ref().and_then(|it| it.value.as_ref()).and_then(|it| it.value.clone());
    customer.expect("a customer")
}

fn by_customer(answer: &ListAdviceResponse) -> BTreeMap<String, Vec<AdviceCode>> {
    let mut found: BTreeMap<String, Vec<AdviceCode>> = BTreeMap::new();
    for advice in &answer.advice {
        found.entry(about(advice)).or_default().push(advice.code());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn each_trouble_is_found_at_its_customer_and_nowhere_else() {
    let stories = stories();
    let (product, min_version) = product(&stories.iter().map(|(story, _)| *story).collect::<Vec<_>>()).await;
    let mut agent = product.person(&product.token("acme", &[Role::SalesAgent], &[])).await;
    let request = ListAdviceRequest { min_version, ..ListAdviceRequest::default() };
    let answer = ask(&mut agent, request.clone()).await.expect("advice");
    let expected: BTreeMap<String, Vec<AdviceCode>> = stories
        .iter()
        .filter(|(_, codes)| !codes.is_empty())
        .map(|(story, codes)| (story.customer.to_owned(), codes.clone()))
        .collect();
    assert_eq!(by_customer(&answer), expected);
    assert!(!answer.incomplete && answer.next_page_token.is_empty());
    let counted: BTreeSet<(i32, i32)> = answer.counts.iter().map(|of| (of.code, of.count)).collect();
    assert_eq!(counted, (1..=7).map(|code| (code, 1)).collect());
    let scores: Vec<i64> = answer.advice.iter().map(|advice| advice.score).collect();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]) && scores.iter().all(|score| *score > 0), "{scores:?}");
    for advice in &answer.advice {
        let name = &advice.customer.as_ref().expect("a customer").name;
        assert!(advice.title.contains(name.as_str()), "{}", advice.title);
        for text in [&advice.problem, &advice.because, &advice.consider, &advice.to_try] {
            assert!(text.ends_with('.'), "{text}");
        }
    }
    evidence_is_the_story(&answer);
    pages_and_rules(&mut agent, &request, &answer).await;
    filters_and_bindings(&product, min_version, &answer).await;
}

fn evidence_is_the_story(answer: &ListAdviceResponse) {
    let of = |code: AdviceCode| answer.advice.iter().find(|advice| advice.code() == code).expect("advice");
    let figure = |advice: &Advice, kind: EvidenceKind| {
        let evidence = advice.evidence.iter().find(|evidence| evidence.kind() == kind).expect("evidence");
        (evidence.value, evidence.trend.iter().map(|point| point.value).collect::<Vec<_>>())
    };
    let count = |advice: &Advice, name: &str| {
        let argument = advice.arguments.iter().find(|argument| argument.name == name).expect("an argument");
        match &argument.value {
            Some(advice_argument::Value::Count(count)) => *count,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(figure(of(A::LowAdoption), EvidenceKind::ActiveSeats), (12, vec![12, 12, 11, 12, 12, 12]));
    assert_eq!(figure(of(A::SteadyDecline), EvidenceKind::ActiveSeats), (25, vec![36, 33, 29, 25]));
    assert_eq!((count(of(A::IdleSeats), "idle"), count(of(A::IdleSeats), "assigned")), (18, 37));
    let renewal = of(A::UnassignedBeforeRenewal);
    assert_eq!((count(renewal, "unassigned"), count(renewal, "days")), (14, 20));
    assert_eq!(renewal.subscription_id, "S-C-renewal");
    assert_eq!(renewal.sku.as_ref().expect("a SKU").name, "Plan E3");
    assert_eq!(count(of(A::TrialEnding), "active"), 9);
    assert_eq!(figure(of(A::HowToCases), EvidenceKind::HowToCases), (9, vec![0, 0, 9]));
    assert_eq!(count(of(A::SeatsNearlyExhausted), "assigned"), 40);
}

async fn pages_and_rules(person: &mut Person, request: &ListAdviceRequest, whole: &ListAdviceResponse) {
    let mut paged = ListAdviceRequest { page_size: 2, ..request.clone() };
    let mut together = Vec::new();
    loop {
        let page = ask(person, paged.clone()).await.expect("a page");
        assert_eq!(page.counts, whole.counts, "over all pages");
        together.extend(page.advice);
        paged.page_token = page.next_page_token;
        if paged.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(together, whole.advice);
    let one = ListAdviceRequest { codes: vec![A::IdleSeats.into()], ..request.clone() };
    let only = ask(person, one.clone()).await.expect("advice").advice;
    assert_eq!(only.iter().map(about).collect::<Vec<_>>(), ["C-idle"]);
    let token =
        ask(person, ListAdviceRequest { page_size: 2, ..request.clone() }).await.expect("a page").next_page_token;
    let other = ListAdviceRequest { page_token: token, ..one };
    assert_eq!(ask(person, other).await.expect_err("another list").code(), Code::InvalidArgument);
    let unknown = ListAdviceRequest { codes: vec![0, 99], page_size: -1, ..request.clone() };
    assert_eq!(ask(person, unknown).await.expect_err("refused").code(), Code::InvalidArgument);
    let filters = vec![filter(Dimension::Service, "Exchange")];
    let by_service = PageFilters { filters, ..PageFilters::default() };
    let refused = ask(person, ListAdviceRequest { page: Some(by_service), ..request.clone() }).await;
    assert_eq!(refused.expect_err("refused").code(), Code::InvalidArgument);
    // As of May the trial had weeks left and there were no support cases.
    let may = PageFilters { from_month: "2025-05".into(), to_month: "2025-05".into(), ..PageFilters::default() };
    let earlier = ask(person, ListAdviceRequest { page: Some(may), ..request.clone() }).await.expect("advice");
    let found = by_customer(&earlier);
    assert!(
        found.contains_key("C-low") && !found.contains_key("C-trial") && !found.contains_key("C-asks"),
        "{found:?}"
    );
}

fn filter(dimension: Dimension, value: &str) -> Filter {
    Filter { dimension: dimension.into(), values: vec![DimensionValue { value: text(value) }] }
}

async fn filters_and_bindings(product: &Product, min_version: i64, whole: &ListAdviceResponse) {
    let mut admin = product.person(&product.token("acme", &[Role::GlobalAdmin], &[])).await;
    let expected: BTreeSet<&str> = ["C-trial", "C-asks"].into();
    let at_location = |filters: Vec<Filter>| ListAdviceRequest {
        page: Some(PageFilters { filters, ..PageFilters::default() }),
        min_version,
        ..ListAdviceRequest::default()
    };
    let filtered = ask(&mut admin, at_location(vec![filter(Dimension::Location, "L2")])).await.expect("advice");
    let mut bound = product.person(&product.token("acme", &[Role::AdminAgent], &["L2"])).await;
    let own = ask(&mut bound, at_location(Vec::new())).await.expect("advice");
    assert_eq!(own.advice, filtered.advice);
    let customers: Vec<String> = own.advice.iter().map(about).collect();
    assert_eq!(customers.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    let one = ask(&mut admin, at_location(vec![filter(Dimension::Customer, "C-idle")])).await.expect("advice");
    let idle: Vec<&Advice> = whole.advice.iter().filter(|advice| about(advice) == "C-idle").collect();
    assert_eq!(one.advice.iter().collect::<Vec<_>>(), idle);
    let mut stranger = product.person(&product.token("other", &[Role::GlobalAdmin], &[])).await;
    assert!(ask(&mut stranger, ListAdviceRequest::default()).await.expect("no advice").advice.is_empty());
}
