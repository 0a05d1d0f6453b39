#![allow(clippy::unwrap_used, reason = "tests")]
use insights_domain::amount::Amount;
use insights_domain::calendar::{Day, Month};
use insights_domain::coverage::Coverage;

use super::*;
use crate::rollups::header::{CustomerHeader, SubscriptionHeader, SupportMonth};
use crate::rollups::model::{LocationModel, PartnerModel, ReportMonths, ServiceModel, SkuModel, StoredCustomer};
use crate::rollups::{CellCustomer, read_customer, read_partner, write_customer, write_partner};

fn attribution(location: &str) -> Attribution {
    Attribution { location: Some(location.to_owned()), kind: None }
}

fn full_month() -> MonthRollup {
    let row = |number: u32, standing: Standing, seller: Option<Seller>| SubscriptionMonth {
        subscription: SubscriptionNumber::of_subscription(number),
        sku: 7,
        standing,
        trial: number == 1,
        has_state: number != 1,
        seats: u32::MAX,
        grace: if number == 3 { 8 } else { 0 },
        assigned: 3,
        active: 2,
        active_assigned: 1,
        reported: Reported { seats: number == 1, assigned: number == 2, active: number == 3 },
        carried: number == 2,
        active_unknown: number == 3,
        seller,
        attributions: Vec::new(),
        revenue: Vec::new(),
    };
    let mut detailed = row(2, Standing::Other, Some(Seller::Direct));
    detailed.attributions = vec![attribution("l1"), Attribution { location: None, kind: Some("CSP".into()) }];
    detailed.revenue = vec![("EUR".into(), Amount::from_micros(-1)), ("USD".into(), Amount::from_micros(i64::MAX))];
    let part = SubscriptionMonth {
        subscription: SubscriptionNumber::of_subscription(2).part(8),
        ..row(3, Standing::Active, Some(Seller::Direct))
    };
    let by_sku = SubscriptionMonth {
        subscription: SubscriptionNumber::of_sku(9),
        ..row(3, Standing::Pending, Some(Seller::Own))
    };
    MonthRollup {
        subscriptions: vec![row(1, Standing::Active, None), detailed, part, by_sku],
        classes: vec![
            UserClass { users: 5, ..UserClass::default() },
            UserClass {
                active_services: vec![1, 2],
                held: vec![SubscriptionNumber::of_subscription(1), SubscriptionNumber::of_sku(9)],
                held_before: vec![SubscriptionNumber::of_subscription(2)],
                licensed: vec![3],
                licensed_before: vec![4, 5],
                users: 1,
            },
        ],
        active_services: vec![1, 2],
        lower_bound_services: vec![2, 7],
        reported_usage: vec![
            UsageMonth {
                service: 1,
                active_users: Some(0),
                total_users: None,
                carried: true,
                attributions: vec![attribution("l2")],
            },
            UsageMonth {
                service: 2,
                active_users: None,
                total_users: Some(9),
                carried: false,
                attributions: Vec::new(),
            },
        ],
    }
}

#[test]
fn months_come_back_as_they_were() {
    for month in [full_month(), MonthRollup::default()] {
        assert_eq!(read_month(&write_month(&month)).unwrap(), month);
    }
}

#[test]
fn every_standing_and_seller_has_its_bits() {
    for standing in Standing::ALL {
        for seller in [None, Some(Seller::Own), Some(Seller::Other), Some(Seller::Direct)] {
            let mut month = full_month();
            month.subscriptions[0].standing = standing;
            month.subscriptions[0].seller = seller;
            assert_eq!(read_month(&write_month(&month)).unwrap(), month);
        }
    }
}

#[test]
fn a_damaged_body_is_refused() {
    let bytes = write_month(&full_month());
    assert!(matches!(read_month(&bytes[..bytes.len() - 1]), Err(BodyError::Decode(_))));
    assert!(matches!(read_month(&[]), Err(BodyError::Format(0))));
    let mut body = MonthBody::decode(bytes.as_slice()).unwrap();
    body.format = 2;
    assert!(matches!(read_month(&body.encode_to_vec()), Err(BodyError::Format(2))));
    let damaged = |change: fn(&mut MonthBody)| {
        let mut body = MonthBody::decode(bytes.as_slice()).unwrap();
        change(&mut body);
        assert!(matches!(read_month(&body.encode_to_vec()), Err(BodyError::Damaged(_))));
    };
    damaged(|body| body.seats.truncate(1));
    damaged(|body| body.details[0].position = 99);
    damaged(|body| body.class_lengths.truncate(5));
    damaged(|body| body.class_items.clear());
}

#[test]
fn headers_come_back_as_they_were() {
    let subscription = SubscriptionHeader {
        number: SubscriptionNumber::of_sku(4),
        id: "C-1/e3".into(),
        sales_channel: Some("CSP".into()),
        pricing_model: None,
        seller: Seller::Other,
        attributions: vec![attribution("l1")],
        start: Day::from_ymd(1969, 12, 31),
        end: None,
    };
    let header = CustomerHeader {
        number: 12,
        cell: 3,
        id: "C-1".into(),
        name: Some(String::new()),
        country: None,
        segment: Some("SMB".into()),
        industry: None,
        domain: Some("c1.example".into()),
        subscriptions: vec![subscription],
        support_cases: vec![SupportMonth { month: Month::from_index(24_312).unwrap(), total: 9, how_to: 4 }],
    };
    let months = vec![Month::from_index(24_312).unwrap(), Month::from_index(24_314).unwrap()];
    let reports =
        vec![ReportMonths { report: "seats".into(), by_sku: true, of_customer: true, months: months.clone() }];
    let customer = StoredCustomer { header, skus: vec![4, 7], reports };
    let mut coverage = Coverage::default();
    months.into_iter().for_each(|month| coverage.add("seats", month.index() == 24_312, month));
    let key = CellCustomer { cell: 3, customer: 12 };
    assert_eq!(read_customer(key, &write_customer(&customer)).unwrap(), customer);
    assert!(read_customer(key, &[]).is_err());
    let partner = PartnerModel {
        name: Some("Contoso".into()),
        time_zone: Some("Europe/Berlin".into()),
        currency: Some("EUR".into()),
        complete_through: Day::from_ymd(2026, 5, 31),
        last_activity: None,
        skus: vec![SkuModel {
            number: 4,
            sku_id: "e3".into(),
            known: true,
            name: "E3".into(),
            product: "Office".into(),
            free: true,
            services: vec![1, 2],
        }],
        services: vec![ServiceModel { number: 1, name: "Exchange".into() }],
        locations: vec![LocationModel { location_id: "l1".into(), name: "Berlin".into(), country: "DE".into() }],
        coverage,
    };
    assert_eq!(read_partner(&write_partner(&partner)).unwrap(), partner);
    assert_eq!(read_partner(&[]).unwrap(), PartnerModel::default());
}

#[test]
fn today_is_that_of_the_partners_zone() {
    let at = |text: &str| text.parse().unwrap();
    let mut partner = PartnerModel { time_zone: Some("Pacific/Auckland".into()), ..PartnerModel::default() };
    assert_eq!(partner.complete_through_at(at("2026-05-31T13:00:00Z")).to_string(), "2026-06-01");
    partner.time_zone = Some("America/Los_Angeles".into());
    assert_eq!(partner.complete_through_at(at("2026-06-01T05:00:00Z")).to_string(), "2026-05-31");
    partner.last_activity = Day::from_ymd(2026, 5, 20);
    assert_eq!(partner.complete_through_at(at("2026-06-01T05:00:00Z")).to_string(), "2026-05-20");
    partner.complete_through = Day::from_ymd(2026, 7, 1);
    assert_eq!(partner.complete_through_at(at("2026-06-01T05:00:00Z")).to_string(), "2026-05-31");
}
