//! Whole lists, and parts of lists.

use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::WholeList;
use prost::Message;

use super::{
    Checks, In, Violation,
    fact::{Fact, FactKind, FactOwner, KeyPrefix},
};

/// Most ids of one list: a record must fit into a message.
const MOST_IDS: usize = 50_000;

impl TryFrom<In<'_, WholeList>> for Fact {
    type Error = Vec<Violation>;

    fn try_from(In { record, context }: In<'_, WholeList>) -> Result<Self, Self::Error> {
        let mut checks = Checks::new("whole_list", context);
        let source = checks.id("source", &record.source);
        let kind = match record.what.trim() {
            "subscriptions" => FactKind::SubscriptionList,
            "skus" => FactKind::SkuList,
            "customers" => FactKind::CustomerList,
            _ => {
                checks.wrong("what", "must be one of subscriptions, skus, customers");
                FactKind::SubscriptionList
            }
        };
        let of_customers = kind == FactKind::CustomerList;
        let owner = if of_customers && record.customer_id.trim().is_empty() {
            FactOwner::Partner
        } else {
            FactOwner::Customer(checks.id("customer_id", &record.customer_id))
        };
        let day = checks.past_day("day", &record.day).map_or(0, Day::epoch_days);
        if of_customers && record.part {
            checks.wrong(
                "part",
                "is not for customers: a list of them is a part until a record without customer_id comes",
            );
        }
        let mut ids = Vec::new();
        if of_customers && !record.ids.is_empty() {
            checks.wrong("ids", "must be empty where customers are listed: each is a record with its customer_id");
        } else if record.ids.len() > MOST_IDS {
            checks.wrong("ids", format!("must have at most {MOST_IDS} entries"));
        } else {
            ids = (0..).zip(&record.ids).map(|(at, id)| checks.id(&format!("ids[{at}]"), id)).collect();
        }
        ids.sort_unstable();
        ids.dedup();
        let mut tail = source_key(&source);
        // So that keys are sorted by day, those before 1970 too.
        tail.extend((day ^ i32::MIN).to_be_bytes());
        let body = WholeList { source, part: record.part, ids, ..WholeList::default() }.encode_to_vec();
        if record.part {
            // Parts of one list stand beside each other.
            tail.extend(&blake3::hash(&body).as_bytes()[..8]);
        }
        checks.finish(Self { kind, owner, prefix: KeyPrefix::None, sku: None, services: Vec::new(), tail, day, body })
    }
}

/// What the keys of a source's lists begin with; the day follows.
fn source_key(source: &str) -> Vec<u8> {
    // An id holds no control character.
    let mut key = source.as_bytes().to_vec();
    key.push(0);
    key
}
