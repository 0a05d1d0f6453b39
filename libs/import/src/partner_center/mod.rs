//! Answers of the Partner Center REST API: customers, a customer's subscriptions, a customer's licences.

use std::io::BufRead;

use insights_domain::ids::canonical_id;
use insights_proto::ingestion::v1::{
    Customer, Precedence, ReportedSeats, Sku, Subscription, SubscriptionState, record::Kind,
};

use crate::product_names;
use crate::reader::{Notes, ReadError, ReadOptions, Rejection, Sink};
use crate::shared::by_use::{means_use, names_azure_plan};
use crate::shared::lists::{self, Held, ListSource, finished, services};
use crate::shared::provisional::of_file;
use crate::text::values::{country, names_free};
use crate::text::{element::Element, json};

const LIST: &str = "items";
/// Words of the status in the order of their numbers, which the .NET library and PowerShell write.
const STATUSES: [&str; 7] = ["none", "active", "suspended", "deleted", "expired", "pending", "disabled"];
/// Ways of billing, likewise.
const BILLING: [&str; 3] = ["none", "usage", "license"];
const BY_OFFER: &str = "subscriptions are known by their offers: over all sellers they count beside the licences that \
    pc-subscribed-skus and graph-subscribed-skus list of the same customer, until graph-subscriptions says which SKU each is";

/// Reads the list of customers. It knows names and domains; what knows more wins over it.
pub(crate) fn customers(
    input: &mut dyn BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    let mut notes = Notes::default();
    let mut rejected = false;
    let pages = json::each(input, LIST, &mut |element| match customer(&element, &mut notes) {
        Ok(customer) => {
            let precedence = if customer.country.is_some() { Precedence::Known } else { Precedence::Listed };
            let named = lists::of_customers("pc-customers", &customer.customer_id, options);
            sink.record(element.row, of_file(precedence, options.made, Kind::Customer(customer)))?;
            sink.record(element.row, named)
        }
        Err(rejection) => {
            rejected = true;
            sink.rejected(rejection)
        }
    })?;
    lists::all_customers("pc-customers", rejected, &pages, (options, sink), &mut notes)?;
    Ok(finished(notes, &pages))
}

fn customer(element: &Element, notes: &mut Notes) -> Result<Customer, Rejection> {
    let named = element.text("billingProfile.defaultAddress.country");
    let code = named.as_deref().and_then(country);
    if let (Some(named), None) = (&named, &code) {
        notes.unknown_country(named);
    }
    Ok(Customer {
        customer_id: element.id_or("id", "customerId")?,
        name: element.text("companyProfile.companyName").or_else(|| element.text("name")),
        country: code,
        domain: element.text("companyProfile.domain").or_else(|| element.text("domain")),
        ..Customer::default()
    })
}

/// Reads the subscriptions of a customer.
pub(crate) fn subscriptions(
    input: &mut dyn BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    let service = ListSource { source: "pc-subscriptions", list: LIST, sku: Precedence::Listed, subscription: None };
    lists::subscriptions((input, options, sink), &service, |element, customer, notes| {
        notes.remarks.insert(BY_OFFER);
        purchase(element, customer, options, notes)
    })
}

fn purchase(element: &Element, customer: &str, options: &ReadOptions, notes: &mut Notes) -> Result<Held, Rejection> {
    let subscription_id = element.id_or("id", "subscriptionId")?;
    let status = element.word("status", &STATUSES)?;
    let created = element.day("creationDate", options.dates, notes);
    let start = element.day("effectiveStartDate", options.dates, notes).or(created);
    let end = element.day("commitmentEndDate", options.dates, notes);
    let sku_id = offer(element).ok_or_else(|| element.reject("offerId", "is missing, and so is links.offer"))?;
    let name = element.text("offerName").or_else(|| element.text("friendlyName")).unwrap_or_else(|| sku_id.clone());
    let billing = element.word("billingType", &BILLING).ok();
    let paid_by_use =
        element.text("unitType").into_iter().chain(billing).any(|word| means_use(&word)) || names_azure_plan(&name);
    let seats = if paid_by_use { 0 } else { element.required_count("quantity")? };
    let trial = element.flag("isTrial");
    let subscription = Subscription {
        subscription_id: subscription_id.clone(),
        customer_id: customer.to_owned(),
        sku_id: sku_id.clone(),
        trial: trial.unwrap_or(false),
        paid_by_use,
        auto_renew: element.flag("autoRenewEnabled"),
        start: start.map(|day| day.to_string()),
        end: end.map(|day| day.to_string()),
        ..Subscription::default()
    };
    let state = SubscriptionState {
        subscription_id,
        effective: options.day().to_string(),
        status,
        seats: Some(seats),
        // So that a trial that was bought was a trial until then, in whatever order the files come.
        trial,
        ..SubscriptionState::default()
    };
    let product = product_names::product(&name).to_owned();
    let sku = Sku { sku_id, product, free: names_free(&name), name, services: Vec::new() };
    Ok(Held { sku, subscription, state, start })
}

/// What was bought, as the subscription itself or its link names it.
fn offer(element: &Element) -> Option<String> {
    let linked = || {
        let uri = element.text("links.offer.uri")?;
        let path = uri.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        path.rsplit('/').next().map(str::to_owned).filter(|offer| !offer.is_empty())
    };
    element.text("offerId").or_else(linked).map(|id| canonical_id(&id))
}

/// Reads the licences of a customer, whoever sold them.
pub(crate) fn subscribed_skus(
    input: &mut dyn BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    let service = ListSource { source: "pc-subscribed-skus", list: LIST, sku: Precedence::Known, subscription: None };
    lists::licences((input, options, sink), &service, |element, customer, notes| {
        licences(element, customer, options, notes)
    })
}

fn licences(
    element: &Element,
    customer: &str,
    options: &ReadOptions,
    notes: &mut Notes,
) -> Result<(Sku, ReportedSeats), Rejection> {
    let sku_id = element.id_or("productSku.id", "skuId")?;
    let part_number = element.text("productSku.skuPartNumber").or_else(|| element.text("skuPartNumber"));
    let named = element.text("productSku.name").or_else(|| element.text("productName"));
    let name = named.or_else(|| part_number.clone()).unwrap_or_else(|| sku_id.clone());
    let seats = ReportedSeats {
        customer_id: Some(customer.to_owned()),
        sku_id: Some(sku_id.clone()),
        month: options.day().month().to_string(),
        // `availableUnits` are those nobody has been given.
        available: Some(if names_azure_plan(&name) { 0 } else { element.required_count("activeUnits")? }),
        grace: lists::grace(element.count("warningUnits")?),
        assigned: Some(element.required_count("consumedUnits")?),
        status: element.text("capabilityStatus"),
        ..lists::of_customer()
    };
    let free = names_free(&name) || part_number.as_deref().is_some_and(names_free);
    let services = services(element, "servicePlans", "serviceName", notes);
    Ok((Sku { sku_id, product: product_names::product(&name).to_owned(), free, name, services }, seats))
}
