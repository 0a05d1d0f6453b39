//! Gets a partner into the product before anything is measured.

use insights_proto::ingestion::v1::{IngestBatchRequest, Record};

use crate::{
    Failure, feed,
    feed_partner::{FeedPartner, complete_through, customer_record},
    portfolio::Portfolio,
    product::{Ingested, Product},
    say,
};

/// Records in a batch: the most that is taken by default.
const RECORDS: usize = 10_000;

/// Sends records over two streams at once.
pub async fn records(
    product: &Product,
    what: &str,
    records: impl Iterator<Item = Record>,
) -> Result<Ingested, Failure> {
    let start = std::time::Instant::now();
    let mut halves = [Vec::new(), Vec::new()];
    let mut records = records.peekable();
    let (mut turn, mut count) = (0, 0);
    while records.peek().is_some() {
        let batch: Vec<Record> = records.by_ref().take(RECORDS).collect();
        count += batch.len();
        halves[turn % 2].push(IngestBatchRequest { records: batch, ..IngestBatchRequest::default() });
        turn += 1;
    }
    let sum = send(product, halves).await?;
    let seconds = start.elapsed().as_secs_f64();
    say(&format!("loaded {count} {what} in {seconds:.1} s, {:.0} a second", count as f64 / seconds));
    Ok(sum)
}

/// Sends batches over as many streams as there are lists.
pub async fn send(
    product: &Product,
    lists: impl IntoIterator<Item = Vec<IngestBatchRequest>>,
) -> Result<Ingested, Failure> {
    let mut callers = Vec::new();
    for list in lists {
        callers.push((product.caller().await?, list));
    }
    let sums = callers.iter_mut().map(|(caller, list)| caller.ingest(std::mem::take(list)));
    let sums = futures::future::try_join_all(sums).await?;
    let mut sum = Ingested::default();
    for one in sums {
        sum.version = sum.version.max(one.version);
        sum.accepted += one.accepted;
    }
    Ok(sum)
}

/// Loads the partner of the daily feed and its first `days` days of activity, and waits until all of it is visible.
pub async fn feed_partner(product: &Product, partner: &FeedPartner, days: i32, batch: usize) -> Result<(), Failure> {
    let caller = product.caller().await?;
    let first = partner.month.first_day();
    records(product, "SKUs", partner.catalogue().into_iter()).await?;
    records(product, "customers", (0..partner.scenario.customers).map(customer_record)).await?;
    records(product, "subscriptions", partner.subscriptions()).await?;
    records(product, "states", partner.states()).await?;
    let mut last = records(product, "assignments", partner.assignments()).await?;
    for day in 0..days {
        let mut halves = [Vec::new(), Vec::new()];
        for (turn, one) in feed::day(partner, first.plus(day), batch).into_iter().enumerate() {
            halves[turn % 2].push(one.request);
        }
        last = send(product, halves).await?;
        say(&format!("loaded day {} of activity: {} facts", day + 1, last.accepted));
    }
    if days > 0 {
        last = records(product, "marks", std::iter::once(complete_through(first.plus(days - 1)))).await?;
    }
    let start = std::time::Instant::now();
    caller.visible(last.version).await?;
    say(&format!("all of it visible {:.1} s later", start.elapsed().as_secs_f64()));
    Ok(())
}

/// Loads the portfolio; says how many seconds after the last acknowledgement it was visible.
pub async fn portfolio(product: &Product, portfolio: &Portfolio) -> Result<f64, Failure> {
    records(product, "SKUs", portfolio.catalogue()).await?;
    records(product, "customers", (0..portfolio.scenario.customers).map(customer_record)).await?;
    records(product, "subscriptions", portfolio.subscriptions()).await?;
    records(product, "states", portfolio.states()).await?;
    records(product, "assignments", portfolio.assignments()).await?;
    let end = complete_through(portfolio.last().last_day());
    let version = records(product, "marks", std::iter::once(end)).await?.version;
    let start = std::time::Instant::now();
    product.caller().await?.visible(version).await?;
    let visible = start.elapsed().as_secs_f64();
    say(&format!("all of it visible {visible:.1} s later"));
    Ok(visible)
}
