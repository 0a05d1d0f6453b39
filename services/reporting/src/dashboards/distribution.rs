//! How customers are distributed: sections of the Customers dashboard that differ by their dimension alone.

use insights_proto::metrics::v1::{Dimension, DimensionValue, Measure, Result as QueryResult, Row};
use insights_proto::reporting::v1::{Breakdown, Others, ProductSkus, UndefinedReason};

use super::batch::QueryHandle;
use super::breakdown::{self, BreakdownInput};
use super::{BatchResults, DimensionNames, MonthSpan, PageSelection, QueryBatch, ids};

/// Customers are distributed by these.
const DISTRIBUTIONS: [Dimension; 5] = [
    Dimension::Location,
    Dimension::Segment,
    Dimension::SalesChannel,
    Dimension::PricingModel,
    Dimension::AttributionType,
];
/// The trend of the distribution is shown by these.
const TRENDS: [Dimension; 6] = [
    Dimension::Country,
    Dimension::Segment,
    Dimension::Location,
    Dimension::Product,
    Dimension::PricingModel,
    Dimension::AttributionType,
];
const CUSTOMERS: [Measure; 1] = [Measure::Customers];
/// Groups shown of a trend, besides the others.
const LARGEST: usize = 5;

/// Where the results will stand.
pub struct DistributionQueries {
    asked: Vec<(Dimension, QueryHandle)>,
    skus: QueryHandle,
}

impl DistributionQueries {
    /// Adds the queries to a page's.
    pub fn ask(page: &PageSelection, span: &MonthSpan, batch: &mut QueryBatch) -> Self {
        let mut dimensions = DISTRIBUTIONS.to_vec();
        dimensions.extend(TRENDS.iter().filter(|dimension| !DISTRIBUTIONS.contains(dimension)));
        let mut ask = |dimension| batch.query(page.query(&CUSTOMERS, &[dimension], span.base(), span.to));
        let asked = dimensions.into_iter().map(|dimension| (dimension, ask(dimension))).collect();
        let by_sku = page.query(&CUSTOMERS, &[Dimension::Product, Dimension::Sku], span.to, span.to);
        Self { asked, skus: batch.query(by_sku) }
    }

    /// The answer by a dimension.
    pub fn by<'a>(&self, dimension: Dimension, results: &'a BatchResults) -> &'a QueryResult {
        let found = self.asked.iter().find(|(asked, _)| *asked == dimension);
        results.result(found.map_or(self.skus, |(_, asked)| *asked))
    }

    /// The locations whose names the page needs.
    pub fn locations(&self, results: &BatchResults) -> Vec<String> {
        ids(self.by(Dimension::Location, results))
    }

    /// The SKUs whose names the page needs.
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

/// What the groups beyond the largest have in common, to be asked once it is known which they are.
pub struct OtherGroups {
    /// By position among the trends: how many groups, and where the answer will stand, if they may be asked for.
    asked: Vec<(usize, usize, Option<QueryHandle>)>,
    batch: QueryBatch,
}

impl OtherGroups {
    /// Cuts the trends down to their largest groups, and asks for the others.
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

    /// Says of each trend what the others are.
    pub fn tell(
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

    /// The queries, and where their results will stand.
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
