//! What is kept of a customer and of a partner beside the months.

use insights_domain::facts::{Attribution, Catalogue, Seller, ServiceNumber, SkuNumber};

/// A customer as of now: its attributes apply to every month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerHeader {
    /// Its id.
    pub customer_id: String,
    /// The customer itself has come; until then it has no months.
    pub known: bool,
    /// Its name.
    pub name: Option<String>,
    /// Its market.
    pub country: Option<String>,
    /// Its segment.
    pub segment: Option<String>,
    /// Its industry.
    pub industry: Option<String>,
    /// Its subscriptions, by number.
    pub subscriptions: Vec<SubscriptionHeader>,
    /// Every SKU its facts name, sorted: who is to be rolled up again when a SKU changes.
    pub skus: Vec<SkuNumber>,
}

/// A subscription as of now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionHeader {
    /// Its number within the partner.
    pub number: u32,
    /// Its id.
    pub subscription_id: String,
    /// How it was sold.
    pub sales_channel: Option<String>,
    /// Azure pricing model.
    pub pricing_model: Option<String>,
    /// Who sold it.
    pub seller: Seller,
    /// Why it belongs to the partner.
    pub attributions: Vec<Attribution>,
}

/// What concerns all customers of a partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartnerHeader {
    /// The partner's name.
    pub name: Option<String>,
    /// IANA name of its time zone.
    pub time_zone: Option<String>,
    /// ISO 4217 code of its reporting currency.
    pub currency: Option<String>,
    /// The SKUs, by number; also those that have not come and that something names.
    pub skus: Vec<SkuHeader>,
    /// The services, by number.
    pub services: Vec<ServiceHeader>,
    /// The offices, by id.
    pub locations: Vec<LocationHeader>,
}

/// A SKU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SkuHeader {
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
pub struct ServiceHeader {
    /// Its number.
    pub number: ServiceNumber,
    /// Its name.
    pub name: String,
}

/// An office of the partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocationHeader {
    /// Its id.
    pub location_id: String,
    /// Its name.
    pub name: String,
    /// Its country.
    pub country: String,
}

impl PartnerHeader {
    /// The catalogue as the rollup reads it: the SKUs that have come.
    pub fn catalogue(&self) -> Catalogue {
        let come = self.skus.iter().filter(|sku| sku.known);
        Catalogue { services: come.map(|sku| (sku.number, sku.services.clone())).collect() }
    }

    /// The reporting currency; default USD.
    pub fn currency(&self) -> &str {
        self.currency.as_deref().unwrap_or("USD")
    }
}
