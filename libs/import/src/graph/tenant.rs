//! Answers of Microsoft Graph about a customer's tenant: subscribedSkus and directory subscriptions.

use std::io::BufRead;

use insights_domain::ids::{canonical_id, is_guid};
use insights_proto::ingestion::v1::{Precedence, ReportedSeats, Sku, Subscription, SubscriptionState};

use crate::product_names;
use crate::reader::{Notes, ReadError, ReadOptions, Rejection, Sink};
use crate::shared::by_use::names_azure_plan;
use crate::shared::lists::{self, Held, ListSource, services};
use crate::text::element::Element;
use crate::text::values::names_free;

/// A partner's own list of subscriptions knows better whose they are and under which offer.
const fn graph(source: &'static str) -> ListSource {
    ListSource { source, list: "value", sku: Precedence::Named, subscription: Some(Precedence::Listed) }
}

const OWN_UNKNOWN: &str = "own and other sellers cannot be told apart without the partner's own tenant (--own-tenant): \
    subscriptions that a partner made are taken for another's";
/// What stands where there is no id.
const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Reads subscribedSkus: the licences of a tenant, whoever sold them.
pub(crate) fn subscribed_skus(
    input: &mut dyn BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    lists::licences((input, options, sink), &graph("graph-subscribed-skus"), |element, customer, notes| {
        licences(element, customer, options, notes)
    })
}

fn licences(
    element: &Element,
    customer: &str,
    options: &ReadOptions,
    notes: &mut Notes,
) -> Result<(Sku, ReportedSeats), Rejection> {
    let sku = sku(element, "servicePlans", notes)?;
    let seats = ReportedSeats {
        customer_id: Some(customer.to_owned()),
        sku_id: Some(element.id("skuId")?),
        month: options.day().month().to_string(),
        // Suspended and locked units are not available, warning ones where grace is included.
        available: Some(if names_azure_plan(&sku.name) {
            0
        } else {
            element.required_count("prepaidUnits.enabled")?
        }),
        grace: lists::grace(element.count("prepaidUnits.warning")?),
        assigned: Some(element.required_count("consumedUnits")?),
        status: element.text("capabilityStatus"),
        ..lists::of_customer()
    };
    Ok((sku, seats))
}

/// A SKU as Graph knows it: by part number and service plans.
fn sku(element: &Element, plans: &str, notes: &mut Notes) -> Result<Sku, Rejection> {
    let sku_id = element.id("skuId")?;
    let name = element.text("skuPartNumber").unwrap_or_else(|| sku_id.clone());
    let services = services(element, plans, "servicePlanName", notes);
    Ok(Sku { sku_id, product: product_names::product(&name).to_owned(), free: names_free(&name), name, services })
}

/// Reads directory subscriptions: all subscriptions of a tenant, whoever sold them, with trial and standing.
pub(crate) fn subscriptions(
    input: &mut dyn BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    lists::subscriptions((input, options, sink), &graph("graph-subscriptions"), |element, customer, notes| {
        held(element, customer, options, notes)
    })
}

fn held(element: &Element, customer: &str, options: &ReadOptions, notes: &mut Notes) -> Result<Held, Rejection> {
    let commerce = element.text("commerceSubscriptionId").map(|id| canonical_id(&id)).filter(|id| id != NO_ID);
    let subscription_id = commerce.map_or_else(|| element.id("id"), Ok)?;
    let status = element.required("status")?;
    let created = element.day("createdDateTime", options.dates, notes);
    let trial = element.flag("isTrial");
    let sku = sku(element, "serviceStatus", notes)?;
    let paid_by_use = names_azure_plan(&sku.name);
    let seats = if paid_by_use { 0 } else { element.required_count("totalLicenses")? };
    let subscription = Subscription {
        subscription_id: subscription_id.clone(),
        customer_id: customer.to_owned(),
        sku_id: sku.sku_id.clone(),
        seller: Some(seller(element, options, notes).to_owned()),
        trial: trial.unwrap_or(false),
        paid_by_use,
        start: created.map(|day| day.to_string()),
        ..Subscription::default()
    };
    let state = SubscriptionState {
        subscription_id,
        effective: options.day().to_string(),
        status,
        seats: Some(seats),
        // So that a subscription known by its offer is known by its SKU as well.
        sku_id: Some(sku.sku_id.clone()),
        trial,
    };
    Ok(Held { sku, subscription, state, start: created })
}

/// Who made the subscription: the partner itself, another partner, or the customer.
fn seller(element: &Element, options: &ReadOptions, notes: &mut Notes) -> &'static str {
    let owner = element.text("ownerTenantId").map(|id| canonical_id(&id));
    let Some(owner) = owner.filter(|id| id != NO_ID) else { return "direct" };
    let own = canonical_id(options.own_tenant.as_deref().unwrap_or_default());
    if own == owner {
        return "own";
    }
    if !is_guid(&own) {
        notes.remarks.insert(OWN_UNKNOWN);
    }
    "other"
}
