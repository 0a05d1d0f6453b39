//! Activity: the facts of a batch are grouped by chunk, their chunks read, merged by OR, and the changed ones written back in one
//! statement. What a chunk is and why: `docs/activity.md`.

use insights_domain::calendar::{Day, Month};

use super::{lower_bound, shard_dictionary::ShardDictionary, user_ids::user_ids};
use crate::{
    error::Error,
    ids::{CustomerAddress, SurrogateIds},
    records::CheckedActivity,
    tables::{
        activity::{self as table, ChunkColumns},
        chunk::{ActivityChunk, BUCKET},
    },
    write::transaction::WriteTransaction,
};

/// Facts of one batch by shard: positions in its columns.
pub(crate) type FactsByShard = std::collections::BTreeMap<i32, Vec<u32>>;

/// Sorts the facts of a batch by the shard of their customer.
pub(crate) fn by_shard(activity: &CheckedActivity, ids: &SurrogateIds) -> FactsByShard {
    let shards: Vec<i32> =
        activity.customers.iter().map(|id| ids.customers.get(id).map_or(0, |customer| customer.shard)).collect();
    let mut sorted = FactsByShard::new();
    // Feeds come sorted by customer, so the last shard is nearly always the next one.
    let mut run: Option<(i32, Vec<u32>)> = None;
    for (position, customer) in (0_u32..).zip(&activity.columns.customer) {
        let shard = shards[*customer as usize];
        match &mut run {
            Some((current, facts)) if *current == shard => facts.push(position),
            _ => {
                if let Some((shard, facts)) = run.take() {
                    sorted.insert(shard, facts);
                }
                let mut facts = sorted.remove(&shard).unwrap_or_default();
                facts.push(position);
                run = Some((shard, facts));
            }
        }
    }
    if let Some((shard, facts)) = run {
        sorted.insert(shard, facts);
    }
    sorted
}

/// The place of a fact in its chunk. The chunk is packed into an integer, so that facts are sorted by it: 20 bits of the customer's
/// place in the batch, 12 of the month since 1900, 32 of the bucket.
struct FactPosition {
    chunk: u64,
    /// The service's place in the batch.
    service: u16,
    place: u8,
    bit: u8,
}

const FIRST_MONTH: i32 = 1900 * 12;

/// Stores the facts of one shard, whose customers are locked.
pub(crate) async fn apply(
    tx: &mut WriteTransaction<'_>,
    shard: i32,
    activity: &CheckedActivity,
    facts: &[u32],
    ids: &SurrogateIds,
) -> Result<(), Error> {
    let places = ShardDictionary::new(activity, facts, ids)?;
    let (pairs, pair_of) = pairs_of(activity, facts, &places);
    let users = user_ids(tx, shard, &pairs).await?;
    let mut spots = Vec::with_capacity(facts.len());
    let mut last = (i32::MIN, 0_u64, 0_u8);
    for (fact, pair) in facts.iter().zip(pair_of) {
        let fact = *fact as usize;
        let day = activity.columns.day[fact];
        if day != last.0 {
            let date = Day::from_epoch_days(day).ok_or(Error::Internal("a checked day is out of range"))?;
            last = (day, (date.month().index() - FIRST_MONTH) as u64, (date.day_of_month() - 1) as u8);
        }
        let user = users[pair as usize].cast_unsigned();
        let customer = u64::from(places.customer_of[activity.columns.customer[fact] as usize]);
        let chunk = customer << 44 | last.1 << 32 | u64::from(user / BUCKET as u32);
        let service = places.service_of[activity.columns.service[fact] as usize] as u16;
        spots.push(FactPosition { chunk, service, place: (user % BUCKET as u32) as u8, bit: last.2 });
    }
    spots.sort_unstable_by_key(|spot| spot.chunk);
    merge(tx, shard, &spots, &places).await?;
    lower_bound::note(tx, activity, facts, &places)
}

/// The (customer, user) pairs of facts, and the position of each fact's pair. Adjacent facts of one user share a pair.
fn pairs_of(activity: &CheckedActivity, facts: &[u32], places: &ShardDictionary) -> (Vec<(i64, u128)>, Vec<u32>) {
    let mut last = (u32::MAX, u32::MAX);
    let mut pairs = Vec::new();
    let mut pair_of = Vec::with_capacity(facts.len());
    for fact in facts {
        let columns = &activity.columns;
        let current = (columns.customer[*fact as usize], columns.user[*fact as usize]);
        if current != last {
            last = current;
            let customer = places.customers[places.customer_of[current.0 as usize] as usize];
            pairs.push((customer.number, activity.users[current.1 as usize]));
        }
        pair_of.push(pairs.len() as u32 - 1);
    }
    (pairs, pair_of)
}

/// What facts add to a service of a chunk.
#[derive(Clone, Copy, Default)]
struct ServiceGain {
    /// Days new to any user.
    days: u32,
    facts: i64,
}

async fn merge(
    tx: &mut WriteTransaction<'_>,
    shard: i32,
    spots: &[FactPosition],
    places: &ShardDictionary,
) -> Result<(), Error> {
    let groups: Vec<&[FactPosition]> = spots.chunk_by(|a, b| a.chunk == b.chunk).collect();
    let unpack = |chunk: u64| {
        (places.customers[(chunk >> 44) as usize], (chunk >> 32 & 0xFFF) as i32 + FIRST_MONTH, chunk as i32)
    };
    let mut keys = ChunkColumns::default();
    for group in &groups {
        let (customer, month, bucket) = unpack(group[0].chunk);
        keys.push(customer.number, month, bucket, Vec::new());
    }
    let stored = table::read(tx.transaction, tx.partner, shard, keys).await?;
    let mut changed = ChunkColumns::default();
    let mut chunk = ActivityChunk::default();
    let mut place_of = ServiceSlots::new(places);
    let mut gains: Vec<ServiceGain> = Vec::new();
    for (group, body) in groups.iter().zip(stored) {
        chunk.read(&body)?;
        let accepted = add(group, &mut chunk, place_of.anew(), &mut gains);
        tx.counts.accepted += accepted;
        tx.counts.duplicates += group.len() as i64 - accepted;
        if accepted == 0 {
            continue;
        }
        let (customer, month, bucket) = unpack(group[0].chunk);
        for (place, gain) in gains.iter().enumerate().filter(|(_, gain)| gain.facts > 0) {
            note(tx, customer, chunk.at(place).0, month, *gain)?;
        }
        if let Some(body) = chunk.encode() {
            changed.push(customer.number, month, bucket, body);
        }
    }
    table::write(tx.transaction, tx.partner, shard, changed).await
}

/// The places of the batch's services in a chunk.
struct ServiceSlots<'a> {
    services: &'a [i32],
    places: Vec<Option<usize>>,
}

impl<'a> ServiceSlots<'a> {
    fn new(places: &'a ShardDictionary) -> Self {
        Self { services: &places.services, places: vec![None; places.services.len()] }
    }

    fn anew(&mut self) -> &mut Self {
        self.places.fill(None);
        self
    }

    fn of(&mut self, service: u16, chunk: &mut ActivityChunk) -> usize {
        let service = usize::from(service);
        *self.places[service].get_or_insert_with(|| chunk.place_of(self.services[service]))
    }
}

/// Adds facts to their chunk. Returns how many were new; `gains` has what they add, by the services' places in the chunk.
fn add(
    facts: &[FactPosition],
    chunk: &mut ActivityChunk,
    places: &mut ServiceSlots<'_>,
    gains: &mut Vec<ServiceGain>,
) -> i64 {
    gains.clear();
    let mut accepted = 0;
    for spot in facts {
        let place = places.of(spot.service, chunk);
        if gains.len() <= place {
            gains.resize(place + 1, ServiceGain::default());
        }
        let (mask, bit) = (&mut chunk.at(place).1[usize::from(spot.place)], 1_u32 << spot.bit);
        if *mask & bit == 0 {
            *mask |= bit;
            gains[place].days |= bit;
            gains[place].facts += 1;
            accepted += 1;
        }
    }
    accepted
}

/// Notes new days of activity of a customer on a service.
fn note(
    tx: &mut WriteTransaction<'_>,
    customer: CustomerAddress,
    service: i32,
    month: i32,
    gain: ServiceGain,
) -> Result<(), Error> {
    let ServiceGain { days, facts } = gain;
    let start = Month::from_index(month).ok_or(Error::Internal("the month of a chunk is out of range"))?.first_day();
    let first = start.plus(days.trailing_zeros().cast_signed()).epoch_days();
    let last = start.plus(31 - days.leading_zeros().cast_signed()).epoch_days();
    let state = tx.locked.get_mut(&customer).ok_or(Error::Internal("a customer of this transaction is not locked"))?;
    let earliest = state.first_activity.entry(service).or_insert(i32::MAX);
    if first < *earliest {
        *earliest = first;
        state.changed = true;
    }
    if state.known {
        tx.changes.note(customer.number, month);
        tx.changes.last_activity = tx.changes.last_activity.max(Some(last));
    } else {
        tx.counts.waiting += facts;
    }
    Ok(())
}
