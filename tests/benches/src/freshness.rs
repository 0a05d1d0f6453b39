//! P5: from acknowledged to visible, under a steady feed of small batches and after a whole day's feed.

use std::time::{Duration, Instant};

use insights_domain::calendar::Day;
use insights_proto::{
    ingestion::v1::IngestBatchRequest,
    metrics::v1::{Measure, Query},
};
use tokio::task::JoinSet;

use crate::{
    Failure, Options, Report, check, feed,
    feed_partner::{FeedPartner, complete_through},
    load,
    product::{Caller, Product},
    report::{Figure, Samples},
    say,
};

/// Facts in a small batch.
const FEW: usize = 100;
/// Days of activity before the measured ones.
const DAYS_BEFORE: i32 = 1;
/// The day's feed of the largest scenario is visible within this time.
const WHOLE_DAY: f64 = 60.0;

/// Runs the bench.
pub async fn run(options: &Options) -> Result<Report, Failure> {
    let partner = FeedPartner::new(options.scenario);
    let product = Product::start(options).await?;
    load::feed_partner(&product, &partner, DAYS_BEFORE, options.batch).await?;
    let mut report = Report::new("freshness, P5 of tests/benches/README.md", options);
    let first = partner.month.first_day().plus(DAYS_BEFORE);
    let mut whole = Samples::default();
    for round in 0..options.rounds {
        whole.push(whole_day(&product, &partner, first.plus(round as i32), options.batch, &mut report).await?);
    }
    let share = f64::from(options.scenario.users) / f64::from(crate::Scenario::L.users);
    report.push(
        Figure::plain("whole day visible after its last acknowledgement".into(), "s", &whole)
            .at_most(WHOLE_DAY * share.min(1.0)),
    );
    report.note(format!("the whole day's budget is {WHOLE_DAY} s at L, in proportion to users elsewhere"));

    let last = first.plus(options.rounds as i32 - 1);
    let ([acknowledged, visible, answered], version) = steady(&product, &partner, last, options).await?;
    let batches = options.seconds * u64::from(options.rate);
    let facts = (0..batches).flat_map(|number| feed::few_facts(&partner, number, FEW));
    let more = facts.map(|(_, user, service)| (user, service));
    let expected = check::users_by_service(&partner, (partner.month.first_day(), last), more);
    let figures = check::shows(&product.caller().await?, &partner, version, &expected).await?;
    report.checked("figures that show all facts sent so far", figures);
    report.checked("small batches visible and answered at their version", acknowledged.count() as i64);
    report.note(format!("steady feed: {} batches of {FEW} facts a second for {} s", options.rate, options.seconds));
    report.push(Figure::spread("sent to acknowledged", "ms", &acknowledged));
    report.push(Figure::spread("acknowledged to visible (GetFreshness)", "ms", &visible).p99_at_most(2000.0));
    report
        .push(Figure::spread("acknowledged to answered (Query with min_version)", "ms", &answered).p99_at_most(2000.0));
    report.memory(&product);
    Ok(report)
}

/// Seconds from the last acknowledgement of a day's feed until it is visible.
async fn whole_day(
    product: &Product,
    partner: &FeedPartner,
    day: Day,
    batch: usize,
    report: &mut Report,
) -> Result<f64, Failure> {
    let batches = feed::day(partner, day, batch);
    let facts: usize = batches.iter().map(|batch| batch.facts).sum();
    let batches: Vec<_> = batches.into_iter().map(|batch| batch.request).collect();
    let start = Instant::now();
    let sum = load::send(product, [batches]).await?;
    let taken = start.elapsed();
    if sum.accepted != facts as i64 {
        return Err(format!("{} of {facts} facts changed something", sum.accepted).into());
    }
    report.checked("facts of whole days acknowledged", sum.accepted);
    let caller = product.caller().await?;
    let mark = IngestBatchRequest { records: vec![complete_through(day)], ..IngestBatchRequest::default() };
    let version = caller.ingest_one(mark).await?;
    let start = Instant::now();
    caller.visible(version).await?;
    let visible = start.elapsed().as_secs_f64();
    let expected = check::users_by_service(partner, (partner.month.first_day(), day), std::iter::empty());
    report
        .checked("figures that show all facts sent so far", check::shows(&caller, partner, version, &expected).await?);
    say(&format!("{day}: acknowledged in {:.1} s, visible {visible:.1} s later", taken.as_secs_f64()));
    Ok(visible)
}

/// Samples as of [`one`], and the newest version.
async fn steady(
    product: &Product,
    partner: &FeedPartner,
    day: Day,
    options: &Options,
) -> Result<([Samples; 3], i64), Failure> {
    let (feeder, reader) = (product.caller().await?, product.caller().await?);
    let query = Query {
        measures: vec![Measure::Customers.into(), Measure::ActiveCustomers.into()],
        from_month: partner.month.plus(-1).to_string(),
        to_month: partner.month.to_string(),
        ..Query::default()
    };
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / options.rate);
    let mut calls: JoinSet<Result<([f64; 3], i64), Failure>> = JoinSet::new();
    for number in 0..options.seconds * u64::from(options.rate) {
        // Built before the tick: the feed's pace is that of sending.
        let batch = feed::few(partner, day, number, FEW);
        ticks.tick().await;
        calls.spawn(one(feeder.clone(), reader.clone(), batch, query.clone()));
    }
    let (mut samples, mut newest): ([Samples; 3], i64) = Default::default();
    while let Some(done) = calls.join_next().await {
        let (times, version) = done??;
        newest = newest.max(version);
        for (samples, value) in samples.iter_mut().zip(times) {
            samples.push(value);
        }
    }
    Ok((samples, newest))
}

/// Milliseconds from sent to acknowledged, and from then to visible and to answered; and the version acknowledged.
async fn one(
    feeder: Caller,
    reader: Caller,
    batch: IngestBatchRequest,
    query: Query,
) -> Result<([f64; 3], i64), Failure> {
    let start = Instant::now();
    let version = feeder.ingest_one(batch).await?;
    let acknowledged = start.elapsed();
    let start = Instant::now();
    let visible = async {
        reader.visible(version).await?;
        Ok::<_, Failure>(start.elapsed())
    };
    let answered = async {
        let answer = reader.query(query, version).await?;
        let seen = answer.freshness.map_or(0, |freshness| freshness.version);
        if seen < version {
            Err(format!("an answer of version {seen}, not {version}").into())
        } else {
            Ok(start.elapsed())
        }
    };
    let (visible, answered) = tokio::try_join!(visible, answered)?;
    Ok(([acknowledged, visible, answered].map(|time| time.as_secs_f64() * 1000.0), version))
}
