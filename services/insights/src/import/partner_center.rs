//! Answers of the Partner Center REST API: customers, a customer's subscriptions, a customer's licences.

use std::{collections::HashSet, io::BufRead};

use insights_domain::{calendar::Day, standing::Standing};
use insights_proto::ingestion::v1::{
    CompleteThrough, Customer, Record, ReportedSeats, Sku, Subscription, SubscriptionState, record::Kind,
};

use super::{
    Notes, Options, ReadError, Rejection, Sink, Stopped,
    json::{self, Element},
    products, spool,
    stub::{Fullness, bare_customer, first_sight},
    values::{canonical_id, country, names_free},
};

const LIST: &str = "items";
/// SKUs remembered as named; to forget them costs a stub that changes nothing.
const NAMED: usize = 100_000;
const CUT_SHORT: &str = "the last page names a next one that is not in the file: download all pages";

/// Reads the list of customers. It knows names and domains; what knows more wins over it.
pub(super) fn customers(input: &mut dyn BufRead, options: &Options, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let mut notes = Notes::default();
    let pages = json::each(input, LIST, &mut |element| match customer(&element, &mut notes) {
        Ok(customer) => {
            let fullness = if customer.country.is_some() { Fullness::Known } else { Fullness::Listed };
            let recorded_at = Some(fullness.in_file(options.made));
            sink.record(element.row, Record { recorded_at, kind: Some(Kind::Customer(customer)) })
        }
        Err(rejection) => sink.rejected(rejection),
    })?;
    Ok(finished(notes, &pages))
}

fn customer(element: &Element, notes: &mut Notes) -> Result<Customer, Rejection> {
    let named = element.text("billingProfile.defaultAddress.country");
    let code = named.as_deref().and_then(country);
    if let (Some(named), None) = (&named, &code) {
        notes.unknown_country(named);
    }
    Ok(Customer {
        customer_id: element.id("id")?,
        name: element.text("companyProfile.companyName"),
        country: code,
        domain: element.text("companyProfile.domain"),
        ..Customer::default()
    })
}

/// Reads the subscriptions of a customer.
pub(super) fn subscriptions(
    input: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    let mut of = Customers::new(options)?;
    let mut notes = Notes::default();
    let pages = json::each(input, LIST, &mut |element| match purchase(&element, &of.customer, options.day()) {
        Ok(Purchase { sku, subscription, state, start }) => {
            notes.status(&state.status);
            of.named(&element, sku, Fullness::Listed, sink)?;
            sink.record(element.row, plain(Kind::Subscription(subscription)))?;
            send_state(element.row, state, start, options, sink)
        }
        Err(rejection) => sink.rejected(rejection),
    })?;
    if options.month.is_some() {
        complete_through(options, sink)?;
    }
    Ok(finished(notes, &pages))
}

struct Purchase {
    sku: Sku,
    subscription: Subscription,
    state: SubscriptionState,
    start: Option<Day>,
}

fn purchase(element: &Element, customer: &str, day: Day) -> Result<Purchase, Rejection> {
    let subscription_id = element.id("id")?;
    let status = element.required("status")?;
    let seats = element.required_count("quantity")?;
    // Read all the same: a damaged date is the mark of a damaged row.
    let created = element.day("creationDate")?;
    let start = element.day("effectiveStartDate")?.or(created);
    let end = element.day("commitmentEndDate")?;
    let sku_id = offer(element).ok_or_else(|| element.reject("offerId", "is missing, and so is links.offer"))?;
    let name = element.text("offerName").or_else(|| element.text("friendlyName")).unwrap_or_else(|| sku_id.clone());
    let subscription = Subscription {
        subscription_id: subscription_id.clone(),
        customer_id: customer.to_owned(),
        sku_id: sku_id.clone(),
        trial: element.flag("isTrial").unwrap_or(false),
        auto_renew: element.flag("autoRenewEnabled"),
        start: start.map(|day| day.to_string()),
        end: end.map(|day| day.to_string()),
        ..Subscription::default()
    };
    let state = SubscriptionState {
        subscription_id,
        effective: day.to_string(),
        status,
        seats: Some(seats),
        ..SubscriptionState::default()
    };
    let product = products::product(&name).to_owned();
    let sku = Sku { sku_id, product, free: names_free(&name), name, services: Vec::new() };
    Ok(Purchase { sku, subscription, state, start })
}

/// What was bought, as the subscription itself or its link names it.
fn offer(element: &Element) -> Option<String> {
    let linked = || {
        let uri = element.text("links.offer.uri")?;
        let path = uri.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        path.rsplit('/').next().map(str::to_owned).filter(|offer| !offer.is_empty())
    };
    element.text("offerId").or_else(linked).map(canonical_id)
}

/// Sends a state that holds from the day of the file; on first sight of an active subscription from its start.
pub(super) fn send_state(
    row: u64,
    state: SubscriptionState,
    start: Option<Day>,
    options: &Options,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let is_active = Standing::from_source_word(&state.status) == Standing::Active;
    if let Some(start) = start.filter(|start| is_active && *start < options.day()) {
        let first = SubscriptionState { effective: start.to_string(), ..state.clone() };
        let recorded_at = Some(first_sight(options.seen()));
        sink.record(row, Record { recorded_at, kind: Some(Kind::SubscriptionState(first)) })?;
    }
    sink.record(row, plain(Kind::SubscriptionState(state)))
}

/// Reads the licences of a customer, whoever sold them.
pub(super) fn subscribed_skus(
    input: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    let mut of = Customers::new(options)?;
    let mut notes = Notes::default();
    let pages = json::each(input, LIST, &mut |element| match licences(&element, &of.customer, options, &mut notes) {
        Ok((sku, seats)) => of.report(&element, sku, Fullness::Known, seats, &mut notes, sink),
        Err(rejection) => sink.rejected(rejection),
    })?;
    complete_through(options, sink)?;
    Ok(finished(notes, &pages))
}

fn licences(
    element: &Element,
    customer: &str,
    options: &Options,
    notes: &mut Notes,
) -> Result<(Sku, ReportedSeats), Rejection> {
    let sku_id = element.id("productSku.id")?;
    let part_number = element.text("productSku.skuPartNumber");
    let name = element.text("productSku.name").or_else(|| part_number.clone()).unwrap_or_else(|| sku_id.clone());
    let seats = ReportedSeats {
        customer_id: Some(customer.to_owned()),
        sku_id: Some(sku_id.clone()),
        month: options.day().month().to_string(),
        // `availableUnits` are those nobody has been given.
        available: Some(element.required_count("activeUnits")?),
        assigned: Some(element.required_count("consumedUnits")?),
        status: element.text("capabilityStatus"),
        ..ReportedSeats::default()
    };
    let free = names_free(&name) || part_number.as_deref().is_some_and(names_free);
    let services = services(element.each_text("servicePlans", "serviceName"), notes);
    Ok((Sku { sku_id, product: products::product(&name).to_owned(), free, name, services }, seats))
}

/// The services of service plans, each once.
pub(super) fn services(plans: Vec<String>, notes: &mut Notes) -> Vec<String> {
    let mut services: Vec<String> = plans.into_iter().map(|plan| products::service(plan, notes)).collect();
    services.sort_unstable();
    services.dedup();
    services
}

/// The customer a file is about, and the SKUs named so far.
pub(super) struct Customers {
    pub(super) customer: String,
    made: i64,
    named: HashSet<u64>,
    customer_sent: bool,
}

impl Customers {
    pub(super) fn new(options: &Options) -> Result<Self, ReadError> {
        let customer = options.customer()?;
        Ok(Self { customer, made: options.made, named: HashSet::new(), customer_sent: false })
    }

    /// Sends stubs of the customer and the SKU, each once.
    pub(super) fn named(
        &mut self,
        element: &Element,
        sku: Sku,
        fullness: Fullness,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        self.customer_stub(element.row, sink)?;
        if self.named.len() >= NAMED {
            self.named.clear();
        }
        if self.named.insert(spool::hash(&sku.sku_id)) {
            let recorded_at = Some(fullness.in_file(self.made));
            sink.stub(element.row, Record { recorded_at, kind: Some(Kind::Sku(sku)) })?;
        }
        Ok(())
    }

    pub(super) fn customer_stub(&mut self, row: u64, sink: &mut dyn Sink) -> Result<(), Stopped> {
        if std::mem::replace(&mut self.customer_sent, true) {
            return Ok(());
        }
        sink.stub(row, bare_customer(&self.customer, self.made))
    }

    /// Sends what is reported of a SKU.
    pub(super) fn report(
        &mut self,
        element: &Element,
        sku: Sku,
        fullness: Fullness,
        seats: ReportedSeats,
        notes: &mut Notes,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        if let Some(status) = &seats.status {
            notes.status(status);
        }
        if !sku.free {
            notes.seats(&sku.name, seats.available.unwrap_or(0));
        }
        self.named(element, sku, fullness, sink)?;
        sink.record(element.row, plain(Kind::ReportedSeats(seats)))
    }
}

pub(super) fn complete_through(options: &Options, sink: &mut dyn Sink) -> Result<(), Stopped> {
    let day = options.day().to_string();
    sink.record(1, plain(Kind::CompleteThrough(CompleteThrough { day })))
}

pub(super) fn finished(mut notes: Notes, pages: &json::Pages) -> Notes {
    if pages.cut_short {
        notes.remarks.insert(CUT_SHORT);
    }
    notes
}

pub(super) fn plain(kind: Kind) -> Record {
    Record { recorded_at: None, kind: Some(kind) }
}
