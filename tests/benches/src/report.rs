//! Results: medians, ratios, a table for people and JSON for programs.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use serde::Serialize;

use crate::{Options, Scenario, product::Product};

/// What was measured, once per round.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds one.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The value below which `share` of them lie.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        if sorted.is_empty() {
            return f64::NAN;
        }
        let place = share * (sorted.len() - 1) as f64;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        low + (high - low) * place.fract()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

/// One figure, with its peer's and its budget where there are such.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// Of what.
    pub unit: &'static str,
    /// How often.
    pub samples: usize,
    /// The product's median.
    pub median: f64,
    /// The product's least and greatest, or 99th percentile where one was asked for.
    pub low: f64,
    /// See `low`.
    pub high: f64,
    /// The 99th percentile, where that is the point.
    pub p99: Option<f64>,
    /// The peer's median.
    pub peer: Option<f64>,
    /// How many times better than the peer, by medians.
    pub ratio: Option<f64>,
    /// The least ratio, or the greatest value, that is wanted.
    pub budget: Option<f64>,
    /// Whether it is reached.
    pub met: Option<bool>,
}

impl Figure {
    /// A figure of its own.
    pub fn plain(name: String, unit: &'static str, samples: &Samples) -> Self {
        let (low, high) = (samples.quantile(0.0), samples.quantile(1.0));
        let median = samples.median();
        Self {
            name,
            unit,
            samples: samples.count(),
            median,
            low,
            high,
            p99: None,
            peer: None,
            ratio: None,
            budget: None,
            met: None,
        }
    }

    /// A figure whose 99th percentile is the point.
    pub fn spread(name: &str, unit: &'static str, samples: &Samples) -> Self {
        Self { p99: Some(samples.quantile(0.99)), ..Self::plain(name.to_owned(), unit, samples) }
    }

    /// More is better than the peer.
    pub fn rate(name: String, unit: &'static str, samples: &Samples, peer: &Samples) -> Self {
        let ratio = samples.median() / peer.median();
        Self { peer: Some(peer.median()), ratio: Some(ratio), ..Self::plain(name, unit, samples) }
    }

    /// Less is better than the peer.
    pub fn time(name: String, unit: &'static str, samples: &Samples, peer: &Samples) -> Self {
        let ratio = peer.median() / samples.median();
        Self { peer: Some(peer.median()), ratio: Some(ratio), ..Self::plain(name, unit, samples) }
    }

    /// The ratio is to be at least this.
    pub fn budget(self, least: f64) -> Self {
        let met = self.ratio.map(|ratio| ratio >= least);
        Self { budget: Some(least), met, ..self }
    }

    /// The median is to be at least this.
    pub fn at_least(self, least: f64) -> Self {
        Self { budget: Some(least), met: Some(self.median >= least), ..self }
    }

    /// The median is to be at most this.
    pub fn at_most(self, most: f64) -> Self {
        Self { budget: Some(most), met: Some(self.median <= most), ..self }
    }

    /// The 99th percentile is to be at most this.
    pub fn p99_at_most(self, most: f64) -> Self {
        let met = self.p99.map(|p99| p99 <= most);
        Self { budget: Some(most), met, ..self }
    }
}

/// The results of a bench.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Which bench.
    pub bench: &'static str,
    /// Which scenario.
    pub scenario: &'static str,
    /// How often it was measured.
    pub rounds: usize,
    /// Processors of the machine.
    pub cores: usize,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// What was looked at besides time, and how often; whatever was not as it must be ended the bench.
    pub checked: BTreeMap<&'static str, i64>,
    /// The figures.
    pub figures: Vec<Figure>,
}

impl Report {
    /// An empty report.
    pub fn new(bench: &'static str, options: &Options) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let scenario = options.scenario.name;
        Self {
            bench,
            scenario,
            rounds: options.rounds,
            cores,
            notes: Vec::new(),
            checked: BTreeMap::new(),
            figures: Vec::new(),
        }
    }

    /// Adds a figure. Budgets hold for large partners: at small sizes fixed costs decide.
    pub fn push(&mut self, figure: Figure) {
        let judged = [Scenario::M.name, Scenario::L.name].contains(&self.scenario);
        self.figures.push(if judged { figure } else { Figure { budget: None, met: None, ..figure } });
    }

    /// Adds a word.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Adds to what was looked at.
    pub fn checked(&mut self, what: &'static str, count: i64) {
        *self.checked.entry(what).or_default() += count;
    }

    /// Adds how much memory the product takes.
    pub fn memory(&mut self, product: &Product) {
        if let Some((now, most)) = product.memory() {
            self.note(format!("memory of the product: {now} MiB at the end, {most} MiB at most"));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} at {}, {} rounds, {} cores", self.bench, self.scenario, self.rounds, self.cores)?;
        for note in &self.notes {
            writeln!(out, "  {note}")?;
        }
        for (what, count) in &self.checked {
            writeln!(out, "  {what}: {count}")?;
        }
        let width = self.figures.iter().map(|figure| figure.name.len()).max().unwrap_or(0);
        for figure in &self.figures {
            let mut line = format!("  {:width$}  {:>12} {}", figure.name, short(figure.median), figure.unit);
            match figure.p99 {
                Some(p99) => write!(line, "  p99 {}", short(p99))?,
                None => write!(line, "  ({}–{})", short(figure.low), short(figure.high))?,
            }
            if let (Some(peer), Some(ratio)) = (figure.peer, figure.ratio) {
                write!(line, "  peer {}  ratio {}", short(peer), short(ratio))?;
            }
            if let (Some(budget), Some(met)) = (figure.budget, figure.met) {
                write!(line, "  budget {} {}", short(budget), if met { "met" } else { "MISSED" })?;
            }
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

/// Four digits or so.
fn short(value: f64) -> String {
    match value.abs() {
        large if large >= 1000.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_samples() {
        let samples = Samples(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!([0.0, 0.5, 1.0].map(|share| samples.quantile(share)), [1.0, 2.5, 4.0]);
        assert!(Samples::default().median().is_nan());
    }
}
