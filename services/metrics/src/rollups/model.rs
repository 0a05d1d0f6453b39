//! What is kept of a customer and of a partner beside the months.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use insights_domain::calendar::{Day, Month};
use insights_domain::coverage::Coverage;
use insights_domain::facts::{Catalogue, ServiceNumber, SkuNumber};
use insights_domain::ids::folded_name;

use super::header::{CustomerHeader, PartnerHeader, SkuHeader};

/// A customer as of now: its attributes apply to every month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredCustomer {
    /// What answers show of it.
    pub header: CustomerHeader,
    /// Every SKU its facts name, sorted: who is to be rolled up again when a SKU changes.
    pub skus: Vec<SkuNumber>,
    /// The months of its rows by report, in order: who is to be rolled up again when other months are carried.
    pub reports: Vec<ReportMonths>,
}

/// The months of which a customer has rows of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportMonths {
    /// The report.
    pub report: String,
    /// Its rows are by customer and SKU, else by subscription.
    pub by_sku: bool,
    /// It is about the customer alone.
    pub of_customer: bool,
    /// The months, in order.
    pub months: Vec<Month>,
}

/// What concerns all customers of a partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartnerModel {
    /// The partner's name.
    pub name: Option<String>,
    /// IANA name of its time zone.
    pub time_zone: Option<String>,
    /// ISO 4217 code of its reporting currency.
    pub currency: Option<String>,
    /// The greatest `complete_through` received.
    pub complete_through: Option<Day>,
    /// The last day of any activity.
    pub last_activity: Option<Day>,
    /// The SKUs, by number; also those that have not come and that something names.
    pub skus: Vec<SkuModel>,
    /// The services, by number.
    pub services: Vec<ServiceModel>,
    /// The offices, by id.
    pub locations: Vec<LocationModel>,
    /// The months that reports of all customers cover.
    pub coverage: Coverage,
}

/// A SKU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SkuModel {
    /// Its number.
    pub number: SkuNumber,
    /// Its id.
    pub sku_id: String,
    /// It has come.
    pub known: bool,
    /// Its name.
    pub name: String,
    /// Its product.
    pub product: String,
    /// It is free.
    pub free: bool,
    /// Its services, sorted.
    pub services: Vec<ServiceNumber>,
}

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceModel {
    /// Its number.
    pub number: ServiceNumber,
    /// Its name.
    pub name: String,
}

/// An office of the partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocationModel {
    /// Its id.
    pub location_id: String,
    /// Its name.
    pub name: String,
    /// Its country.
    pub country: String,
}

impl PartnerModel {
    /// The catalogue as the rollup reads it: the SKUs that have come, and what reports cover.
    pub fn catalogue(&self) -> Catalogue {
        let come = self.skus.iter().filter(|sku| sku.known);
        Catalogue {
            services: come.map(|sku| (sku.number, sku.services.clone())).collect(),
            coverage: self.coverage.clone(),
        }
    }

    /// The zone in whose days everything is counted; UTC unless set.
    pub fn zone(&self) -> chrono_tz::Tz {
        self.time_zone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(chrono_tz::UTC)
    }

    /// The day up to which the data is complete when it is `now`: what was received, else the last activity, else today,
    /// and never after today.
    pub fn complete_through_at(&self, now: DateTime<Utc>) -> Day {
        let today = Day::of_instant(now, self.zone());
        self.complete_through.or(self.last_activity).map_or(today, |day| day.min(today))
    }

    /// As the cube shows it.
    pub fn header(&self, epoch: i64, version: i64, complete_through: Day) -> PartnerHeader {
        // Products whose names differ in case and blanks only are one: the least of them names it.
        let mut products: BTreeMap<String, &str> = BTreeMap::new();
        for sku in self.skus.iter().filter(|sku| sku.known) {
            let name = products.entry(folded_name(&sku.product)).or_insert(&sku.product);
            *name = (*name).min(&sku.product);
        }
        let product = |own: &str| products.get(&folded_name(own)).map_or(own, |name| *name).to_owned();
        let sku = |sku: &SkuModel| SkuHeader {
            known: sku.known,
            id: sku.sku_id.clone(),
            name: sku.name.clone(),
            product: product(&sku.product),
            free: sku.free,
            services: sku.services.clone(),
        };
        PartnerHeader {
            epoch,
            version,
            complete_through,
            currency: self.currency.clone().unwrap_or_else(|| "USD".to_owned()),
            skus: self.skus.iter().map(|model| (model.number, sku(model))).collect(),
            services: self.services.iter().map(|service| (service.number, service.name.clone())).collect(),
            locations: self
                .locations
                .iter()
                .map(|location| (location.location_id.clone(), location.name.clone()))
                .collect(),
        }
    }
}
