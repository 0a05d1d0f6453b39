//! What is summed ahead of questions says what the columns say.

use insights_proto::metrics::v1::{Dimension, Measure};

use super::world::*;
use crate::cube::{Cube, CustomerUpdate, Figure, QueryAnswer, Visibility};
use crate::query::{Filter, Query, Top};

const COUNTRIES: [&str; 3] = ["BR", "PT", "US"];

/// Customers over several chunks; some grow, some lapse and come back, a few change nothing.
fn cube() -> Cube {
    let partner = partner("2026-06-30");
    let customers = (1..=300_u32).map(|number| {
        let (seats, more) = (1 + number * 7_919 % 997, 1 + number * 104_729 % 1_009);
        let grows = [("2025-11-10", "Active", seats), ("2026-03-05", "Active", more)];
        let lapses =
            [("2025-12-01", "Active", seats), ("2026-02-10", "Suspended", seats), ("2026-05-02", "Active", more)];
        let sold = [
            Sold { sku: E3, states: &grows, users: &[1, 2, 3], locations: &["L1"] },
            Sold { sku: CRM, states: &lapses, users: &[1], locations: &["L2"] },
        ];
        let sold = &sold[usize::from(number % 3 == 0)..];
        let activity: &[(u32, u32, &str)] =
            if number % 4 == 0 { &[(1, 1, "2026-05-20"), (2, 3, "2026-06-03")] } else { &[] };
        let country = COUNTRIES[number as usize % COUNTRIES.len()];
        let customer = customer(i64::from(number), country, sold, activity, &partner);
        let cell = i32::try_from(number % 7).unwrap();
        CustomerUpdate { header: crate::cube::CustomerHeader { cell, ..customer.header }, ..customer }
    });
    Cube::new(partner.clone()).apply(partner.clone(), customers.collect())
}

/// The same question, put so that every customer has to be looked at.
fn one_by_one(query: &Query) -> Query {
    let values = COUNTRIES.iter().map(|country| some(country)).collect();
    Query { filters: vec![Filter { dimension: Dimension::Country, values }], ..query.clone() }
}

fn answer(cube: &Cube, query: &Query) -> QueryAnswer {
    cube.query(query, Visibility::default())
}

#[test]
fn sums_of_seats_are_those_of_the_columns() {
    let cube = cube();
    let measures =
        [Measure::Available, Measure::Assigned, Measure::Active, Measure::DeploymentOpportunity, Measure::IdleSeats];
    for measures in [&measures[..1], &measures[1..2], &measures[3..4], &measures[4..], &measures[..]] {
        for group_by in [&[][..], &[Dimension::Sku], &[Dimension::Product, Dimension::Location]] {
            for from in ["2025-01", "2026-02", "2026-06"] {
                let query = query(measures, group_by, from, "2026-06");
                let found = answer(&cube, &query);
                assert!(found.rows.iter().any(|row| row.values.iter().any(|value| *value != Figure::Count(0))));
                assert_eq!(found, answer(&cube, &one_by_one(&query)), "{query:?}");
            }
        }
    }
}

#[test]
fn customers_are_counted_as_by_their_subscriptions() {
    let cube = cube();
    let measures = [Measure::Customers, Measure::New, Measure::Churned, Measure::Returning];
    for group_by in [&[][..], &[Dimension::Country], &[Dimension::Customer]] {
        for from in ["2025-12", "2026-02", "2026-05"] {
            let query = query(&measures, group_by, from, "2026-06");
            let mut with_subscriptions = query.clone();
            with_subscriptions.measures.push(Measure::Subscriptions);
            let mut expected = answer(&cube, &with_subscriptions);
            for row in &mut expected.rows {
                row.values.pop();
            }
            assert_eq!(answer(&cube, &query), expected, "{query:?}");
        }
    }
}

#[test]
fn the_highest_are_found_without_looking_at_all() {
    let cube = cube();
    for measure in [Measure::Available, Measure::DeploymentOpportunity] {
        for group_by in [&[Dimension::Customer][..], &[Dimension::Subscription], &[Dimension::Customer, Dimension::Sku]]
        {
            let all = query(&[measure], group_by, "2026-06", "2026-06");
            let mut ranked: Vec<_> =
                counts(&answer(&cube, &all)).into_iter().map(|(_, of, counts)| (-counts[0], of)).collect();
            ranked.sort();
            for count in [1, 3, 20, 5_000] {
                let best = answer(&cube, &Query { top: Some(Top { measure, count }), ..all.clone() });
                let mut found: Vec<_> = counts(&best).into_iter().map(|(_, of, counts)| (-counts[0], of)).collect();
                found.sort();
                assert_eq!(found, ranked[..count.min(ranked.len())], "{measure:?} {group_by:?} {count}");
            }
        }
    }
}
