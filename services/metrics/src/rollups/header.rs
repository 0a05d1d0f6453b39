//! What is known of a partner and of a customer beside figures.

use std::collections::BTreeMap;

use insights_domain::calendar::{Day, Month};
use insights_domain::facts::{Attribution, Catalogue, Seller, ServiceNumber, SkuNumber, SubscriptionNumber};

/// What concerns a whole partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerHeader {
    /// Changes when the facts are restored from a backup.
    pub epoch: i64,
    /// The version of the facts.
    pub version: i64,
    /// The data is complete up to and including this day.
    pub complete_through: Day,
    /// ISO 4217 code of the reporting currency.
    pub currency: String,
    /// The catalogue, with SKUs that have not come.
    pub skus: BTreeMap<SkuNumber, SkuHeader>,
    /// Names of services.
    pub services: BTreeMap<ServiceNumber, String>,
    /// Names of partner locations by id.
    pub locations: BTreeMap<String, String>,
}

impl PartnerHeader {
    /// What the rollup needs of the catalogue itself.
    pub fn catalogue(&self) -> Catalogue {
        let known = self.skus.iter().filter(|(_, sku)| sku.known);
        let services = known.map(|(number, sku)| (*number, sku.services.clone())).collect();
        Catalogue { services, ..Catalogue::default() }
    }

    /// The month of `complete_through`, the last that gives rows.
    pub fn last_month(&self) -> Month {
        self.complete_through.month()
    }
}

/// A SKU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SkuHeader {
    /// The catalogue has it.
    pub known: bool,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its product.
    pub product: String,
    /// It is free.
    pub free: bool,
    /// Its services.
    pub services: Vec<ServiceNumber>,
}

/// A customer and its subscriptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerHeader {
    /// Its number within the partner.
    pub number: i64,
    /// Its cell.
    pub cell: i32,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its market.
    pub country: Option<String>,
    /// Its segment.
    pub segment: Option<String>,
    /// Its industry.
    pub industry: Option<String>,
    /// Its domain; personal.
    pub domain: Option<String>,
    /// Its subscriptions with their further parts and what rows by customer and SKU stand for, by number.
    pub subscriptions: Vec<SubscriptionHeader>,
    /// Its support cases, by month.
    pub support_cases: Vec<SupportMonth>,
}

/// Support cases of a customer in one month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SupportMonth {
    /// The month.
    pub month: Month,
    /// All of them.
    pub total: u32,
    /// Those that asked how to do something, as far as the source says.
    pub how_to: u32,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionHeader {
    /// Its number.
    pub number: SubscriptionNumber,
    /// Its id; `customer/sku` for what rows by customer and SKU stand for.
    pub id: String,
    /// How it was sold.
    pub sales_channel: Option<String>,
    /// Azure pricing model.
    pub pricing_model: Option<String>,
    /// Who sold it.
    pub seller: Seller,
    /// Why it belongs to the partner.
    pub attributions: Vec<Attribution>,
    /// First day.
    pub start: Option<Day>,
    /// Last day.
    pub end: Option<Day>,
}
