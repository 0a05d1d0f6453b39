//! Lists of what one customer has, page by page: licences and subscriptions, whichever service answered.

use std::{collections::HashSet, io::BufRead};

use insights_domain::{
    calendar::Day,
    ids::{canonical_id, is_guid},
    standing::Standing,
};
use insights_proto::ingestion::v1::{
    CompleteThrough, Precedence, Record, ReportedSeats, Sku, Subscription, SubscriptionState, WholeList, record::Kind,
};

use prost_types::Timestamp;

use crate::product_names;
use crate::reader::{Notes, ReadError, ReadOptions, Rejection, Sink, Stopped};
use crate::shared::provisional::{bare_customer, of_file, on_first_sight};
use crate::text::spool;
use crate::text::{element::Element, json};

/// SKUs remembered as named; to forget them costs a stub that changes nothing.
const NAMED: usize = 100_000;
pub(crate) const CUT_SHORT: &str = "the last page names a next one that is not in the file: download all pages";

const CUT_OFF: &str =
    "the service plans are not in it, because ConvertTo-Json goes two levels deep only: add -Depth 10";

const NOT_WHOLE: &str =
    "rows were rejected or pages are missing, so nothing is taken for gone because the file lacks it";
const TWICE: &str = "the list names something more than once: the last of its rows counts";
const OF_ANOTHER: &str = "the list says that it is of another tenant than the customer it is imported for: if the customer has no \
    other id of its own, this is somebody else's list, and --customer wants theirs";
/// Most ids of a list that is sent.
const MOST_IDS: usize = 50_000;

/// What sets the answers of one service apart.
pub(crate) struct ListSource {
    /// What tells its lists from those of others.
    pub(crate) source: &'static str,
    /// The member that holds the list.
    pub(crate) list: &'static str,
    /// How much it knows of a SKU.
    pub(crate) sku: Precedence,
    /// How much it knows of a subscription; all: it is the service that sold it.
    pub(crate) subscription: Option<Precedence>,
}

/// Reads licences: SKUs and their seats in the month.
pub(crate) fn licences(
    (input, options, sink): (&mut dyn BufRead, &ReadOptions, &mut dyn Sink),
    service: &ListSource,
    read: impl Fn(&Element, &str, &mut Notes) -> Result<(Sku, ReportedSeats), Rejection>,
) -> Result<Notes, ReadError> {
    let mut of = OfCustomer::new(options)?;
    let mut notes = Notes::default();
    let mut listed = NamedIds::default();
    let pages = json::each(input, service.list, &mut |element| match read(&element, &of.customer, &mut notes) {
        Ok((sku, seats)) => {
            of.compared(tenant(&element), &mut notes);
            listed.ids.push(sku.sku_id.clone());
            if let Some(status) = &seats.status {
                notes.status(status);
            }
            notes.seats(&sku.name, sku.free, seats.available.unwrap_or(0));
            of.named(&element, sku, service.sku, sink)?;
            sink.record(element.row, plain(Kind::ReportedSeats(seats)))
        }
        Err(rejection) => listed.reject(rejection, sink),
    })?;
    of.compared(customer_of_link(&pages.context), &mut notes);
    listed.send((service.source, "skus", &of.customer), &pages, options, sink, &mut notes)?;
    complete_through(options, sink)?;
    Ok(finished(notes, &pages))
}

/// A row of a list of one customer's licences, whichever service answered.
pub(crate) fn of_customer() -> ReportedSeats {
    ReportedSeats { report: Some("subscribed-skus".into()), of_customer: true, ..ReportedSeats::default() }
}

/// Units in grace, if there are any.
pub(crate) fn grace(units: Option<i64>) -> Option<i64> {
    units.filter(|units| *units > 0)
}

/// A subscription as a list has it.
pub(crate) struct Held {
    pub(crate) sku: Sku,
    pub(crate) subscription: Subscription,
    /// In force from the day of the file.
    pub(crate) state: SubscriptionState,
    /// Since when it is there.
    pub(crate) start: Option<Day>,
}

/// Reads subscriptions with their states.
pub(crate) fn subscriptions(
    (input, options, sink): (&mut dyn BufRead, &ReadOptions, &mut dyn Sink),
    service: &ListSource,
    read: impl Fn(&Element, &str, &mut Notes) -> Result<Held, Rejection>,
) -> Result<Notes, ReadError> {
    let mut of = OfCustomer::new(options)?;
    let mut notes = Notes::default();
    let mut listed = NamedIds::default();
    let pages = json::each(input, service.list, &mut |element| match read(&element, &of.customer, &mut notes) {
        Ok(Held { sku, subscription, state, start }) => {
            of.compared(tenant(&element), &mut notes);
            listed.ids.push(subscription.subscription_id.clone());
            notes.status(&state.status);
            notes.seats(&sku.name, sku.free, state.seats.unwrap_or(0));
            of.named(&element, sku, service.sku, sink)?;
            let subscription = Kind::Subscription(subscription);
            match service.subscription {
                None => sink.record(element.row, plain(subscription))?,
                Some(precedence) => sink.stub(element.row, of_file(precedence, options.made, subscription))?,
            }
            send_state(element.row, state, start, options, sink)
        }
        Err(rejection) => listed.reject(rejection, sink),
    })?;
    of.compared(customer_of_link(&pages.context), &mut notes);
    listed.send((service.source, "subscriptions", &of.customer), &pages, options, sink, &mut notes)?;
    if options.month.is_some() {
        complete_through(options, sink)?;
    }
    Ok(finished(notes, &pages))
}

/// Says that a list of customers names one. All who are named on a day are named by the list of that day, for it may come in
/// several files.
pub(crate) fn of_customers(source: &str, customer_id: &str, options: &ReadOptions) -> Record {
    let day = options.day();
    let list = WholeList {
        source: source.to_owned(),
        what: "customers".to_owned(),
        customer_id: customer_id.to_owned(),
        day: day.to_string(),
        ..WholeList::default()
    };
    let recorded_at = Some(Timestamp { seconds: i64::from(day.epoch_days()) * 86_400, nanos: 0 });
    Record { recorded_at, kind: Some(Kind::WholeList(list)), ..Record::default() }
}

/// Says that a list of customers named all there are, where it did, and how far the data goes where the file is of a month.
pub(crate) fn all_customers(
    source: &str,
    rejected: bool,
    pages: &json::Pages,
    (options, sink): (&ReadOptions, &mut dyn Sink),
    notes: &mut Notes,
) -> Result<(), Stopped> {
    if rejected || !pages.is_whole() {
        notes.remarks.insert(NOT_WHOLE);
    } else {
        sink.record(1, of_customers(source, "", options))?;
    }
    if options.month.is_some() { complete_through(options, sink) } else { Ok(()) }
}

/// What a list names.
#[derive(Default)]
struct NamedIds {
    ids: Vec<String>,
    rejected: bool,
}

impl NamedIds {
    fn reject(&mut self, rejection: Rejection, sink: &mut dyn Sink) -> Result<(), Stopped> {
        self.rejected = true;
        sink.rejected(rejection)
    }

    /// Says what the list names, and whether that is all there is. Last, so that a file that breaks off ends nothing.
    fn send(
        mut self,
        (source, what, customer): (&str, &str, &str),
        pages: &json::Pages,
        options: &ReadOptions,
        sink: &mut dyn Sink,
        notes: &mut Notes,
    ) -> Result<(), Stopped> {
        self.ids.sort_unstable();
        let named = self.ids.len();
        self.ids.dedup();
        if self.ids.len() < named {
            notes.remarks.insert(TWICE);
        }
        let part = self.rejected || !pages.is_whole() || self.ids.len() > MOST_IDS;
        if part {
            notes.remarks.insert(NOT_WHOLE);
        }
        if part && self.ids.is_empty() {
            return Ok(());
        }
        for ids in self.ids.chunks(MOST_IDS).map(<[String]>::to_vec).chain(self.ids.is_empty().then(Vec::new)) {
            let list = WholeList {
                source: source.to_owned(),
                what: what.to_owned(),
                customer_id: customer.to_owned(),
                day: options.day().to_string(),
                ids,
                part,
            };
            sink.record(1, plain(Kind::WholeList(list)))?;
        }
        Ok(())
    }
}

/// Sends a state that holds from the day of the file; on first sight of an active subscription from its start.
fn send_state(
    row: u64,
    state: SubscriptionState,
    start: Option<Day>,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let is_active = Standing::from_source_word(&state.status) == Standing::Active;
    if let Some(start) = start.filter(|start| is_active && *start < options.day()) {
        let first = SubscriptionState { effective: start.to_string(), ..state.clone() };
        sink.record(row, on_first_sight(options.seen(), Kind::SubscriptionState(first)))?;
    }
    sink.record(row, plain(Kind::SubscriptionState(state)))
}

/// The services of service plans, each once.
pub(crate) fn services(element: &Element, list: &str, name: &str, notes: &mut Notes) -> Vec<String> {
    if element.is_cut_off(list) {
        notes.remarks.insert(CUT_OFF);
    }
    let plans = element.each_text(list, name);
    let mut services: Vec<String> = plans.into_iter().map(|plan| product_names::service(plan, notes)).collect();
    services.sort_unstable();
    services.dedup();
    services
}

/// The customer a file is about, and the SKUs named so far.
struct OfCustomer {
    customer: String,
    made: i64,
    named: HashSet<u64>,
    customer_sent: bool,
}

impl OfCustomer {
    fn new(options: &ReadOptions) -> Result<Self, ReadError> {
        let customer = options.customer()?;
        Ok(Self { customer, made: options.made, named: HashSet::new(), customer_sent: false })
    }

    /// Sends stubs of the customer and the SKU, each once.
    fn named(
        &mut self,
        element: &Element,
        sku: Sku,
        precedence: Precedence,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        self.customer_stub(element.row, sink)?;
        if self.named.len() >= NAMED {
            self.named.clear();
        }
        if self.named.insert(spool::hash(&sku.sku_id)) {
            sink.stub(element.row, of_file(precedence, self.made, Kind::Sku(sku)))?;
        }
        Ok(())
    }

    /// Notes where a list or an element of it says whose it is, and that is not the customer.
    fn compared(&self, tenant: Option<String>, notes: &mut Notes) {
        let tenant = tenant.filter(|tenant| is_guid(tenant) && is_guid(&self.customer) && *tenant != self.customer);
        notes.remarks.extend(tenant.map(|_| OF_ANOTHER));
    }

    fn customer_stub(&mut self, row: u64, sink: &mut dyn Sink) -> Result<(), Stopped> {
        if std::mem::replace(&mut self.customer_sent, true) {
            return Ok(());
        }
        sink.stub(row, bare_customer(&self.customer, self.made))
    }
}

/// The tenant that an element says it is of: Graph begins ids of licences with it, Partner Center has it in links.
fn tenant(element: &Element) -> Option<String> {
    let of_id = || element.text("id")?.split_once('_').map(|(tenant, _)| canonical_id(tenant));
    of_id().or_else(|| customer_of_link(&element.text("links.self.uri")?))
}

/// The customer that a link of Partner Center begins with.
fn customer_of_link(link: &str) -> Option<String> {
    let link = link.to_ascii_lowercase();
    link.split_once("customers/")?.1.split('/').next().map(canonical_id)
}

fn complete_through(options: &ReadOptions, sink: &mut dyn Sink) -> Result<(), Stopped> {
    let day = options.day().to_string();
    sink.record(1, plain(Kind::CompleteThrough(CompleteThrough { day })))
}

pub(crate) fn finished(mut notes: Notes, pages: &json::Pages) -> Notes {
    if pages.cut_short {
        notes.remarks.insert(CUT_SHORT);
    }
    notes
}

fn plain(kind: Kind) -> Record {
    Record { kind: Some(kind), ..Record::default() }
}
