//! P1: the daily feed of activity into PostgreSQL, acknowledged durable, against COPY of the same facts.

use std::time::{Duration, Instant};

use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::IngestBatchRequest;

use crate::{
    Failure, Options, Report, check,
    copy::Copy,
    feed,
    feed_partner::{FeedPartner, complete_through},
    load,
    processor::Processor,
    product::Product,
    report::{Figure, Samples},
    say,
};

/// Days there are before the first one measured, so that chunks exist, as they do on all but one day of a month.
const DAYS_BEFORE: i32 = 2;

/// Runs the bench.
pub async fn run(options: &Options) -> Result<Report, Failure> {
    let partner = FeedPartner::new(options.scenario);
    let product = Product::start(options).await?;
    let mut copy = Copy::open(product.peers()).await?;
    load::feed_partner(&product, &partner, DAYS_BEFORE, options.batch).await?;
    let mut report = Report::new("daily feed, P1 of tests/benches/README.md", options);
    let mut samples: [[Samples; 6]; 2] = Default::default();
    let mut facts = 0;
    for round in 0..options.rounds {
        for writers in [1, 2] {
            let offset = DAYS_BEFORE + (round * 2 + writers - 1) as i32;
            let turn = one_day(&product, &mut copy, &partner, offset, writers, round, options.batch).await?;
            facts = turn.facts;
            report.checked("facts acknowledged, and as many copied", turn.facts as i64);
            report.checked("figures that show all facts sent so far", turn.figures);
            let rate = |time: Duration| turn.facts as f64 / time.as_secs_f64();
            let a_fact = |seconds: f64| seconds * 1e9 / turn.facts as f64;
            let [product, copy, visible, processors @ ..] = &mut samples[writers - 1];
            product.push(rate(turn.product));
            copy.push(rate(turn.copy));
            visible.push(turn.visible.as_secs_f64());
            let Processor { product, database, bench } = turn.processor;
            for (samples, seconds) in processors.iter_mut().zip([product, database, bench]) {
                samples.push(a_fact(seconds));
            }
        }
    }
    report.note(format!("{facts} facts a day, {} users, batches of {}", partner.user_count(), options.batch));
    let single = &samples[0][1];
    for (writers, budget) in [(1, 0.6), (2, 1.0)] {
        let [product, copy, visible, processors @ ..] = &samples[writers - 1];
        let name = if writers == 1 { "one writer" } else { "two writers" };
        report.push(
            Figure::rate(format!("{name} against COPY on one connection"), "facts/s", product, single).budget(budget),
        );
        if writers == 2 {
            report.push(Figure::rate(format!("{name} against COPY on two connections"), "facts/s", product, copy));
        }
        report.push(Figure::plain(format!("{name}: whole day visible after its last acknowledgement"), "s", visible));
        for (whose, samples) in ["the product", "PostgreSQL", "the sender"].iter().zip(processors) {
            report.push(Figure::plain(format!("{name}: processor time of {whose}"), "ns/fact", samples));
        }
    }
    report.memory(&product);
    Ok(report)
}

struct Turn {
    facts: usize,
    product: Duration,
    copy: Duration,
    visible: Duration,
    /// Figures compared with the facts.
    figures: i64,
    processor: Processor,
}

async fn one_day(
    product: &Product,
    copy: &mut Copy,
    partner: &FeedPartner,
    offset: i32,
    writers: usize,
    round: usize,
    batch: usize,
) -> Result<Turn, Failure> {
    let day: Day = partner.month.first_day().plus(offset);
    let batches = feed::day(partner, day, batch);
    let facts: usize = batches.iter().map(|batch| batch.facts).sum();
    let copies: Vec<_> = batches.iter().map(|batch| batch.copy.clone()).collect();
    let mut lists: Vec<Vec<IngestBatchRequest>> = vec![Vec::new(); writers];
    for (turn, batch) in batches.into_iter().enumerate() {
        lists[turn % writers].push(batch.request);
    }
    // Who goes first changes by round: what one leaves behind for the other evens out.
    let mut copied = Duration::ZERO;
    if round.is_multiple_of(2) {
        copied = copy.run(&copies, writers, facts).await?;
    }
    let (before, start) = (product.processor(), Instant::now());
    let sum = load::send(product, lists).await?;
    let taken = start.elapsed();
    let processor = product.processor().since(before);
    if sum.accepted != facts as i64 {
        return Err(format!("{} of {facts} facts changed something", sum.accepted).into());
    }
    let caller = product.caller().await?;
    let mark = IngestBatchRequest { records: vec![complete_through(day)], ..IngestBatchRequest::default() };
    let version = caller.ingest_one(mark).await?;
    let start = Instant::now();
    caller.visible(version).await?;
    let visible = start.elapsed();
    if round % 2 == 1 {
        copied = copy.run(&copies, writers, facts).await?;
    }
    let expected = check::users_by_service(partner, (partner.month.first_day(), day), std::iter::empty());
    let figures = check::shows(&caller, partner, version, &expected).await?;
    let rate = |time: Duration| facts as f64 / time.as_secs_f64();
    say(&format!(
        "{day}, {writers} writers: product {:.0} facts/s, COPY {:.0}, visible after {:.1} s, processor ns/fact {:.0} + {:.0} + {:.0}",
        rate(taken),
        rate(copied),
        visible.as_secs_f64(),
        processor.product * 1e9 / facts as f64,
        processor.database * 1e9 / facts as f64,
        processor.bench * 1e9 / facts as f64,
    ));
    Ok(Turn { facts, product: taken, copy: copied, visible, figures, processor })
}
