//! The questions of P6, in the product's words and in SQL, and their answers as plain numbers so that they can be compared.

use insights_proto::metrics::v1::{Dimension, DimensionValue, Filter, Measure, Query, Row, Top, value};

use crate::{
    Failure,
    feed_partner::{country_name, segment_name},
    portfolio::{MONTHS, Portfolio},
};

/// Countries of the filtered question, by position in the list.
pub const COUNTRIES: [usize; 3] = [1, 2, 4];
/// Its segments.
pub const SEGMENTS: [usize; 2] = [0, 2];

/// An answer: rows of numbers, sorted; what is 0 everywhere is left out.
pub type Answer = Vec<Vec<i64>>;

/// A question.
pub struct Question {
    /// What is asked.
    pub name: &'static str,
    /// For the product.
    pub query: Query,
    /// For the peers: ways to ask it, of which the quickest counts.
    pub sql: Vec<String>,
    /// How many leading columns of an answer are its key.
    keys: usize,
    /// At least so many times faster than DuckDB.
    pub budget: f64,
}

impl Question {
    /// The product's answer in numbers.
    pub fn numbers(&self, rows: &[Row]) -> Result<Answer, Failure> {
        let mut answer = Vec::with_capacity(rows.len());
        for row in rows {
            let mut numbers = Vec::with_capacity(self.keys + row.values.len());
            for dimension in &row.dimensions {
                let id = dimension.value.as_deref().unwrap_or_default();
                numbers.push(id.rsplit('-').next().unwrap_or_default().parse()?);
            }
            let (year, month) = row.month.split_once('-').ok_or("not a month")?;
            numbers.push(year.parse::<i64>()? * 12 + month.parse::<i64>()? - 1);
            for figure in &row.values {
                match figure.kind {
                    Some(value::Kind::Count(count)) => numbers.push(count),
                    ref other => return Err(format!("{other:?} is no count").into()),
                }
            }
            answer.push(numbers);
        }
        Ok(self.tidy(answer))
    }

    /// Sorted, without rows that hold nothing.
    pub fn tidy(&self, mut answer: Answer) -> Answer {
        answer.retain(|row| row[self.keys..].iter().any(|value| *value != 0));
        answer.sort_unstable();
        answer
    }
}

/// The questions.
pub fn questions(portfolio: &Portfolio) -> Vec<Question> {
    vec![filtered(portfolio), flow(portfolio), seats(portfolio), top(portfolio)]
}

fn base(portfolio: &Portfolio, measures: &[Measure]) -> Query {
    Query {
        measures: measures.iter().map(|measure| (*measure).into()).collect(),
        from_month: portfolio.first.to_string(),
        to_month: portfolio.last().to_string(),
        ..Query::default()
    }
}

fn filtered(portfolio: &Portfolio) -> Question {
    let filter = |dimension: Dimension, values: Vec<&str>| Filter {
        dimension: dimension.into(),
        values: values.into_iter().map(|value| DimensionValue { value: Some(value.to_owned()) }).collect(),
    };
    let mut query = base(portfolio, &[Measure::Customers]);
    query.filters = vec![
        filter(Dimension::Country, COUNTRIES.map(country_name).to_vec()),
        filter(Dimension::Segment, SEGMENTS.map(segment_name).to_vec()),
    ];
    let wanted = "active AND country IN (1, 2, 4) AND segment IN (0, 2)";
    let sql = vec![
        format!("SELECT month, count(DISTINCT customer) FROM months WHERE {wanted} GROUP BY month"),
        format!(
            "SELECT month, count(*) FROM (SELECT DISTINCT month, customer FROM months WHERE {wanted}) AS c GROUP BY month"
        ),
    ];
    Question { name: "distinct customers by month, filtered", query, sql, keys: 1, budget: 8.0 }
}

fn flow(portfolio: &Portfolio) -> Question {
    let query = base(portfolio, &[Measure::New, Measure::Existing, Measure::Churned]);
    let (first, last) = (portfolio.first.index(), portfolio.last().index());
    let neighbours = format!(
        "WITH counted AS (SELECT DISTINCT customer, month FROM months WHERE active),
        near AS (SELECT month, lag(month) OVER w AS before, lead(month) OVER w AS after
            FROM counted WINDOW w AS (PARTITION BY customer ORDER BY month)),
        moves AS (
            SELECT month, CASE WHEN before = month - 1 THEN 0 ELSE 1 END AS new,
                CASE WHEN before = month - 1 THEN 1 ELSE 0 END AS existing, 0 AS churned FROM near
            UNION ALL SELECT month + 1, 0, 0, 1 FROM near WHERE after IS DISTINCT FROM month + 1 AND month < {last})
        SELECT month, CAST(sum(new) AS bigint), CAST(sum(existing) AS bigint), CAST(sum(churned) AS bigint)
        FROM moves GROUP BY month"
    );
    let bits = format!(
        "WITH counted AS (SELECT customer, bit_or(CAST(1 AS integer) << (month - {first})) AS mask FROM months
            WHERE active GROUP BY customer),
        places AS (SELECT CAST(place AS integer) AS place FROM generate_series(0, {}) AS s(place)),
        pairs AS (SELECT place, (mask >> place) & 1 AS now,
            CASE WHEN place = 0 THEN 0 ELSE (mask >> greatest(place - 1, 0)) & 1 END AS before FROM counted CROSS JOIN places)
        SELECT place + {first}, count(*) FILTER (WHERE now > before), count(*) FILTER (WHERE now + before = 2),
            count(*) FILTER (WHERE now < before) FROM pairs GROUP BY place",
        MONTHS - 1
    );
    Question { name: "new, existing, churned by month", query, sql: vec![neighbours, bits], keys: 1, budget: 40.0 }
}

fn seats(portfolio: &Portfolio) -> Question {
    let mut query = base(portfolio, &[Measure::Available]);
    query.group_by = vec![Dimension::Sku.into()];
    let sql = vec!["SELECT sku, month, CAST(sum(available) AS bigint) FROM months GROUP BY sku, month".to_owned()];
    Question { name: "seats by SKU and month", query, sql, keys: 2, budget: 8.0 }
}

fn top(portfolio: &Portfolio) -> Question {
    let mut query = base(portfolio, &[Measure::Available]);
    query.from_month = portfolio.last().plus(-11).to_string();
    query.group_by = vec![Dimension::Customer.into()];
    query.top = Some(Top { measure: Measure::Available.into(), count: 100 });
    let last = portfolio.last().index();
    let sql = vec![format!(
        "WITH top AS (SELECT customer FROM months WHERE month = {last} GROUP BY customer
            ORDER BY sum(available) DESC, customer LIMIT 100)
        SELECT customer, month, CAST(sum(available) AS bigint) FROM months
        WHERE month > {last} - 12 AND customer IN (SELECT customer FROM top) GROUP BY customer, month"
    )];
    Question { name: "top 100 customers by seats, 12 months", query, sql, keys: 2, budget: 10.0 }
}
