//! Answers by column, read back as rows: both forms say the same.

use insights_domain::{amount::Amount, calendar::Month, percentage::Percentage};
use insights_metrics::cube::{AnswerRow, Blocks, Figure, FigureSource};
use insights_proto::metrics::v1::{self, Measure, RowBlock, ValueColumn};

/// The rows of an answer.
#[must_use]
pub fn rows(answer: &Blocks, measures: &[Measure]) -> Vec<AnswerRow> {
    let blocks = answer.blocks.iter();
    blocks.flat_map(|block| (0..block.rows as usize).map(move |at| row(block, at, measures))).collect()
}

fn row(block: &RowBlock, at: usize, measures: &[Measure]) -> AnswerRow {
    let text = |place: u32| place.checked_sub(1).map(|position| block.texts[position as usize].clone());
    let month: Month = block.texts[block.months[at] as usize].parse().expect("a month");
    let source = match v1::Source::try_from(block.sources[at]).expect("a source") {
        v1::Source::Computed => FigureSource::Computed,
        v1::Source::Reported => FigureSource::Reported,
        v1::Source::Mixed => FigureSource::Mixed,
        v1::Source::Unspecified => panic!("a source is always said"),
    };
    AnswerRow {
        month,
        dimensions: block.dimensions.iter().map(|column| text(column.positions[at])).collect(),
        values: measures.iter().zip(&block.values).map(|(measure, column)| figure(*measure, column, at)).collect(),
        currency: block.currencies.get(at).and_then(|place| text(*place)),
        source,
        partial: block.partial[at],
        lower_bound: block.lower_bound[at],
        carried: block.carried[at],
    }
}

fn figure(measure: Measure, column: &ValueColumn, at: usize) -> Figure {
    let known = |values: &[i64], unknown: &[bool]| {
        values.get(at).copied().filter(|_| unknown.get(at).is_none_or(|unknown| !unknown))
    };
    let count = known(&column.counts, &column.unknown);
    match measure {
        Measure::BilledRevenue => known(&column.amounts, &column.unknown).map(Amount::from_micros).map(Figure::Amount),
        Measure::ActiveUsagePercent | Measure::DeploymentPercent | Measure::UsagePercent => {
            let part = |count: Option<i64>| count.map(|count| u64::try_from(count).expect("a count of people"));
            let denominator = known(&column.denominators, &column.unknown_denominators);
            Some(Figure::Percentage(Percentage { numerator: part(count), denominator: part(denominator) }))
        }
        _ => count.map(Figure::Count),
    }
    .unwrap_or(Figure::Null)
}
