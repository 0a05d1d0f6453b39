//! The fast forms of the cube give what the definitions of the domain say, over random rollups.

use insights_domain::calendar::Month;
use insights_domain::facts::{Seller, SubscriptionNumber};
use insights_domain::measures::{Presence, new_seats};
use insights_domain::rollup::{MonthRollup, Reported, SubscriptionMonth};
use insights_domain::standing::{Standing, Switches};
use insights_domain::usage::{SeatCounts, SeatFigures, SeatRule};
use insights_proto::metrics::v1::{Dimension, Measure};

use super::world::*;
use crate::cube::{Cube, CustomerHeader, CustomerUpdate, PartnerHeader, SkuHeader, SubscriptionHeader, Visibility};

const FREE: u32 = 3;
const FIRST: &str = "2025-01";
const LAST: &str = "2026-06";
const MONTHS: i32 = 18;
const COUNTRIES: [&str; 3] = ["BR", "PT", "US"];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 33) as u32 % end
    }

    fn in_a_hundred(&mut self, chances: u32) -> bool {
        self.below(100) < chances
    }

    fn standing(&mut self) -> Standing {
        if self.in_a_hundred(60) { Standing::Active } else { Standing::ALL[self.below(7) as usize] }
    }
}

fn partner_with_a_free_sku() -> PartnerHeader {
    let mut partner = partner("2026-06-30");
    let free = SkuHeader { known: true, id: "free".into(), product: "Free".into(), free: true, ..SkuHeader::default() };
    partner.skus.insert(FREE, free);
    partner
}

/// A customer with up to three subscriptions, some of which never change, with gaps of months in which nothing is known.
fn random_customer(number: i64, reports: bool, random: &mut Random) -> CustomerUpdate {
    let mut months: Vec<(Month, MonthRollup)> =
        (0..MONTHS).map(|at| (month(FIRST).plus(at), MonthRollup::default())).collect();
    let mut subscriptions = Vec::new();
    for position in 0..=random.below(3) {
        let code = SubscriptionNumber::of_subscription(u32::try_from(number).unwrap() * 10 + position);
        let changes = if random.in_a_hundred(60) { 0 } else { 30 };
        let (mut standing, mut trial, mut sku) = (random.standing(), random.in_a_hundred(15), 1 + random.below(3));
        let begin = random.below(10) as usize;
        let gap = begin + random.below(20) as usize;
        for (at, (_, rollup)) in months.iter_mut().enumerate() {
            if random.in_a_hundred(changes) {
                (standing, trial, sku) = (random.standing(), random.in_a_hundred(15), 1 + random.below(3));
            }
            if at < begin || at == gap {
                continue;
            }
            let active = random.below(9);
            rollup.subscriptions.push(SubscriptionMonth {
                subscription: code,
                sku,
                standing,
                trial,
                has_state: true,
                seats: random.below(12),
                grace: 0,
                assigned: random.below(12),
                active,
                active_assigned: random.below(active + 1),
                reported: Reported { seats: reports && random.in_a_hundred(20), assigned: false, active: false },
                carried: false,
                active_unknown: false,
                seller: None,
                attributions: Vec::new(),
                revenue: Vec::new(),
            });
        }
        subscriptions.push(SubscriptionHeader {
            number: code,
            id: format!("s{}", code.code()),
            sales_channel: None,
            pricing_model: None,
            seller: Seller::Own,
            attributions: Vec::new(),
            start: None,
            end: None,
        });
    }
    months.retain(|(_, rollup)| !rollup.is_empty());
    let header = CustomerHeader {
        number,
        cell: i32::try_from(number % 3).unwrap(),
        id: format!("c{number}"),
        country: Some(COUNTRIES[number as usize % COUNTRIES.len()].to_owned()),
        subscriptions,
        ..CustomerHeader::default()
    };
    CustomerUpdate { header, from: month(FIRST), months }
}

/// What the definitions say of customers whose rows pass.
#[derive(Clone, Copy)]
struct Expected<'e> {
    partner: &'e PartnerHeader,
    customers: &'e [&'e CustomerUpdate],
    switches: Switches,
    sku: Option<u32>,
}

impl Expected<'_> {
    fn rows<'r>(&'r self, customer: &'r CustomerUpdate, at: i32) -> impl Iterator<Item = &'r SubscriptionMonth> {
        let of = month(FIRST).plus(at);
        let found = customer.months.binary_search_by_key(&of, |(month, _)| *month).ok();
        let rows = found.into_iter().flat_map(|at| &customer.months[at].1.subscriptions);
        rows.filter(|row| self.sku.is_none_or(|sku| row.sku == sku))
    }

    fn people(&self, at: i32, is: fn(Presence) -> bool) -> i64 {
        let present = |customer: &&&CustomerUpdate| {
            let counts = |at| self.rows(customer, at).any(|row| row.standing.counts());
            let counts: Vec<bool> = (0..MONTHS).map(counts).collect();
            is(Presence::at(&counts, usize::try_from(at).unwrap()))
        };
        self.customers.iter().filter(present).count() as i64
    }

    fn seats(&self, at: i32, figure: fn(SeatFigures) -> u64) -> u64 {
        let rows = self.customers.iter().flat_map(|customer| self.rows(customer, at));
        let figures = rows.map(|row| {
            let SubscriptionMonth { seats, assigned, active, active_assigned, .. } = *row;
            let rule = SeatRule::of(row.standing, row.trial, self.partner.skus[&row.sku].free, self.switches);
            rule.figures(SeatCounts { seats, grace: 0, assigned, active, active_assigned })
        });
        figures.map(figure).sum()
    }

    fn measure(&self, measure: Measure, at: i32) -> i64 {
        let seats = |figure| i64::try_from(self.seats(at, figure)).unwrap();
        match measure {
            Measure::Customers => self.people(at, |of| of.now),
            Measure::New => self.people(at, Presence::is_new),
            Measure::Existing => self.people(at, Presence::is_existing),
            Measure::Churned => self.people(at, Presence::has_churned),
            Measure::Returning => self.people(at, Presence::is_returning),
            Measure::Subscriptions => {
                let rows = self.customers.iter().flat_map(|customer| self.rows(customer, at));
                rows.filter(|row| row.standing.counts()).count() as i64
            }
            Measure::Available => seats(|of| of.available),
            Measure::Assigned => seats(|of| of.assigned),
            Measure::Active => seats(|of| of.active),
            Measure::DeploymentOpportunity => seats(|of| of.unassigned),
            Measure::IdleSeats => seats(|of| of.idle),
            Measure::NewSeats => new_seats(self.seats(at - 1, |of| of.available), self.seats(at, |of| of.available)),
            other => panic!("{other:?} is not looked at"),
        }
    }
}

/// Compares every month; what a group has no row for is 0.
fn compare(cube: &Cube, expected: &Expected<'_>, measures: &[Measure], by: Option<Dimension>, value: Option<&str>) {
    for from in [FIRST, "2025-08"] {
        let mut asked = query(measures, by.as_slice(), from, LAST);
        asked.switches = expected.switches;
        let answer = counts(&cube.query(&asked, Visibility::default()));
        let first = month(from).index() - month(FIRST).index();
        for at in first..MONTHS {
            let of = month(FIRST).plus(at).to_string();
            let row = answer.iter().find(|row| row.0 == of && row.1.first().is_none_or(|it| it.as_deref() == value));
            let found = row.map_or_else(|| vec![0; measures.len()], |row| row.2.clone());
            let wanted: Vec<i64> = measures.iter().map(|measure| expected.measure(*measure, at)).collect();
            assert_eq!(found, wanted, "{of} of {measures:?} by {by:?} {value:?}, {:?}", expected.switches);
        }
    }
}

#[test]
fn fast_forms_give_what_the_definitions_say() {
    use Measure as M;
    let people = [M::Customers, M::New, M::Existing, M::Churned, M::Returning];
    let seats = [M::Available, M::Assigned, M::Active, M::DeploymentOpportunity, M::IdleSeats, M::NewSeats];
    let all = [&people[..], &seats, &[M::Subscriptions]].concat();
    let partner = partner_with_a_free_sku();
    for seed in 0..4 {
        let mut random = Random(seed);
        let customers: Vec<CustomerUpdate> =
            (1..=40).map(|number| random_customer(number, seed % 2 == 1, &mut random)).collect();
        let cube = Cube::new(partner.clone()).apply(partner.clone(), customers.clone());
        for (include_grace, include_free) in [(false, false), (true, false), (false, true), (true, true)] {
            let switches = Switches { include_grace, include_free };
            let every: Vec<&CustomerUpdate> = customers.iter().collect();
            let everything = Expected { partner: &partner, customers: &every, switches, sku: None };
            for measures in [&people[..], &seats, &all] {
                compare(&cube, &everything, measures, None, None);
                for country in COUNTRIES {
                    let of_country: Vec<&CustomerUpdate> =
                        customers.iter().filter(|it| it.header.country.as_deref() == Some(country)).collect();
                    let expected = Expected { customers: &of_country, ..everything };
                    compare(&cube, &expected, measures, Some(Dimension::Country), Some(country));
                }
                for (number, sku) in &partner.skus {
                    let expected = Expected { sku: Some(*number), ..everything };
                    compare(&cube, &expected, measures, Some(Dimension::Sku), Some(&sku.id));
                }
            }
        }
    }
}
