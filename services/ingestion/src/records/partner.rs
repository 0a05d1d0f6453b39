//! Records that concern the whole partner.

use std::str::FromStr;

use chrono_tz::Tz;
use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{CompleteThrough, Location, Partner, Retract, Sku};
use prost::Message;

use super::{
    Checks, In, Violation,
    fact::{EVERY_DAY, Fact, FactKind, FactOwner, KeyPrefix, Retracted, Retraction},
};

const MOST_SERVICES: usize = 200;

fn whole(kind: FactKind, prefix: KeyPrefix, tail: Vec<u8>, body: Vec<u8>) -> Fact {
    Fact { kind, owner: FactOwner::Partner, prefix, sku: None, services: Vec::new(), tail, day: EVERY_DAY, body }
}

impl TryFrom<In<'_, Partner>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, Partner>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("partner", context);
        let name = checks.optional_text("name", record.name);
        let time_zone = record.time_zone.map(|zone| zone.trim().to_owned()).filter(|zone| !zone.is_empty());
        if time_zone.as_ref().is_some_and(|zone| Tz::from_str(zone).is_err()) {
            checks.wrong("time_zone", "must be an IANA time zone, such as Europe/Berlin");
        }
        let currency = record.currency.filter(|code| !code.trim().is_empty());
        let currency = currency.map(|code| checks.currency("currency", &code));
        let body = Partner { name, time_zone, currency }.encode_to_vec();
        checks.finish(whole(FactKind::Partner, KeyPrefix::None, Vec::new(), body))
    }
}

impl TryFrom<In<'_, Location>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, Location>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("location", context);
        let record = Location {
            location_id: checks.id("location_id", &record.location_id),
            name: checks.text("name", &record.name),
            country: checks.country("country", &record.country),
        };
        let tail = record.location_id.clone().into_bytes();
        checks.finish(whole(FactKind::Location, KeyPrefix::None, tail, record.encode_to_vec()))
    }
}

impl TryFrom<In<'_, Sku>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, Sku>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("sku", context);
        let sku_id = checks.id("sku_id", &record.sku_id);
        let mut services: Vec<String> = Vec::with_capacity(record.services.len());
        if record.services.len() > MOST_SERVICES {
            checks.wrong("services", format!("must have at most {MOST_SERVICES} entries"));
        } else {
            for (position, name) in record.services.iter().enumerate() {
                services.push(checks.service(&format!("services[{position}]"), name));
            }
        }
        services.sort();
        services.dedup();
        let record = Sku {
            sku_id: sku_id.clone(),
            name: checks.text("name", &record.name),
            product: checks.text("product", &record.product),
            services: services.clone(),
            free: record.free,
        };
        let fact = whole(FactKind::Sku, KeyPrefix::OwnSku, Vec::new(), record.encode_to_vec());
        checks.finish(Fact { sku: Some(sku_id), services, ..fact })
    }
}

impl TryFrom<In<'_, CompleteThrough>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, CompleteThrough>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("complete_through", context);
        // A day after today counts as today.
        let day = checks.day("day", &record.day).map(|day| day.min(context.today));
        let number = day.map_or(0, Day::epoch_days);
        let fact = whole(FactKind::CompleteThrough, KeyPrefix::None, number.to_be_bytes().to_vec(), Vec::new());
        checks.finish(Fact { day: number, ..fact })
    }
}

impl TryFrom<In<'_, Retract>> for Retraction {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, Retract>) -> Result<Self, Self::Error> {
        const WHAT: &str = "must be one of activity, subscription_state, assignment, licensed, revenue, support_cases, \
                            reported_seats, reported_usage, complete_through, whole_list";
        let mut checks = Checks::new("retract", context);
        let what = match record.what.trim() {
            "activity" => Some(Retracted::Activity),
            "subscription_state" => Some(Retracted::Facts(FactKind::State)),
            "assignment" => Some(Retracted::Facts(FactKind::Assignment)),
            "licensed" => Some(Retracted::Facts(FactKind::Licensed)),
            "revenue" => Some(Retracted::Facts(FactKind::Revenue)),
            "support_cases" => Some(Retracted::Facts(FactKind::SupportCases)),
            "reported_seats" => Some(Retracted::Facts(FactKind::ReportedSeats)),
            "reported_usage" => Some(Retracted::Facts(FactKind::ReportedUsage)),
            "complete_through" => Some(Retracted::Facts(FactKind::CompleteThrough)),
            "whole_list" => Some(Retracted::Lists),
            _ => None,
        };
        if what.is_none() {
            checks.wrong("what", WHAT);
        }
        let of_customers = what == Some(Retracted::Lists) && record.customer_id.trim().is_empty();
        let rows = matches!(what, Some(Retracted::Facts(FactKind::ReportedSeats | FactKind::ReportedUsage)));
        let before = record.recorded_before.and_then(|time| checks.recorded_before(time, rows));
        let everybody = rows && before.is_some() && record.customer_id.trim().is_empty();
        let of_partner = what == Some(Retracted::Facts(FactKind::CompleteThrough)) || of_customers || everybody;
        let customer = if of_partner { String::new() } else { checks.id("customer_id", &record.customer_id) };
        let service = record.service.filter(|name| !name.trim().is_empty());
        let has_service = matches!(
            what,
            None | Some(Retracted::Activity | Retracted::Facts(FactKind::Licensed | FactKind::ReportedUsage))
        );
        if service.is_some() && !has_service {
            checks.wrong("service", "is only for activity, licensed and reported_usage");
        }
        let service = service.map(|name| checks.service("service", &name));
        let report = checks.optional_text("report", record.report);
        if report.is_some() && what != Some(Retracted::Facts(FactKind::ReportedSeats)) {
            checks.wrong("report", "is only for reported_seats");
        }
        let from = checks.past_day("from", &record.from_day);
        let to = checks.day("to", &record.to_day);
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            checks.wrong("to", "must not lie before `from`");
        }
        let (Some(what), Some(from), Some(to)) = (what, from, to) else { return Err(checks.into_violations()) };
        checks.finish(Self { what, customer, service, from, to, report, before })
    }
}
