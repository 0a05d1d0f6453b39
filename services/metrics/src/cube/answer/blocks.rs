//! An answer by column, for those who read millions of rows.

use std::collections::HashMap;

use insights_domain::calendar::Month;
use insights_proto::metrics::v1::{self, Measure, RowBlock, TextColumn, ValueColumn};

use crate::cube::answer::rows::{Figure, FigureSource, ResultRow, SortedGroups, overlapping};
use crate::cube::compile::compiled_query::CompiledQuery;
use crate::query::Query;

/// An answer in blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks {
    /// In order.
    pub blocks: Vec<RowBlock>,
    /// Groups may sum to more than the whole.
    pub overlapping: bool,
}

/// The answer to a query in blocks of at most so many rows.
pub fn blocks(compiled: &CompiledQuery<'_>, most: usize) -> Blocks {
    let sorted = SortedGroups::read(compiled, false);
    let (mut blocks, mut next) = (Vec::new(), BlockBuilder::new(compiled.query(), &sorted));
    sorted.each_row(compiled, |group, row| {
        if next.rows() == most {
            blocks.push(next.take());
        }
        next.push(group, &row);
    });
    if next.rows() > 0 {
        blocks.push(next.take());
    }
    Blocks { blocks, overlapping: overlapping(compiled) }
}

/// A block that is being filled.
struct BlockBuilder<'b> {
    query: &'b Query,
    sorted: &'b SortedGroups,
    block: RowBlock,
    /// Where texts stand.
    positions: HashMap<String, u32>,
    /// By group: the block it last had a row in, and the positions of its values there.
    groups: Vec<(u32, Vec<u32>)>,
    /// The number of the block, from 1.
    number: u32,
    month: Option<(Month, u32)>,
}

impl<'b> BlockBuilder<'b> {
    fn new(query: &'b Query, sorted: &'b SortedGroups) -> Self {
        let groups = vec![(0, Vec::new()); sorted.groups.len()];
        Self { query, sorted, block: empty(query), positions: HashMap::new(), groups, number: 1, month: None }
    }

    fn rows(&self) -> usize {
        self.block.months.len()
    }

    fn position(&mut self, text: &str) -> u32 {
        if let Some(position) = self.positions.get(text) {
            return *position;
        }
        let position = u32::try_from(self.block.texts.len()).unwrap_or(u32::MAX);
        self.block.texts.push(text.to_owned());
        self.positions.insert(text.to_owned(), position);
        position
    }

    /// The position of a text and one more.
    fn place(&mut self, text: Option<&str>) -> u32 {
        text.map_or(0, |text| self.position(text) + 1)
    }

    fn push(&mut self, group: usize, row: &ResultRow<'_>) {
        let before = self.rows();
        let month = match self.month {
            Some((month, position)) if month == row.month => position,
            _ => self.position(&row.month.to_string()),
        };
        self.month = Some((row.month, month));
        self.block.months.push(month);
        if self.groups[group].0 != self.number {
            let values = self.sorted.groups[group].1.iter();
            self.groups[group] = (self.number, values.map(|value| self.place(value.as_deref())).collect());
        }
        for (column, position) in self.block.dimensions.iter_mut().zip(&self.groups[group].1) {
            column.positions.push(*position);
        }
        let columns = self.query.measures.iter().zip(&mut self.block.values);
        for ((measure, column), figure) in columns.zip(row.values) {
            push_figure(column, *measure, *figure);
        }
        if row.currency.is_some() || !self.block.currencies.is_empty() {
            let currency = self.place(row.currency);
            self.block.currencies.resize(before, 0);
            self.block.currencies.push(currency);
        }
        self.block.sources.push(v1::Source::from(row.source).into());
        self.block.partial.push(row.partial);
        self.block.lower_bound.push(row.lower_bound);
        self.block.carried.push(row.carried);
    }

    /// Ends the block and begins the next.
    fn take(&mut self) -> RowBlock {
        let rows = self.rows();
        let mut block = std::mem::replace(&mut self.block, empty(self.query));
        self.positions.clear();
        self.number += 1;
        self.month = None;
        for column in &mut block.values {
            let all = |unknown: &[bool]| unknown.len() == rows && unknown.iter().all(|unknown| *unknown);
            let denominators = !column.denominators.is_empty() && !all(&column.unknown_denominators);
            if all(&column.unknown) && !denominators {
                *column = ValueColumn::default();
            }
        }
        RowBlock { rows: u32::try_from(rows).unwrap_or(u32::MAX), ..block }
    }
}

fn empty(query: &Query) -> RowBlock {
    RowBlock {
        dimensions: vec![TextColumn::default(); query.group_by.len()],
        values: vec![ValueColumn::default(); query.measures.len()],
        ..RowBlock::default()
    }
}

fn push_figure(column: &mut ValueColumn, measure: Measure, figure: Figure) {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    match (measure, figure) {
        (Measure::BilledRevenue, Figure::Amount(amount)) => {
            push(&mut column.amounts, &mut column.unknown, Some(amount.micros()));
        }
        (Measure::BilledRevenue, _) => push(&mut column.amounts, &mut column.unknown, None),
        (_, Figure::Percentage(percentage)) => {
            push(&mut column.counts, &mut column.unknown, percentage.numerator.map(count));
            push(&mut column.denominators, &mut column.unknown_denominators, percentage.denominator.map(count));
        }
        (_, Figure::Count(count)) => push(&mut column.counts, &mut column.unknown, Some(count)),
        (_, Figure::Null | Figure::Amount(_)) => push(&mut column.counts, &mut column.unknown, None),
    }
}

fn push(values: &mut Vec<i64>, unknown: &mut Vec<bool>, value: Option<i64>) {
    if value.is_none() || !unknown.is_empty() {
        unknown.resize(values.len(), false);
        unknown.push(value.is_none());
    }
    values.push(value.unwrap_or_default());
}

impl From<FigureSource> for v1::Source {
    fn from(source: FigureSource) -> Self {
        match source {
            FigureSource::Computed => Self::Computed,
            FigureSource::Reported => Self::Reported,
            FigureSource::Mixed => Self::Mixed,
        }
    }
}
