//! Activity of one day, as the product takes it and as COPY does.

use bytes::{BufMut, Bytes, BytesMut};
use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{ActivityColumns, IngestBatchRequest};

use crate::feed_partner::{FeedPartner, SERVICES, customer_id, user_id, uses};

/// One batch: what the product gets in a message, COPY gets in a transaction.
pub struct Batch {
    /// For the product.
    pub request: IngestBatchRequest,
    /// For COPY: customer, user and service as integers and the day, in PostgreSQL's binary format.
    pub copy: Bytes,
    /// How many facts.
    pub facts: usize,
}

/// The facts of a day, sorted by customer, in batches.
pub fn day(partner: &FeedPartner, day: Day, size: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut open = Open::new(day);
    for (customer, (first, end)) in (0_u32..).zip(&partner.users) {
        for user in *first..*end {
            for service in (0..SERVICES.len()).filter(|service| uses(user, *service, day)) {
                open.push(customer, user, service);
                if open.facts() == size {
                    batches.push(std::mem::replace(&mut open, Open::new(day)).close());
                }
            }
        }
    }
    if open.facts() > 0 {
        batches.push(open.close());
    }
    batches
}

/// A batch of a few facts of users anywhere.
pub fn few(partner: &FeedPartner, day: Day, number: u64, size: usize) -> IngestBatchRequest {
    let mut open = Open::new(day);
    for (customer, user, service) in few_facts(partner, number, size) {
        open.push(customer, user, service);
    }
    open.close().request
}

/// Customer, user and service of the facts of such a batch.
pub fn few_facts(partner: &FeedPartner, number: u64, size: usize) -> impl Iterator<Item = (u32, u32, usize)> {
    (0..size as u64).map(move |fact| {
        let what = number << 20 | fact;
        let customer = crate::dice::die(11, what, partner.users.len() as u32);
        let (first, end) = partner.users[customer as usize];
        let user = first + crate::dice::die(12, what, end - first);
        (customer, user, crate::dice::die(13, what, SERVICES.len() as u32) as usize)
    })
}

struct Open {
    day: Day,
    columns: ActivityColumns,
    copy: BytesMut,
    last: (Option<u32>, Option<u32>),
}

/// 2000-01-01, from which PostgreSQL counts days.
const POSTGRES_EPOCH: i32 = 10_957;

impl Open {
    fn new(day: Day) -> Self {
        let services = SERVICES.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut copy = BytesMut::new();
        copy.put_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        Self { day, columns: ActivityColumns { services, ..ActivityColumns::default() }, copy, last: (None, None) }
    }

    fn facts(&self) -> usize {
        self.columns.day.len()
    }

    fn push(&mut self, customer: u32, user: u32, service: usize) {
        let columns = &mut self.columns;
        if self.last.0 != Some(customer) {
            columns.customers.push(customer_id(customer));
        }
        if self.last.1 != Some(user) {
            columns.users.push(user_id(user));
        }
        self.last = (Some(customer), Some(user));
        columns.customer.push(columns.customers.len() as u32 - 1);
        columns.user.push(columns.users.len() as u32 - 1);
        columns.service.push(service as u32);
        columns.day.push(self.day.epoch_days());
        self.copy.put_i16(4);
        for number in [customer as i32, user as i32, service as i32, self.day.epoch_days() - POSTGRES_EPOCH] {
            self.copy.put_i32(4);
            self.copy.put_i32(number);
        }
    }

    fn close(mut self) -> Batch {
        self.copy.put_i16(-1);
        let facts = self.facts();
        let request = IngestBatchRequest { activity: Some(self.columns), ..IngestBatchRequest::default() };
        Batch { request, copy: self.copy.freeze(), facts }
    }
}
