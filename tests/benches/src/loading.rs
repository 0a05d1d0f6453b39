//! P14: records other than activity into PostgreSQL, acknowledged durable, against its own INSERT of as many rows; and a file of
//! SeatsSubscriptionsAndRevenue on both engines.

use std::time::{Duration, Instant};

use insights_domain::calendar::Month;
use insights_proto::{
    ingestion::v1::{IngestBatchRequest, Record, ReportedSeats, Revenue, record::Kind},
    metrics::v1::{Measure, Query, value},
};

use crate::{
    Failure, Options, Report,
    feed_partner::{FeedPartner, complete_through, customer_record, feed_month, record, subscription_id},
    insert::Insert,
    processor::Processor,
    product::{Caller, Product},
    report::{Figure, Samples},
    say,
    seats_file::SeatsFile,
};

/// Records in a batch, and rows in a transaction of the peer: the most that is taken by default.
const RECORDS: usize = 10_000;

/// Rows of a file that are taken in a second at least.
const FILE_ROWS: f64 = 25_000.0;

/// What is measured of a kind of records by one writer or two.
#[derive(Default)]
struct KindSamples {
    product: Samples,
    peer: Samples,
    processors: [Samples; 3],
    /// Of PostgreSQL with the peer.
    peer_processor: Samples,
}

/// Runs the bench.
pub async fn run(options: &Options) -> Result<Report, Failure> {
    let partner = FeedPartner::new(options.scenario);
    let mut report = Report::new("loading, P14 of tests/benches/README.md", options);
    let kinds = kinds(&partner);
    let mut samples: Vec<[KindSamples; 2]> = kinds.iter().map(|_| Default::default()).collect();
    let product = Product::start(options).await?;
    let mut peer = Insert::open(product.peers()).await?;
    for round in 0..options.rounds {
        for writers in [1, 2] {
            // Another partner each time: statistics know those before it and nothing of this one.
            let callers = product.callers_of(&format!("loading-{round}-{writers}"), writers).await?;
            let mut version = load(&callers, vec![partner.catalogue()]).await?.version;
            for ((name, records), samples) in kinds.iter().zip(&mut samples) {
                let turn = turn(&product, &mut peer, &callers, records, round).await?;
                report.checked("records acknowledged, and as many rows inserted", records.len() as i64);
                version = version.max(turn.version);
                let count = records.len() as f64;
                let samples = &mut samples[writers - 1];
                samples.product.push(count / turn.product.as_secs_f64());
                samples.peer.push(count / turn.peer.as_secs_f64());
                samples.peer_processor.push(turn.peer_processor * 1e6 / count);
                let Processor { product, database, bench } = turn.processor;
                for (samples, seconds) in samples.processors.iter_mut().zip([product, database, bench]) {
                    samples.push(seconds * 1e6 / count);
                }
                say(&format!(
                    "{name}, {writers} writers: product {:.0} a second, INSERT {:.0}, processor µs a record {:.1} + {:.1} + {:.1}",
                    count / turn.product.as_secs_f64(),
                    count / turn.peer.as_secs_f64(),
                    product * 1e6 / count,
                    database * 1e6 / count,
                    bench * 1e6 / count,
                ));
            }
            let figures = shows(&callers[0], &partner, version).await?;
            report.checked("figures that show what was sent", figures);
        }
    }
    for ((name, records), [one, two]) in kinds.iter().zip(&samples) {
        report.note(format!("{} {name} a round, in batches of {RECORDS}", records.len()));
        let against = format!("{name}, one writer, against INSERT … ON CONFLICT");
        report.push(Figure::rate(against, "records/s", &one.product, &one.peer).budget(0.5));
        let against = format!("{name}, two writers, against one");
        report.push(Figure::rate(against, "records/s", &two.product, &one.product).budget(1.5));
        for (whose, samples) in ["the product", "PostgreSQL", "the sender"].iter().zip(&one.processors) {
            report.push(Figure::plain(format!("{name}: processor time of {whose}"), "µs/record", samples));
        }
        report.push(Figure::plain(format!("{name}: processor time of INSERT"), "µs/record", &one.peer_processor));
    }
    report.memory(&product);
    drop(product);
    file(options, &partner, &mut report).await?;
    Ok(report)
}

/// The records of each kind, all of the partner.
fn kinds(partner: &FeedPartner) -> Vec<(&'static str, Vec<Record>)> {
    let subscriptions = partner.scenario.subscriptions;
    let month = partner.month.to_string();
    let revenue = |number: u32| {
        record(Kind::Revenue(Revenue {
            subscription_id: Some(subscription_id(number)),
            month: month.clone(),
            amount: format!("{}.5", number % 1_000),
            currency: "USD".to_owned(),
            ..Revenue::default()
        }))
    };
    let reported = |number: u32| {
        record(Kind::ReportedSeats(ReportedSeats {
            subscription_id: Some(subscription_id(number)),
            month: feed_month().plus(-4).to_string(),
            available: Some(i64::from(number % 50)),
            assigned: Some(i64::from(number % 40)),
            status: Some("Active".to_owned()),
            ..ReportedSeats::default()
        }))
    };
    vec![
        ("customers", (0..partner.scenario.customers).map(customer_record).collect()),
        ("subscriptions", partner.subscriptions().collect()),
        ("states", partner.states().collect()),
        // As many as there are seats of the first subscriptions; all users would take the other kinds' time together.
        ("assignments", partner.assignments().take(3 * subscriptions as usize).collect()),
        ("revenue", (0..subscriptions).map(revenue).collect()),
        ("reported rows", (0..subscriptions).map(reported).collect()),
    ]
}

/// What became of some records.
struct Turn {
    product: Duration,
    peer: Duration,
    processor: Processor,
    /// Seconds of PostgreSQL with the peer.
    peer_processor: f64,
    version: i64,
}

async fn turn(
    product: &Product,
    peer: &mut Insert,
    callers: &[Caller],
    records: &[Record],
    round: usize,
) -> Result<Turn, Failure> {
    // Who goes first changes by round: what one leaves behind for the other evens out.
    let mut inserted = (Duration::ZERO, 0.0);
    if round.is_multiple_of(2) {
        inserted = insert(product, peer, records, callers.len()).await?;
    }
    let mut lists: Vec<Vec<Vec<Record>>> = vec![Vec::new(); callers.len()];
    for (turn, batch) in records.chunks(RECORDS).enumerate() {
        lists[turn % callers.len()].push(batch.to_vec());
    }
    let (before, start) = (product.processor(), Instant::now());
    let each = callers.iter().zip(lists).map(|(caller, list)| load(std::slice::from_ref(caller), list));
    let sums = futures::future::try_join_all(each).await?;
    let taken = start.elapsed();
    let processor = product.processor().since(before);
    let accepted: i64 = sums.iter().map(|sum| sum.accepted).sum();
    if accepted != records.len() as i64 {
        return Err(format!("{accepted} of {} records changed something", records.len()).into());
    }
    if round % 2 == 1 {
        inserted = insert(product, peer, records, callers.len()).await?;
    }
    let version = sums.iter().map(|sum| sum.version).max().unwrap_or_default();
    Ok(Turn { product: taken, peer: inserted.0, processor, peer_processor: inserted.1, version })
}

/// The peer's turn: how long it took, and how much processor time of PostgreSQL.
async fn insert(
    product: &Product,
    peer: &mut Insert,
    records: &[Record],
    writers: usize,
) -> Result<(Duration, f64), Failure> {
    let before = product.processor();
    let taken = peer.run(records, RECORDS, writers).await?;
    Ok((taken, product.processor().since(before).database))
}

async fn load(callers: &[Caller], batches: Vec<Vec<Record>>) -> Result<crate::product::Ingested, Failure> {
    let batches = batches.into_iter().map(|records| IngestBatchRequest { records, ..IngestBatchRequest::default() });
    callers[0].ingest(batches.collect::<Vec<_>>()).await
}

/// Fails unless the product shows what was sent. Returns how many figures were compared.
async fn shows(caller: &Caller, partner: &FeedPartner, version: i64) -> Result<i64, Failure> {
    let mark = IngestBatchRequest {
        records: vec![complete_through(partner.month.last_day())],
        ..IngestBatchRequest::default()
    };
    let version = version.max(caller.ingest_one(mark).await?);
    caller.visible(version).await?;
    let states = partner.states().map(|state| match state.kind {
        Some(Kind::SubscriptionState(state)) => state.seats.unwrap_or_default(),
        _ => 0,
    });
    let assigned = partner.assignments().take(3 * partner.scenario.subscriptions as usize).count() as i64;
    let expected =
        [i64::from(partner.scenario.customers), i64::from(partner.scenario.subscriptions), states.sum(), assigned];
    let measures = [Measure::Customers, Measure::Subscriptions, Measure::Available, Measure::Assigned];
    compare(caller, partner.month, version, &measures, &expected).await
}

async fn compare(
    caller: &Caller,
    month: Month,
    version: i64,
    measures: &[Measure],
    expected: &[i64],
) -> Result<i64, Failure> {
    let query = Query {
        measures: measures.iter().map(|measure| (*measure).into()).collect(),
        from_month: month.to_string(),
        to_month: month.to_string(),
        ..Query::default()
    };
    let rows = caller.query(query, version).await?.result.ok_or("an answer without a result")?.rows;
    let values = rows.first().map(|row| row.values.as_slice()).unwrap_or_default();
    let shown: Vec<i64> = values
        .iter()
        .map(|value| match value.kind {
            Some(value::Kind::Count(count)) => count,
            _ => -1,
        })
        .collect();
    if shown != expected {
        return Err(
            format!("{month}: the product shows {shown:?} of {measures:?}, the records say {expected:?}").into()
        );
    }
    Ok(expected.len() as i64)
}

/// A file on both engines, through the command line.
async fn file(options: &Options, partner: &FeedPartner, report: &mut Report) -> Result<(), Failure> {
    let file = SeatsFile::write(partner)?;
    report.note(format!("{} rows of SeatsSubscriptionsAndRevenue, {} MiB", file.rows, file.bytes >> 20));
    for engine in ["PostgreSQL", "SQLite"] {
        let (mut rates, mut processors) = (Samples::default(), [Samples::default(), Samples::default()]);
        let mut memory = 0;
        for _ in 0..options.rounds {
            let product = if engine == "SQLite" {
                Product::start_on_sqlite(options).await?
            } else {
                Product::start(options).await?
            };
            let (before, start) = (product.processor(), Instant::now());
            let imported = product.import(&file.path).await?;
            let taken = start.elapsed();
            let processor = product.processor().since(before);
            if imported.rejected > 0 || imported.accepted < 2 * file.rows {
                return Err(format!(
                    "of {} rows {} records were accepted, {} rejected",
                    file.rows, imported.accepted, imported.rejected
                )
                .into());
            }
            report.checked("rows of files imported", file.rows);
            let caller = product.caller().await?;
            caller.visible(imported.version).await?;
            let measures = [Measure::Subscriptions, Measure::Available];
            let expected = [i64::from(partner.scenario.subscriptions), file.seats];
            report.checked(
                "figures that show the file",
                compare(&caller, file.last, imported.version, &measures, &expected).await?,
            );
            let rate = file.rows as f64 / taken.as_secs_f64();
            rates.push(rate);
            for (samples, seconds) in processors.iter_mut().zip([processor.product, processor.database]) {
                samples.push(seconds * 1e6 / file.rows as f64);
            }
            memory = memory.max(product.memory().map_or(0, |(_, most)| most));
            say(&format!(
                "a file on {engine}: {rate:.0} rows a second, processor µs a row {:.1} + {:.1}",
                processor.product * 1e6 / file.rows as f64,
                processor.database * 1e6 / file.rows as f64
            ));
        }
        report.push(Figure::plain(format!("a file on {engine}"), "rows/s", &rates).at_least(FILE_ROWS));
        for (whose, samples) in ["the product", "the database"].iter().zip(&processors) {
            report.push(Figure::plain(format!("a file on {engine}: processor time of {whose}"), "µs/row", samples));
        }
        report.note(format!("memory of the product with the file on {engine}: {memory} MiB at most"));
    }
    Ok(())
}
