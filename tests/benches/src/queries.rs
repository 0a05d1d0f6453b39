//! P6: questions over the rollups of the largest scenario through gRPC, against DuckDB and PostgreSQL on the same months. The
//! peers' answers must equal the product's.

use std::time::Instant;

use crate::{
    Failure, Options, Report,
    duckdb::DuckDb,
    load,
    portfolio::{MONTHS, Portfolio},
    postgres::Peer,
    product::{Caller, Product},
    questions::{Answer, Question, questions},
    report::{Figure, Samples},
    say,
};

/// Calls of the product in a round, and questions to DuckDB: short times need more of them.
const CALLS: usize = 10;
const ASKED: usize = 3;

/// At least so many times faster than PostgreSQL.
const POSTGRES: f64 = 100.0;

/// Runs the bench.
pub async fn run(options: &Options) -> Result<Report, Failure> {
    let portfolio = Portfolio::new(options.scenario);
    let product = Product::start(options).await?;
    let mut report = Report::new("questions over rollups, P6 of tests/benches/README.md", options);
    let visible = load::portfolio(&product, &portfolio).await?;
    report.note(format!(
        "{} subscription-months of {} customers; visible {visible:.1} s after the last acknowledgement of the whole load",
        i64::from(options.scenario.subscriptions) * i64::from(MONTHS),
        options.scenario.customers
    ));
    let mut peers = Peers::load(options, &product, &portfolio).await?;
    let caller = product.caller().await?;
    let questions = questions(&portfolio);
    let mut all: Vec<Timed> = Vec::new();
    for question in &questions {
        // Also warms the product and its peers up: first calls are not measured.
        let start = Instant::now();
        let (rows, answer) = ask(&caller, question).await?;
        let first = start.elapsed().as_secs_f64() * 1000.0;
        say(&format!("{}: {rows} rows, first time {first:.1} ms", question.name));
        if answer.is_empty() {
            return Err(format!("{}: nothing was answered", question.name).into());
        }
        let compared = peers.check(question, &answer).await?;
        report.checked("answers of peers equal to the product's", compared);
        report.checked("rows of such answers", answer.len() as i64 * compared);
        all.push(Timed::new(question));
    }
    for round in 0..options.rounds {
        for (question, timed) in questions.iter().zip(&mut all) {
            timed.round(question, &caller, &mut peers).await?;
        }
        say(&format!("round {} of {}", round + 1, options.rounds));
    }
    for (question, timed) in questions.iter().zip(&all) {
        if peers.duckdb.is_some() {
            let name = format!("{} against DuckDB", question.name);
            report.push(Figure::time(name, "ms", &timed.product, quickest(&timed.duckdb)).budget(question.budget));
        }
        let name = format!("{} against PostgreSQL", question.name);
        report.push(Figure::time(name, "ms", &timed.product, quickest(&timed.postgres)).budget(POSTGRES));
    }
    report.memory(&product);
    Ok(report)
}

struct Peers {
    duckdb: Option<DuckDb>,
    postgres: Peer,
}

impl Peers {
    async fn load(options: &Options, product: &Product, portfolio: &Portfolio) -> Result<Self, Failure> {
        say("loading the peers");
        let duckdb = if options.duckdb { Some(DuckDb::load(options, portfolio.rows())?) } else { None };
        Ok(Self { duckdb, postgres: Peer::load(product.peers(), portfolio.rows()).await? })
    }

    /// Fails unless every peer, asked in every way, answers what the product answers. Returns how many answers those were.
    async fn check(&mut self, question: &Question, answer: &Answer) -> Result<i64, Failure> {
        let mut compared = 0;
        for sql in &question.sql {
            same(question, "PostgreSQL", answer, self.postgres.ask(sql).await?.1)?;
            compared += 1;
            if let Some(duckdb) = &mut self.duckdb {
                same(question, "DuckDB", answer, duckdb.ask(sql)?.1)?;
                compared += 1;
            }
        }
        Ok(compared)
    }
}

fn same(question: &Question, peer: &str, answer: &Answer, theirs: Answer) -> Result<(), Failure> {
    let theirs = question.tidy(theirs);
    if *answer == theirs {
        return Ok(());
    }
    let differs = answer.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
    let (ours, others) = (answer.len(), theirs.len());
    Err(format!("{}: {peer} answers otherwise: {ours} rows against {others}, first {differs:?}", question.name).into())
}

/// Times of one question in milliseconds; the peers' by the way of asking.
struct Timed {
    product: Samples,
    duckdb: Vec<Samples>,
    postgres: Vec<Samples>,
}

impl Timed {
    fn new(question: &Question) -> Self {
        let ways = vec![Samples::default(); question.sql.len()];
        Self { product: Samples::default(), duckdb: ways.clone(), postgres: ways }
    }

    async fn round(&mut self, question: &Question, caller: &Caller, peers: &mut Peers) -> Result<(), Failure> {
        for _ in 0..CALLS {
            let start = Instant::now();
            caller.query(question.query.clone(), 0).await?;
            self.product.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        for (way, sql) in question.sql.iter().enumerate() {
            if let Some(duckdb) = &mut peers.duckdb {
                for _ in 0..ASKED {
                    self.duckdb[way].push(duckdb.ask(sql)?.0.as_secs_f64() * 1000.0);
                }
            }
            self.postgres[way].push(peers.postgres.ask(sql).await?.0.as_secs_f64() * 1000.0);
        }
        Ok(())
    }
}

async fn ask(caller: &Caller, question: &Question) -> Result<(usize, Answer), Failure> {
    let rows = caller.query(question.query.clone(), 0).await?.result.ok_or("an answer without a result")?.rows;
    Ok((rows.len(), question.numbers(&rows)?))
}

fn quickest(ways: &[Samples]) -> &Samples {
    ways.iter().min_by(|a, b| a.median().total_cmp(&b.median())).expect("every question is asked in some way")
}

#[cfg(test)]
mod tests {
    use insights_testkit::TempDatabase;

    use super::*;
    use crate::Scenario;

    #[tokio::test]
    async fn every_way_of_asking_answers_the_same() {
        let database = TempDatabase::postgres();
        let portfolio = Portfolio::new(Scenario::TINY);
        let mut peer = Peer::load(database.url(), portfolio.rows()).await.unwrap();
        for question in questions(&portfolio) {
            let mut answers = Vec::new();
            for sql in &question.sql {
                answers.push(question.tidy(peer.ask(sql).await.unwrap().1));
            }
            assert!(!answers[0].is_empty(), "{}", question.name);
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{}: {answers:?}", question.name);
            let mut other = answers[0].clone();
            same(&question, "itself", &answers[0], other.clone()).unwrap();
            *other[0].last_mut().unwrap() += 1;
            assert!(same(&question, "another", &answers[0], other).is_err(), "{}", question.name);
        }
    }
}
