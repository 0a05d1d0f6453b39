//! Customers by dimension: the sections of the Customers dashboard that differ only in their dimension.

use insights_proto::metrics::v1::{Dimension, DimensionValue, Measure, Result as QueryResult, Row};
use insights_proto::reporting::v1::{Breakdown, Others, ProductSkus, UndefinedReason};

use super::batch::QueryHandle;
use super::breakdown::{self, BreakdownInput};
use super::{BatchResults, DimensionNames, MonthSpan, PageSelection, QueryBatch, ids};

/// Dimensions of the distribution sections.
const DISTRIBUTIONS: [Dimension; 5] = [
    Dimension::Location,
    Dimension::Segment,
    Dimension::SalesChannel,
    Dimension::PricingModel,
    Dimension::AttributionType,
];
/// Dimensions of the trend sections.
const TRENDS: [Dimension; 6] = [
    Dimension::Country,
    Dimension::Segment,
    Dimension::Location,
    Dimension::Product,
    Dimension::PricingModel,
    Dimension::AttributionType,
];
const CUSTOMERS: [Measure; 1] = [Measure::Customers];
/// Groups of a trend that are shown one by one; the rest is shown together.
const LARGEST: usize = 5;

/// Handles of the page's queries.
pub struct DistributionQueries {
    asked: Vec<(Dimension, QueryHandle)>,
    skus: QueryHandle,
}

impl DistributionQueries {
    /// Adds the queries to the batch of a page.
    pub fn ask(page: &PageSelection, span: &MonthSpan, batch: &mut QueryBatch) -> Self {
        let mut dimensions = DISTRIBUTIONS.to_vec();
        dimensions.extend(TRENDS.iter().filter(|dimension| !DISTRIBUTIONS.contains(dimension)));
        let mut ask = |dimension| batch.query(page.query(&CUSTOMERS, &[dimension], span.base(), span.to));
        let asked = dimensions.into_iter().map(|dimension| (dimension, ask(dimension))).collect();
        let by_sku = page.query(&CUSTOMERS, &[Dimension::Product, Dimension::Sku], span.to, span.to);
        Self { asked, skus: batch.query(by_sku) }
    }

    /// The result by a dimension.
    pub fn by<'a>(&self, dimension: Dimension, results: &'a BatchResults) -> &'a QueryResult {
        let found = self.asked.iter().find(|(asked, _)| *asked == dimension);
        results.result(found.map_or(self.skus, |(_, asked)| *asked))
    }

    /// Ids of the locations whose names the page shows.
    pub fn locations(&self, results: &BatchResults) -> Vec<String> {
        ids(self.by(Dimension::Location, results))
    }

    /// Ids of the SKUs whose names the page shows.
    pub fn skus(&self, results: &BatchResults) -> Vec<String> {
        let skus = results.result(self.skus).rows.iter().filter_map(|row| row.dimensions.get(1)?.value.clone());
        skus.collect()
    }

    /// Customers by each dimension of the distribution.
    pub fn distributions(&self, span: MonthSpan, results: &BatchResults, names: &DimensionNames) -> Vec<Breakdown> {
        DISTRIBUTIONS.iter().map(|dimension| self.breakdown(*dimension, span, results, names)).collect()
    }

    /// Customers by each dimension of the trends, every group.
    pub fn trends(&self, span: MonthSpan, results: &BatchResults, names: &DimensionNames) -> Vec<Breakdown> {
        TRENDS.iter().map(|dimension| self.breakdown(*dimension, span, results, names)).collect()
    }

    fn breakdown(
        &self,
        dimension: Dimension,
        span: MonthSpan,
        results: &BatchResults,
        names: &DimensionNames,
    ) -> Breakdown {
        breakdown::with_changes(&parts(span, dimension, self.by(dimension, results), names))
    }

    /// Customers by SKU within each product.
    pub fn products(&self, span: MonthSpan, results: &BatchResults, names: &DimensionNames) -> Vec<ProductSkus> {
        let result = results.result(self.skus);
        let last = MonthSpan { from: span.to, ..span };
        let mut products: Vec<String> = ids(result);
        products.sort_unstable();
        let of = |product: String| {
            let rows = result.rows.iter().filter(|row| row.dimensions.first().is_some_and(|it| it.value() == product));
            let rows = rows.map(|row| Row { dimensions: row.dimensions[1..].to_vec(), ..row.clone() }).collect();
            let within = QueryResult { rows, ..*result };
            let by_sku = breakdown::compose(&parts(last, Dimension::Sku, &within, names));
            ProductSkus { product, by_sku: Some(by_sku) }
        };
        products.into_iter().map(of).collect()
    }
}

/// Queries about the groups beyond the largest, which are known only from the first results.
pub struct OtherGroups {
    /// For each cut trend: its position, how many groups were cut off, and the query about them, if they are few enough for one.
    asked: Vec<(usize, usize, Option<QueryHandle>)>,
    batch: QueryBatch,
}

impl OtherGroups {
    /// Cuts the trends down to their largest groups and builds the queries about the rest.
    pub fn of(trends: &mut [Breakdown], page: &PageSelection, span: &MonthSpan) -> Self {
        let mut rest = Self { asked: Vec::new(), batch: QueryBatch::default() };
        for (position, trend) in trends.iter_mut().enumerate().filter(|(_, trend)| trend.groups.len() > LARGEST) {
            let dropped = trend.groups.split_off(LARGEST);
            let values: Vec<DimensionValue> = dropped.into_iter().filter_map(|group| group.key).collect();
            let count = values.len();
            let page = page.of_values(trend.dimension(), values);
            let asked = page.map(|page| rest.batch.query(page.query(&CUSTOMERS, &[], span.from, span.to)));
            rest.asked.push((position, count, asked));
        }
        rest
    }

    /// Fills in the rest of each trend from the results.
    pub fn fill(
        asked: &[(usize, usize, Option<QueryHandle>)],
        trends: &mut [Breakdown],
        span: MonthSpan,
        results: &BatchResults,
    ) {
        for (position, count, asked) in asked {
            let trend = &mut trends[*position];
            let names = DimensionNames::default();
            trend.others = Some(match asked {
                Some(asked) => {
                    breakdown::others(&parts(span, trend.dimension(), results.result(*asked), &names), *count)
                }
                None => Others {
                    groups: i32::try_from(*count).unwrap_or(i32::MAX),
                    undefined_reason: UndefinedReason::TooManyGroups.into(),
                    ..Others::default()
                },
            });
        }
    }

    /// The batch of queries, and their handles.
    pub fn split(self) -> (QueryBatch, Vec<(usize, usize, Option<QueryHandle>)>) {
        (self.batch, self.asked)
    }
}

fn parts<'a>(
    span: MonthSpan,
    dimension: Dimension,
    result: &'a QueryResult,
    names: &'a DimensionNames,
) -> BreakdownInput<'a> {
    BreakdownInput { span, dimension, measures: &CUSTOMERS, result, why: &[], names }
}
