//! The distinct customers and services that the facts of a shard name.

use std::collections::HashMap;

use crate::{
    error::Error,
    ids::{CustomerAddress, SurrogateIds},
    records::CheckedActivity,
};

const NO_ID: Error = Error::Internal("a name of the batch has no surrogate id");

/// Surrogate ids by position in the batch's dictionaries.
pub(super) struct ShardDictionary {
    pub customers: Vec<CustomerAddress>,
    pub services: Vec<i32>,
    /// By position in the batch's dictionary.
    pub customer_of: Vec<u32>,
    pub service_of: Vec<u32>,
}

impl ShardDictionary {
    pub(super) fn new(activity: &CheckedActivity, facts: &[u32], ids: &SurrogateIds) -> Result<Self, Error> {
        const UNSEEN: u32 = u32::MAX;
        let mut places = Self {
            customers: Vec::new(),
            services: Vec::new(),
            customer_of: vec![UNSEEN; activity.customers.len()],
            service_of: vec![UNSEEN; activity.services.len()],
        };
        // Two entries of a dictionary may fold to one name.
        let mut customers: HashMap<CustomerAddress, u32> = HashMap::new();
        let mut services: HashMap<i32, u32> = HashMap::new();
        for fact in facts {
            let customer = activity.columns.customer[*fact as usize] as usize;
            if places.customer_of[customer] == UNSEEN {
                let at = *ids.customers.get(&activity.customers[customer]).ok_or(NO_ID)?;
                places.customer_of[customer] = *customers.entry(at).or_insert_with(|| {
                    places.customers.push(at);
                    places.customers.len() as u32 - 1
                });
            }
            let service = activity.columns.service[*fact as usize] as usize;
            if places.service_of[service] == UNSEEN {
                let number = *ids.services.get(&activity.services[service]).ok_or(NO_ID)?;
                places.service_of[service] = *services.entry(number).or_insert_with(|| {
                    places.services.push(number);
                    places.services.len() as u32 - 1
                });
            }
        }
        if places.customers.len() > 1 << 20 || places.services.len() > 1 << 16 {
            return Err(Error::invalid(
                "activity",
                "names more than 1,048,576 customers or 65,536 services in one batch",
            ));
        }
        Ok(places)
    }
}
