//! The customers and services of one shard's facts.

use std::collections::HashMap;

use crate::{
    error::Error,
    ids::{CustomerKey, SurrogateIds},
    records::CheckedActivity,
};

/// The distinct customers and services of one shard's facts.
pub(super) struct ShardDictionary {
    pub customers: Vec<CustomerKey>,
    pub services: Vec<i32>,
    /// By position in the batch's dictionary.
    pub customer_of: Vec<u32>,
    pub service_of: Vec<u32>,
}

impl ShardDictionary {
    pub(super) fn new(activity: &CheckedActivity, facts: &[u32], numbers: &SurrogateIds) -> Result<Self, Error> {
        const UNSEEN: u32 = u32::MAX;
        let mut places = Self {
            customers: Vec::new(),
            services: Vec::new(),
            customer_of: vec![UNSEEN; activity.customers.len()],
            service_of: vec![UNSEEN; activity.services.len()],
        };
        // Two entries of a dictionary may be one after folding.
        let mut customers: HashMap<CustomerKey, u32> = HashMap::new();
        let mut services: HashMap<i32, u32> = HashMap::new();
        for fact in facts {
            let customer = activity.columns.customer[*fact as usize] as usize;
            if places.customer_of[customer] == UNSEEN {
                let at = *numbers.customers.get(&activity.customers[customer]).ok_or(Error::Moved)?;
                places.customer_of[customer] = *customers.entry(at).or_insert_with(|| {
                    places.customers.push(at);
                    places.customers.len() as u32 - 1
                });
            }
            let service = activity.columns.service[*fact as usize] as usize;
            if places.service_of[service] == UNSEEN {
                let number = *numbers.services.get(&activity.services[service]).ok_or(Error::Moved)?;
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
