//! What followers see, with names in the place of numbers, so that two ways to one state can be compared.

use std::collections::{BTreeMap, BTreeSet};

use insights_proto::ingestion::v1::{
    GetPartnerFactsRequest, GetPartnerFactsResponse, StreamFactsRequest, StreamFactsResponse,
};

use super::{PARTNER, Service};

/// Everything a follower can know of a partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    pub partner: BTreeSet<String>,
    /// Facts by customer id; users are told apart by all that is said of them.
    pub customers: BTreeMap<String, BTreeSet<String>>,
}

impl World {
    pub fn customer(&self, id: &str) -> &BTreeSet<String> {
        self.customers.get(id).unwrap_or_else(|| panic!("customer {id} of {:?}", self.customers.keys()))
    }

    /// Whether some fact of the customer contains the words.
    pub fn says(&self, customer: &str, words: &str) -> bool {
        self.customers.get(customer).is_some_and(|facts| facts.iter().any(|fact| fact.contains(words)))
    }
}

impl Service {
    pub async fn partner_facts(&self) -> GetPartnerFactsResponse {
        let request = self.as_service(GetPartnerFactsRequest { partner: PARTNER.to_owned(), as_of: None });
        self.feed().get_partner_facts(request).await.unwrap().into_inner()
    }

    /// Facts of customers (none named: all), parts put together.
    pub async fn facts(&self, customers: Vec<i64>, first_activity_month: i32) -> Vec<StreamFactsResponse> {
        let request = StreamFactsRequest { partner: PARTNER.to_owned(), customers, first_activity_month, as_of: None };
        let mut stream = self.feed().stream_facts(self.as_service(request)).await.unwrap().into_inner();
        let mut whole: Vec<StreamFactsResponse> = Vec::new();
        let mut open = false;
        while let Some(part) = stream.message().await.unwrap() {
            let last = part.last;
            if open {
                let before = whole.last_mut().unwrap();
                assert_eq!(before.customer, part.customer, "parts of a customer follow each other");
                before.subscriptions.extend(part.subscriptions);
                before.states.extend(part.states);
                before.assignments.extend(part.assignments);
                before.licences.extend(part.licences);
                before.activity.extend(part.activity);
                before.revenue.extend(part.revenue);
                before.support_cases.extend(part.support_cases);
                before.reported_seats.extend(part.reported_seats);
                before.reported_usage.extend(part.reported_usage);
                before.absences.extend(part.absences);
            } else {
                whole.push(part);
            }
            open = !last;
        }
        assert!(!open, "the last part says so");
        whole
    }

    pub async fn world(&self) -> World {
        let partner = self.partner_facts().await;
        let mut world = World::default();
        let skus: BTreeMap<u32, String> =
            partner.skus.iter().map(|sku| (sku.number, sku.sku.clone().unwrap().sku_id)).collect();
        let services: BTreeMap<u32, String> =
            partner.services.iter().map(|service| (service.number, service.name.clone())).collect();
        for sku in &partner.skus {
            let carried: BTreeSet<&String> = sku.services.iter().map(|no| &services[no]).collect();
            world.partner.insert(format!("sku {} {:?} {carried:?}", sku.known, sku.sku));
        }
        world.partner.extend(partner.locations.iter().map(|location| format!("{location:?}")));
        world.partner.insert(format!("settings {:?}", partner.settings));
        world.partner.insert(format!("through {:?} last {:?}", partner.complete_through, partner.last_activity));
        for facts in self.facts(Vec::new(), 0).await {
            world.customers.insert(facts.customer_id.clone(), customer(&facts, &skus, &services));
        }
        world
    }
}

fn customer(
    facts: &StreamFactsResponse,
    skus: &BTreeMap<u32, String>,
    services: &BTreeMap<u32, String>,
) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    let mut users: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    let ids: BTreeMap<u32, String> = facts
        .subscriptions
        .iter()
        .map(|subscription| (subscription.number, subscription.subscription.clone().unwrap().subscription_id))
        .collect();
    set.insert(format!("{:?}", facts.attributes));
    for subscription in &facts.subscriptions {
        set.insert(format!("on {} {:?}", skus[&subscription.sku], subscription.subscription));
    }
    for state in &facts.states {
        let sku = if state.sku == 0 { "own" } else { &skus[&state.sku] };
        let id = &ids[&state.subscription];
        set.insert(format!("state {id} {} {} {} {sku} {:?}", state.effective, state.status, state.seats, state.trial));
    }
    for held in &facts.assignments {
        let fact = format!("holds {} {} {:?}", ids[&held.subscription], held.from_day, held.to_day);
        users.entry(held.user).or_default().insert(fact);
    }
    for licence in &facts.licences {
        let fact = format!("licensed {} {} {:?}", services[&licence.service], licence.from_day, licence.to_day);
        users.entry(licence.user).or_default().insert(fact);
    }
    for activity in &facts.activity {
        for (user, days) in activity.user.iter().zip(&activity.days) {
            let fact = format!("active {} {} {days:b}", services[&activity.service], activity.month);
            users.entry(*user).or_default().insert(fact);
        }
    }
    for first in &facts.first_activity {
        set.insert(format!("first {} {}", services[&first.service], first.day));
    }
    set.extend(facts.revenue.iter().map(|revenue| format!("{revenue:?}")));
    set.extend(facts.support_cases.iter().map(|cases| format!("{cases:?}")));
    set.extend(facts.reported_seats.iter().map(|seats| format!("{seats:?}")));
    set.extend(facts.reported_usage.iter().map(|usage| format!("{usage:?}")));
    let mut sorted: Vec<String> = users.into_values().map(|facts| format!("user {facts:?}")).collect();
    sorted.sort();
    set.extend(sorted.into_iter().enumerate().map(|(place, user)| format!("{place} {user}")));
    set
}
