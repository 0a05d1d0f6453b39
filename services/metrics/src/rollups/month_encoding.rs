//! How rollups are written: messages with packed columns and a format version, compared byte by byte.

use insights_domain::amount::Amount;
use insights_domain::facts::{Attribution, Seller, SubscriptionNumber};
use insights_domain::rollup::{MonthRollup, Reported, SubscriptionMonth, UsageMonth, UserClass};
use insights_domain::standing::Standing;
use prost::Message;

/// The format written by this version.
const FORMAT: u32 = 1;

/// Why a stored body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The bytes are no such message.
    #[error("a rollup's body is damaged: {0}")]
    Decode(#[from] prost::DecodeError),
    /// Columns or values contradict each other.
    #[error("a rollup's body is damaged: {0}")]
    Damaged(&'static str),
    /// Written by another version.
    #[error("a rollup's body has format {0}, which this version does not read")]
    Format(u32),
}

// House: one field a column of the stored bytes, whose tags cannot be moved into a message of their own.
#[derive(Clone, PartialEq, Message)]
struct MonthBody {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(uint64, repeated, tag = "2")]
    subscription: Vec<u64>,
    #[prost(uint32, repeated, tag = "3")]
    sku: Vec<u32>,
    #[prost(uint32, repeated, tag = "4")]
    flags: Vec<u32>,
    #[prost(uint32, repeated, tag = "5")]
    seats: Vec<u32>,
    #[prost(uint32, repeated, tag = "6")]
    assigned: Vec<u32>,
    #[prost(uint32, repeated, tag = "7")]
    active: Vec<u32>,
    #[prost(uint32, repeated, tag = "8")]
    active_assigned: Vec<u32>,
    /// Attributions, revenue and seats in grace of the row at a position; few rows have any of their own.
    #[prost(message, repeated, tag = "9")]
    details: Vec<DetailBody>,
    #[prost(uint32, repeated, tag = "10")]
    active_services: Vec<u32>,
    #[prost(uint32, repeated, tag = "11")]
    class_users: Vec<u32>,
    /// Five lengths per class: active services, held, held before, licensed, licensed before.
    #[prost(uint32, repeated, tag = "12")]
    class_lengths: Vec<u32>,
    /// The lists of all classes, one after the other.
    #[prost(uint32, repeated, tag = "13")]
    class_items: Vec<u32>,
    #[prost(message, repeated, tag = "14")]
    usage: Vec<UsageBody>,
    /// Written since it is known; a month without was written before or has none.
    #[prost(uint32, repeated, tag = "15")]
    lower_bound_services: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct DetailBody {
    #[prost(uint32, tag = "1")]
    position: u32,
    #[prost(message, repeated, tag = "2")]
    attributions: Vec<AttributionBody>,
    #[prost(string, repeated, tag = "3")]
    currencies: Vec<String>,
    #[prost(sint64, repeated, tag = "4")]
    micros: Vec<i64>,
    #[prost(uint32, tag = "5")]
    grace: u32,
}

#[derive(Clone, PartialEq, Message)]
struct UsageBody {
    #[prost(uint32, tag = "1")]
    service: u32,
    #[prost(uint32, optional, tag = "2")]
    active_users: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    total_users: Option<u32>,
    #[prost(message, repeated, tag = "4")]
    attributions: Vec<AttributionBody>,
    #[prost(bool, tag = "5")]
    carried: bool,
}

/// An attribution, in months and headers.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AttributionBody {
    #[prost(string, optional, tag = "1")]
    location: Option<String>,
    #[prost(string, optional, tag = "2")]
    kind: Option<String>,
}

pub(super) fn write_attributions(attributions: &[Attribution]) -> Vec<AttributionBody> {
    let write = |attribution: &Attribution| AttributionBody {
        location: attribution.location.clone(),
        kind: attribution.kind.clone(),
    };
    attributions.iter().map(write).collect()
}

pub(super) fn read_attributions(bodies: Vec<AttributionBody>) -> Vec<Attribution> {
    bodies.into_iter().map(|body| Attribution { location: body.location, kind: body.kind }).collect()
}

/// Bytes of a month. Equal months give equal bytes.
pub fn write_month(month: &MonthRollup) -> Vec<u8> {
    let mut body = MonthBody {
        format: FORMAT,
        active_services: month.active_services.clone(),
        lower_bound_services: month.lower_bound_services.clone(),
        ..MonthBody::default()
    };
    for (position, row) in (0..).zip(&month.subscriptions) {
        body.subscription.push(row.subscription.code());
        body.sku.push(row.sku);
        body.flags.push(flags(row));
        body.seats.push(row.seats);
        body.assigned.push(row.assigned);
        body.active.push(row.active);
        body.active_assigned.push(row.active_assigned);
        if !row.attributions.is_empty() || !row.revenue.is_empty() || row.grace > 0 {
            let (currencies, micros) =
                row.revenue.iter().map(|(currency, amount)| (currency.clone(), amount.micros())).unzip();
            body.details.push(DetailBody {
                position,
                attributions: write_attributions(&row.attributions),
                currencies,
                micros,
                grace: row.grace,
            });
        }
    }
    for class in &month.classes {
        body.class_users.push(class.users);
        write_list(&mut body, class.active_services.iter().copied());
        write_list(&mut body, class.held.iter().map(held_code));
        write_list(&mut body, class.held_before.iter().map(held_code));
        write_list(&mut body, class.licensed.iter().copied());
        write_list(&mut body, class.licensed_before.iter().copied());
    }
    for usage in &month.reported_usage {
        body.usage.push(UsageBody {
            service: usage.service,
            active_users: usage.active_users,
            total_users: usage.total_users,
            carried: usage.carried,
            attributions: write_attributions(&usage.attributions),
        });
    }
    body.encode_to_vec()
}

/// Users hold whole subscriptions, whose codes are below 2³².
fn held_code(number: &SubscriptionNumber) -> u32 {
    u32::try_from(number.whole().code()).unwrap_or(u32::MAX)
}

fn write_list(body: &mut MonthBody, items: impl Iterator<Item = u32>) {
    let before = body.class_items.len();
    body.class_items.extend(items);
    // A customer has far fewer subscriptions and services than 2³².
    body.class_lengths.push(u32::try_from(body.class_items.len() - before).unwrap_or(u32::MAX));
}

/// A month from its bytes.
pub fn read_month(bytes: &[u8]) -> Result<MonthRollup, BodyError> {
    let body = MonthBody::decode(bytes)?;
    if body.format != FORMAT {
        return Err(BodyError::Format(body.format));
    }
    let mut subscriptions = read_subscriptions(&body)?;
    for detail in body.details {
        let row =
            subscriptions.get_mut(detail.position as usize).ok_or(BodyError::Damaged("a detail without its row"))?;
        row.grace = detail.grace;
        row.attributions = read_attributions(detail.attributions);
        row.revenue = detail.currencies.into_iter().zip(detail.micros.into_iter().map(Amount::from_micros)).collect();
    }
    let classes = read_classes(&body.class_users, &body.class_lengths, &body.class_items)?;
    let read_usage = |usage: UsageBody| UsageMonth {
        service: usage.service,
        active_users: usage.active_users,
        total_users: usage.total_users,
        carried: usage.carried,
        attributions: read_attributions(usage.attributions),
    };
    let reported_usage = body.usage.into_iter().map(read_usage).collect();
    Ok(MonthRollup {
        subscriptions,
        classes,
        active_services: body.active_services,
        lower_bound_services: body.lower_bound_services,
        reported_usage,
    })
}

fn read_subscriptions(body: &MonthBody) -> Result<Vec<SubscriptionMonth>, BodyError> {
    let rows = body.subscription.len();
    let columns = [&body.sku, &body.flags, &body.seats, &body.assigned, &body.active, &body.active_assigned];
    if columns.iter().any(|column| column.len() != rows) {
        return Err(BodyError::Damaged("columns of different length"));
    }
    let read = |row: usize| {
        let flags = body.flags[row];
        SubscriptionMonth {
            subscription: SubscriptionNumber::from_code(body.subscription[row]),
            sku: body.sku[row],
            standing: Standing::from_code((flags & 7) as u8),
            trial: flags & TRIAL != 0,
            has_state: flags & HAS_STATE != 0,
            seats: body.seats[row],
            grace: 0,
            assigned: body.assigned[row],
            active: body.active[row],
            active_assigned: body.active_assigned[row],
            reported: Reported {
                seats: flags & REPORTED_SEATS != 0,
                assigned: flags & REPORTED_ASSIGNED != 0,
                active: flags & REPORTED_ACTIVE != 0,
            },
            carried: flags & CARRIED != 0,
            active_unknown: flags & ACTIVE_UNKNOWN != 0,
            seller: (flags >> SELLER & SELLERS).checked_sub(1).and_then(Seller::from_code),
            attributions: Vec::new(),
            revenue: Vec::new(),
        }
    };
    Ok((0..rows).map(read).collect())
}

fn read_classes(users: &[u32], lengths: &[u32], items: &[u32]) -> Result<Vec<UserClass>, BodyError> {
    if lengths.len() != users.len() * 5 {
        return Err(BodyError::Damaged("classes without their lengths"));
    }
    let mut rest = items;
    let mut take = |length: u32| {
        let (list, after) =
            rest.split_at_checked(length as usize).ok_or(BodyError::Damaged("classes longer than their lists"))?;
        rest = after;
        Ok::<_, BodyError>(list.to_vec())
    };
    let numbers = |codes: Vec<u32>| codes.into_iter().map(|code| SubscriptionNumber::from_code(code.into())).collect();
    let mut classes = Vec::with_capacity(users.len());
    for (users, lengths) in users.iter().zip(lengths.chunks_exact(5)) {
        classes.push(UserClass {
            active_services: take(lengths[0])?,
            held: numbers(take(lengths[1])?),
            held_before: numbers(take(lengths[2])?),
            licensed: take(lengths[3])?,
            licensed_before: take(lengths[4])?,
            users: *users,
        });
    }
    Ok(classes)
}

const TRIAL: u32 = 1 << 3;
const HAS_STATE: u32 = 1 << 4;
const REPORTED_SEATS: u32 = 1 << 5;
const REPORTED_ASSIGNED: u32 = 1 << 6;
const REPORTED_ACTIVE: u32 = 1 << 7;
/// Three bits from this one on: 0 for no seller of its own, else the seller's code + 1.
const SELLER: u32 = 8;
const SELLERS: u32 = 7;
const CARRIED: u32 = 1 << 11;
const ACTIVE_UNKNOWN: u32 = 1 << 12;

/// The standing in the lowest three bits, then what is or is not.
fn flags(row: &SubscriptionMonth) -> u32 {
    let switches = [
        (TRIAL, row.trial),
        (HAS_STATE, row.has_state),
        (REPORTED_SEATS, row.reported.seats),
        (REPORTED_ASSIGNED, row.reported.assigned),
        (REPORTED_ACTIVE, row.reported.active),
        (CARRIED, row.carried),
        (ACTIVE_UNKNOWN, row.active_unknown),
    ];
    let set = switches.iter().filter(|(_, on)| *on).fold(0, |flags, (bit, _)| flags | bit);
    let seller = row.seller.map_or(0, |seller| u32::from(seller.code()) + 1);
    u32::from(row.standing.code()) | set | (seller << SELLER)
}

#[cfg(test)]
#[path = "encoding_tests.rs"]
mod tests;
