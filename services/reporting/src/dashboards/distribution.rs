//! How customers are distributed: sections of the Customers dashboard that differ by their dimension alone.

use insights_proto::metrics::v1::{Dimension, DimensionValue, Measure, Result as QueryResult, Row};
use insights_proto::reporting::v1::{Breakdown, Others, ProductSkus, UndefinedReason};

use super::breakdown::{self, Parts};
use super::plan::Asked;
use super::{Answers, Names, Page, Plan, Span, ids};

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

/// Where the answers will stand.
pub struct Questions {
    asked: Vec<(Dimension, Asked)>,
    skus: Asked,
}

impl Questions {
    /// Adds the questions to a page's.
    pub fn ask(page: &Page, span: &Span, plan: &mut Plan) -> Self {
        let mut dimensions = DISTRIBUTIONS.to_vec();
        dimensions.extend(TRENDS.iter().filter(|dimension| !DISTRIBUTIONS.contains(dimension)));
        let mut ask = |dimension| plan.ask(page.query(&CUSTOMERS, &[dimension], span.base(), span.to));
        let asked = dimensions.into_iter().map(|dimension| (dimension, ask(dimension))).collect();
        let by_sku = page.query(&CUSTOMERS, &[Dimension::Product, Dimension::Sku], span.to, span.to);
        Self { asked, skus: plan.ask(by_sku) }
    }

    /// The answer by a dimension.
    pub fn by<'a>(&self, dimension: Dimension, answers: &'a Answers) -> &'a QueryResult {
        let found = self.asked.iter().find(|(asked, _)| *asked == dimension);
        answers.of(found.map_or(self.skus, |(_, asked)| *asked))
    }

    /// The locations whose names the page needs.
    pub fn locations(&self, answers: &Answers) -> Vec<String> {
        ids(self.by(Dimension::Location, answers))
    }

    /// The SKUs whose names the page needs.
    pub fn skus(&self, answers: &Answers) -> Vec<String> {
        let skus = answers.of(self.skus).rows.iter().filter_map(|row| row.dimensions.get(1)?.value.clone());
        skus.collect()
    }

    /// Customers by each dimension of the distribution.
    pub fn distributions(&self, span: Span, answers: &Answers, names: &Names) -> Vec<Breakdown> {
        DISTRIBUTIONS.iter().map(|dimension| self.breakdown(*dimension, span, answers, names)).collect()
    }

    /// Customers by each dimension of the trends, every group.
    pub fn trends(&self, span: Span, answers: &Answers, names: &Names) -> Vec<Breakdown> {
        TRENDS.iter().map(|dimension| self.breakdown(*dimension, span, answers, names)).collect()
    }

    fn breakdown(&self, dimension: Dimension, span: Span, answers: &Answers, names: &Names) -> Breakdown {
        breakdown::with_changes(&parts(span, dimension, self.by(dimension, answers), names))
    }

    /// Customers by SKU within each product.
    pub fn products(&self, span: Span, answers: &Answers, names: &Names) -> Vec<ProductSkus> {
        let result = answers.of(self.skus);
        let last = Span { from: span.to, ..span };
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
pub struct Rest {
    /// By position among the trends: how many groups, and where the answer will stand, if they may be asked for.
    asked: Vec<(usize, usize, Option<Asked>)>,
    plan: Plan,
}

impl Rest {
    /// Cuts the trends down to their largest groups, and asks for the others.
    pub fn of(trends: &mut [Breakdown], page: &Page, span: &Span) -> Self {
        let mut rest = Self { asked: Vec::new(), plan: Plan::default() };
        for (position, trend) in trends.iter_mut().enumerate().filter(|(_, trend)| trend.groups.len() > LARGEST) {
            let dropped = trend.groups.split_off(LARGEST);
            let values: Vec<DimensionValue> = dropped.into_iter().filter_map(|group| group.key).collect();
            let count = values.len();
            let page = page.of_values(trend.dimension(), values);
            let asked = page.map(|page| rest.plan.ask(page.query(&CUSTOMERS, &[], span.from, span.to)));
            rest.asked.push((position, count, asked));
        }
        rest
    }

    /// Says of each trend what the others are.
    pub fn tell(asked: &[(usize, usize, Option<Asked>)], trends: &mut [Breakdown], span: Span, answers: &Answers) {
        for (position, count, asked) in asked {
            let trend = &mut trends[*position];
            let names = Names::default();
            trend.others = Some(match asked {
                Some(asked) => breakdown::others(&parts(span, trend.dimension(), answers.of(*asked), &names), *count),
                None => Others {
                    groups: i32::try_from(*count).unwrap_or(i32::MAX),
                    undefined_reason: UndefinedReason::TooManyGroups.into(),
                    ..Others::default()
                },
            });
        }
    }

    /// The questions, and where their answers will stand.
    pub fn split(self) -> (Plan, Vec<(usize, usize, Option<Asked>)>) {
        (self.plan, self.asked)
    }
}

fn parts<'a>(span: Span, dimension: Dimension, result: &'a QueryResult, names: &'a Names) -> Parts<'a> {
    Parts { span, dimension, measures: &CUSTOMERS, result, why: &[], names }
}
