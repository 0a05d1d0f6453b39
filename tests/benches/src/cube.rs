//! P8 and P9 without the network: a cube of the scenario's subscription-months is built, one customer of it changes, and the
//! questions of P6 are asked of it in memory.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use insights_domain::{
    calendar::Month,
    facts::{CustomerFacts, Seller, State, SubscriptionFacts, SubscriptionNumber},
    rollup::roll_up,
};
use insights_metrics::{
    cube::{Cube, CustomerHeader, CustomerUpdate, PartnerHeader, SkuHeader, SubscriptionHeader, Visibility},
    query::{Filter, Query, Top},
};
use insights_proto::metrics::v1::{Dimension, Measure};

use crate::{
    Failure, Options, Report,
    feed_partner::{country, country_name, customer_id, segment, segment_name, subscription_id},
    portfolio::{MONTHS, Portfolio},
    questions::{COUNTRIES, SEGMENTS},
    report::{Figure, Samples},
    say,
};

/// Cells of a partner.
const CELLS: u32 = 16;
/// Customers put in at a time, as they are when a cube is loaded.
const PAGE: usize = 1_024;
/// Questions and changes in a round.
const CALLS: usize = 20;

/// Runs the bench.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let portfolio = Portfolio::new(options.scenario);
    let partner = partner(&portfolio);
    say("rolling up");
    let updates: Vec<CustomerUpdate> = customers(&portfolio, &partner);
    let mut report = Report::new("the cube in memory, P8 and P9 of tests/benches/README.md", options);
    let months = f64::from(options.scenario.subscriptions) * f64::from(MONTHS);
    let (mut rates, mut renewals) = (Samples::default(), Samples::default());
    let mut times: BTreeMap<&str, Samples> = BTreeMap::new();
    let mut bytes = Samples::default();
    for round in 0..options.rounds {
        let (before, mut spent) = (resident(), Duration::ZERO);
        let mut cube = Cube::new(partner.clone());
        for page in updates.chunks(PAGE) {
            let page = page.to_vec();
            let start = Instant::now();
            cube = cube.apply(partner.clone(), page);
            spent += start.elapsed();
        }
        rates.push(months / spent.as_secs_f64() / 1e6);
        if round == 0 {
            // Later cubes take the room of those before.
            bytes.push((resident() - before) / months);
        }
        for (name, query) in questions(&portfolio) {
            let samples = times.entry(name).or_default();
            for _ in 0..CALLS {
                let start = Instant::now();
                let rows = cube.query(&query, Visibility { locations: None, revenue: true }).rows.len();
                samples.push(start.elapsed().as_secs_f64() * 1000.0);
                report.checked("rows answered", i64::try_from(rows)?);
            }
        }
        for position in (0..updates.len()).step_by(updates.len().div_ceil(CALLS)) {
            let changed = vec![updates[position].clone()];
            let start = Instant::now();
            cube = cube.apply(partner.clone(), changed);
            renewals.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        say(&format!("round {} of {}", round + 1, options.rounds));
    }
    report.push(Figure::plain("built".into(), "M subscription-months/s", &rates));
    report.push(Figure::plain("memory, of the process".into(), "B a subscription-month", &bytes).at_most(16.0));
    report.push(Figure::plain("one customer changed".into(), "ms", &renewals).at_most(100.0));
    for (name, samples) in &times {
        report.push(Figure::plain((*name).to_owned(), "ms", samples));
    }
    Ok(report)
}

fn partner(portfolio: &Portfolio) -> PartnerHeader {
    let skus = (1..).zip(portfolio.skus()).map(|(number, sku)| {
        let header = SkuHeader {
            known: true,
            id: sku.sku_id,
            name: sku.name,
            product: sku.product,
            free: sku.free,
            services: vec![1 + number % 8],
        };
        (number, header)
    });
    PartnerHeader {
        epoch: 1,
        version: 1,
        complete_through: portfolio.last().last_day(),
        currency: "USD".into(),
        skus: skus.collect(),
        services: (1..=8).map(|number| (number, format!("Service {number}"))).collect(),
        locations: BTreeMap::new(),
    }
}

fn customers(portfolio: &Portfolio, partner: &PartnerHeader) -> Vec<CustomerUpdate> {
    let customers = 0..portfolio.scenario.customers;
    let mut all: Vec<(CustomerHeader, CustomerFacts)> = customers
        .map(|customer| {
            let header = CustomerHeader {
                number: customer.into(),
                cell: (customer % CELLS).cast_signed(),
                id: customer_id(customer),
                country: Some(country_name(country(customer)).to_owned()),
                segment: Some(segment_name(segment(customer)).to_owned()),
                ..CustomerHeader::default()
            };
            (header, CustomerFacts { known: true, ..CustomerFacts::default() })
        })
        .collect();
    for (position, (subscription, states)) in (0_u32..).zip(portfolio.lives()) {
        let (header, facts) = &mut all[subscription.customer as usize];
        let number = SubscriptionNumber::of_subscription(position + 1);
        header.subscriptions.push(SubscriptionHeader {
            number,
            id: subscription_id(position),
            sales_channel: None,
            pricing_model: None,
            seller: Seller::Own,
            attributions: Vec::new(),
            start: None,
            end: None,
        });
        let states = states.map(|(effective, status, seats)| State {
            effective,
            status: status.to_owned(),
            seats,
            sku: None,
            trial: None,
        });
        facts.subscriptions.push(SubscriptionFacts {
            paid_by_use: false,
            number,
            sku: subscription.sku + 1,
            trial: subscription.trial,
            states: states.collect(),
            assignments: Vec::new(),
            reported: Vec::new(),
            revenue: Vec::new(),
            absences: Vec::new(),
        });
    }
    let (catalogue, from) = (partner.catalogue(), portfolio.first);
    all.into_iter()
        .map(|(header, facts)| {
            let months = roll_up(&facts, &catalogue, partner.complete_through, from);
            CustomerUpdate { header, from, months }
        })
        .collect()
}

fn questions(portfolio: &Portfolio) -> Vec<(&'static str, Query)> {
    let query = |measures: &[Measure], group_by: &[Dimension], from: Month| Query {
        measures: measures.to_vec(),
        group_by: group_by.to_vec(),
        from,
        to: portfolio.last(),
        filters: Vec::new(),
        basis: Default::default(),
        scope: Default::default(),
        switches: Default::default(),
        top: None,
        slice: None,
        hidden: false,
    };
    let first = portfolio.first;
    let filter = |dimension, values: Vec<&str>| Filter {
        dimension,
        values: values.into_iter().map(|value| Some(value.to_owned())).collect(),
    };
    let filtered = Query {
        filters: vec![
            filter(Dimension::Country, COUNTRIES.map(country_name).to_vec()),
            filter(Dimension::Segment, SEGMENTS.map(segment_name).to_vec()),
        ],
        ..query(&[Measure::Customers], &[], first)
    };
    let top = Query {
        top: Some(Top { measure: Measure::Available, count: 100 }),
        ..query(&[Measure::Available], &[Dimension::Customer], portfolio.last().plus(-11))
    };
    vec![
        ("distinct customers by month, filtered", filtered),
        ("new, existing, churned by month", query(&[Measure::New, Measure::Existing, Measure::Churned], &[], first)),
        ("seats by SKU and month", query(&[Measure::Available], &[Dimension::Sku], first)),
        ("top 100 customers by seats, 12 months", top),
    ]
}

/// Memory of this process in bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1024.0
}
