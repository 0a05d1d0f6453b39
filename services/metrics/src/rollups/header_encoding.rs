//! How headers of customers and partners are written.

use std::collections::BTreeSet;

use insights_domain::calendar::{Day, Month};
use insights_domain::coverage::Coverage;
use insights_domain::facts::{Seller, SubscriptionNumber};
use prost::Message;

use super::CellCustomer;
use super::model::{LocationModel, PartnerModel, ReportMonths, ServiceModel, SkuModel, StoredCustomer};
use super::month_encoding::{AttributionBody, BodyError, read_attributions, write_attributions};
use crate::rollups::header::{CustomerHeader, SubscriptionHeader, SupportMonth};

/// The format written by this version.
const FORMAT: u32 = 1;

// House: one field a column of the stored bytes, whose tags cannot be moved into a message of their own.
#[derive(Clone, PartialEq, Message)]
struct CustomerBody {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(string, tag = "2")]
    customer_id: String,
    #[prost(string, optional, tag = "3")]
    domain: Option<String>,
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
    // Support cases by month.
    #[prost(sint32, repeated, tag = "10")]
    support_month: Vec<i32>,
    #[prost(uint32, repeated, tag = "11")]
    support_total: Vec<u32>,
    #[prost(uint32, repeated, tag = "12")]
    support_how_to: Vec<u32>,
    #[prost(message, repeated, tag = "13")]
    reports: Vec<ReportBody>,
}

/// The months of a report: of a customer's rows, or covered by any.
#[derive(Clone, PartialEq, Message)]
struct ReportBody {
    #[prost(string, tag = "1")]
    report: String,
    #[prost(bool, tag = "2")]
    by_sku: bool,
    #[prost(bool, tag = "3")]
    of_customer: bool,
    #[prost(sint32, repeated, tag = "4")]
    months: Vec<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct SubscriptionBody {
    #[prost(uint64, tag = "1")]
    number: u64,
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
    #[prost(sint32, optional, tag = "7")]
    start: Option<i32>,
    #[prost(sint32, optional, tag = "8")]
    end: Option<i32>,
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
    #[prost(sint32, optional, tag = "8")]
    complete_through: Option<i32>,
    #[prost(sint32, optional, tag = "9")]
    last_activity: Option<i32>,
    #[prost(message, repeated, tag = "10")]
    coverage: Vec<ReportBody>,
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

/// Bytes of a customer's header. Equal headers give equal bytes; its cell and number stand in its key.
pub fn write_customer(customer: &StoredCustomer) -> Vec<u8> {
    let write = |subscription: &SubscriptionHeader| SubscriptionBody {
        number: subscription.number.code(),
        subscription_id: subscription.id.clone(),
        sales_channel: subscription.sales_channel.clone(),
        pricing_model: subscription.pricing_model.clone(),
        seller: subscription.seller.code().into(),
        attributions: write_attributions(&subscription.attributions),
        start: subscription.start.map(Day::epoch_days),
        end: subscription.end.map(Day::epoch_days),
    };
    let header = &customer.header;
    let body = CustomerBody {
        format: FORMAT,
        customer_id: header.id.clone(),
        domain: header.domain.clone(),
        name: header.name.clone(),
        country: header.country.clone(),
        segment: header.segment.clone(),
        industry: header.industry.clone(),
        subscriptions: header.subscriptions.iter().map(write).collect(),
        skus: customer.skus.clone(),
        support_month: header.support_cases.iter().map(|cases| cases.month.index()).collect(),
        support_total: header.support_cases.iter().map(|cases| cases.total).collect(),
        support_how_to: header.support_cases.iter().map(|cases| cases.how_to).collect(),
        reports: customer.reports.iter().map(write_report).collect(),
    };
    body.encode_to_vec()
}

fn write_report(report: &ReportMonths) -> ReportBody {
    ReportBody {
        report: report.report.clone(),
        by_sku: report.by_sku,
        of_customer: report.of_customer,
        months: report.months.iter().map(|month| month.index()).collect(),
    }
}

fn read_report(body: ReportBody) -> Result<ReportMonths, BodyError> {
    let month = |index: &i32| Month::from_index(*index).ok_or(BodyError::Damaged("a month out of range"));
    Ok(ReportMonths {
        months: body.months.iter().map(month).collect::<Result<_, _>>()?,
        report: body.report,
        by_sku: body.by_sku,
        of_customer: body.of_customer,
    })
}

/// A customer from its key and bytes.
pub fn read_customer(key: CellCustomer, bytes: &[u8]) -> Result<StoredCustomer, BodyError> {
    let body = CustomerBody::decode(bytes)?;
    if body.format != FORMAT {
        return Err(BodyError::Format(body.format));
    }
    let support_cases = read_support(&body)?;
    let reports = body.reports.into_iter().map(read_report).collect::<Result<_, _>>()?;
    let header = CustomerHeader {
        number: key.customer,
        cell: key.cell,
        id: body.customer_id,
        name: body.name,
        country: body.country,
        segment: body.segment,
        industry: body.industry,
        domain: body.domain,
        subscriptions: body.subscriptions.into_iter().map(read_subscription).collect::<Result<_, _>>()?,
        support_cases,
    };
    Ok(StoredCustomer { header, skus: body.skus, reports })
}

fn read_support(body: &CustomerBody) -> Result<Vec<SupportMonth>, BodyError> {
    let columns = [&body.support_total, &body.support_how_to];
    if columns.iter().any(|column| column.len() != body.support_month.len()) {
        return Err(BodyError::Damaged("columns of different length"));
    }
    let rows = body.support_month.iter().zip(&body.support_total).zip(&body.support_how_to);
    rows.map(|((month, total), how_to)| {
        let month = Month::from_index(*month).ok_or(BodyError::Damaged("a month out of range"))?;
        Ok(SupportMonth { month, total: *total, how_to: *how_to })
    })
    .collect()
}

fn read_subscription(body: SubscriptionBody) -> Result<SubscriptionHeader, BodyError> {
    let seller = Seller::from_code(body.seller);
    Ok(SubscriptionHeader {
        number: SubscriptionNumber::from_code(body.number),
        id: body.subscription_id,
        sales_channel: body.sales_channel,
        pricing_model: body.pricing_model,
        seller: seller.ok_or(BodyError::Damaged("an unknown seller"))?,
        attributions: read_attributions(body.attributions),
        start: read_day(body.start)?,
        end: read_day(body.end)?,
    })
}

fn read_day(days: Option<i32>) -> Result<Option<Day>, BodyError> {
    days.map(|days| Day::from_epoch_days(days).ok_or(BodyError::Damaged("a day out of range"))).transpose()
}

/// Bytes of what concerns a whole partner.
pub fn write_partner(model: &PartnerModel) -> Vec<u8> {
    let write_sku = |sku: &SkuModel| SkuBody {
        number: sku.number,
        sku_id: sku.sku_id.clone(),
        known: sku.known,
        name: sku.name.clone(),
        product: sku.product.clone(),
        free: sku.free,
        services: sku.services.clone(),
    };
    let write_service = |service: &ServiceModel| ServiceBody { number: service.number, name: service.name.clone() };
    let write_location = |location: &LocationModel| LocationBody {
        location_id: location.location_id.clone(),
        name: location.name.clone(),
        country: location.country.clone(),
    };
    let body = PartnerBody {
        format: FORMAT,
        name: model.name.clone(),
        time_zone: model.time_zone.clone(),
        currency: model.currency.clone(),
        skus: model.skus.iter().map(write_sku).collect(),
        services: model.services.iter().map(write_service).collect(),
        locations: model.locations.iter().map(write_location).collect(),
        complete_through: model.complete_through.map(Day::epoch_days),
        last_activity: model.last_activity.map(Day::epoch_days),
        coverage: model.coverage.reports().map(write_coverage).collect(),
    };
    body.encode_to_vec()
}

fn write_coverage((report, by_sku, months): (&str, bool, &BTreeSet<Month>)) -> ReportBody {
    let months = months.iter().map(|month| month.index()).collect();
    ReportBody { report: report.to_owned(), by_sku, of_customer: false, months }
}

fn read_coverage(bodies: Vec<ReportBody>) -> Result<Coverage, BodyError> {
    let mut coverage = Coverage::default();
    for body in bodies {
        let ReportMonths { report, by_sku, months, .. } = read_report(body)?;
        months.into_iter().for_each(|month| coverage.add(&report, by_sku, month));
    }
    Ok(coverage)
}

/// What concerns a whole partner from its bytes; no bytes: nothing yet.
pub fn read_partner(bytes: &[u8]) -> Result<PartnerModel, BodyError> {
    if bytes.is_empty() {
        return Ok(PartnerModel::default());
    }
    let body = PartnerBody::decode(bytes)?;
    if body.format != FORMAT {
        return Err(BodyError::Format(body.format));
    }
    let read_sku = |sku: SkuBody| SkuModel {
        number: sku.number,
        sku_id: sku.sku_id,
        known: sku.known,
        name: sku.name,
        product: sku.product,
        free: sku.free,
        services: sku.services,
    };
    let read_location = |location: LocationBody| LocationModel {
        location_id: location.location_id,
        name: location.name,
        country: location.country,
    };
    Ok(PartnerModel {
        name: body.name,
        time_zone: body.time_zone,
        currency: body.currency,
        skus: body.skus.into_iter().map(read_sku).collect(),
        services: body
            .services
            .into_iter()
            .map(|service| ServiceModel { number: service.number, name: service.name })
            .collect(),
        locations: body.locations.into_iter().map(read_location).collect(),
        complete_through: read_day(body.complete_through)?,
        last_activity: read_day(body.last_activity)?,
        coverage: read_coverage(body.coverage)?,
    })
}
