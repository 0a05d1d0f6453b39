//! How headers of customers and partners are written.

use insights_domain::facts::Seller;
use prost::Message;

use super::body::{AttributionBody, BodyError, read_attributions, write_attributions};
use super::model::{CustomerHeader, LocationHeader, PartnerHeader, ServiceHeader, SkuHeader, SubscriptionHeader};

/// The format written by this version.
const FORMAT: u32 = 1;

#[derive(Clone, PartialEq, Message)]
struct CustomerBody {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(string, tag = "2")]
    customer_id: String,
    #[prost(bool, tag = "3")]
    known: bool,
    #[prost(string, optional, tag = "4")]
    name: Option<String>,
    #[prost(string, optional, tag = "5")]
    country: Option<String>,
    #[prost(string, optional, tag = "6")]
    segment: Option<String>,
    #[prost(string, optional, tag = "7")]
    industry: Option<String>,
    #[prost(message, repeated, tag = "8")]
    subscriptions: Vec<SubscriptionBody>,
    #[prost(uint32, repeated, tag = "9")]
    skus: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct SubscriptionBody {
    #[prost(uint32, tag = "1")]
    number: u32,
    #[prost(string, tag = "2")]
    subscription_id: String,
    #[prost(string, optional, tag = "3")]
    sales_channel: Option<String>,
    #[prost(string, optional, tag = "4")]
    pricing_model: Option<String>,
    #[prost(uint32, tag = "5")]
    seller: u32,
    #[prost(message, repeated, tag = "6")]
    attributions: Vec<AttributionBody>,
}

#[derive(Clone, PartialEq, Message)]
struct PartnerBody {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
    #[prost(string, optional, tag = "3")]
    time_zone: Option<String>,
    #[prost(string, optional, tag = "4")]
    currency: Option<String>,
    #[prost(message, repeated, tag = "5")]
    skus: Vec<SkuBody>,
    #[prost(message, repeated, tag = "6")]
    services: Vec<ServiceBody>,
    #[prost(message, repeated, tag = "7")]
    locations: Vec<LocationBody>,
}

#[derive(Clone, PartialEq, Message)]
struct SkuBody {
    #[prost(uint32, tag = "1")]
    number: u32,
    #[prost(string, tag = "2")]
    sku_id: String,
    #[prost(bool, tag = "3")]
    known: bool,
    #[prost(string, tag = "4")]
    name: String,
    #[prost(string, tag = "5")]
    product: String,
    #[prost(bool, tag = "6")]
    free: bool,
    #[prost(uint32, repeated, tag = "7")]
    services: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct ServiceBody {
    #[prost(uint32, tag = "1")]
    number: u32,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct LocationBody {
    #[prost(string, tag = "1")]
    location_id: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    country: String,
}

/// Bytes of a customer's header. Equal headers give equal bytes.
pub fn write_customer(header: &CustomerHeader) -> Vec<u8> {
    let write = |subscription: &SubscriptionHeader| SubscriptionBody {
        number: subscription.number,
        subscription_id: subscription.subscription_id.clone(),
        sales_channel: subscription.sales_channel.clone(),
        pricing_model: subscription.pricing_model.clone(),
        seller: subscription.seller as u32,
        attributions: write_attributions(&subscription.attributions),
    };
    let body = CustomerBody {
        format: FORMAT,
        customer_id: header.customer_id.clone(),
        known: header.known,
        name: header.name.clone(),
        country: header.country.clone(),
        segment: header.segment.clone(),
        industry: header.industry.clone(),
        subscriptions: header.subscriptions.iter().map(write).collect(),
        skus: header.skus.clone(),
    };
    body.encode_to_vec()
}

/// A customer's header from its bytes.
pub fn read_customer(bytes: &[u8]) -> Result<CustomerHeader, BodyError> {
    let body = CustomerBody::decode(bytes)?;
    if body.format != FORMAT {
        return Err(BodyError::Format(body.format));
    }
    let mut subscriptions = Vec::with_capacity(body.subscriptions.len());
    for subscription in body.subscriptions {
        let seller = Seller::ALL.get(subscription.seller as usize).copied();
        subscriptions.push(SubscriptionHeader {
            number: subscription.number,
            subscription_id: subscription.subscription_id,
            sales_channel: subscription.sales_channel,
            pricing_model: subscription.pricing_model,
            seller: seller.ok_or(BodyError::Damaged("an unknown seller"))?,
            attributions: read_attributions(subscription.attributions),
        });
    }
    Ok(CustomerHeader {
        customer_id: body.customer_id,
        known: body.known,
        name: body.name,
        country: body.country,
        segment: body.segment,
        industry: body.industry,
        subscriptions,
        skus: body.skus,
    })
}

/// Bytes of what concerns a whole partner.
pub fn write_partner(header: &PartnerHeader) -> Vec<u8> {
    let write_sku = |sku: &SkuHeader| SkuBody {
        number: sku.number,
        sku_id: sku.sku_id.clone(),
        known: sku.known,
        name: sku.name.clone(),
        product: sku.product.clone(),
        free: sku.free,
        services: sku.services.clone(),
    };
    let write_service = |service: &ServiceHeader| ServiceBody { number: service.number, name: service.name.clone() };
    let write_location = |location: &LocationHeader| LocationBody {
        location_id: location.location_id.clone(),
        name: location.name.clone(),
        country: location.country.clone(),
    };
    let body = PartnerBody {
        format: FORMAT,
        name: header.name.clone(),
        time_zone: header.time_zone.clone(),
        currency: header.currency.clone(),
        skus: header.skus.iter().map(write_sku).collect(),
        services: header.services.iter().map(write_service).collect(),
        locations: header.locations.iter().map(write_location).collect(),
    };
    body.encode_to_vec()
}

/// What concerns a whole partner from its bytes; no bytes: nothing yet.
pub fn read_partner(bytes: &[u8]) -> Result<PartnerHeader, BodyError> {
    if bytes.is_empty() {
        return Ok(PartnerHeader::default());
    }
    let body = PartnerBody::decode(bytes)?;
    if body.format != FORMAT {
        return Err(BodyError::Format(body.format));
    }
    let read_sku = |sku: SkuBody| SkuHeader {
        number: sku.number,
        sku_id: sku.sku_id,
        known: sku.known,
        name: sku.name,
        product: sku.product,
        free: sku.free,
        services: sku.services,
    };
    let read_location =
        |location: LocationBody| LocationHeader { location_id: location.location_id, name: location.name, country: location.country };
    Ok(PartnerHeader {
        name: body.name,
        time_zone: body.time_zone,
        currency: body.currency,
        skus: body.skus.into_iter().map(read_sku).collect(),
        services: body.services.into_iter().map(|service| ServiceHeader { number: service.number, name: service.name }).collect(),
        locations: body.locations.into_iter().map(read_location).collect(),
    })
}
