//! The users of one customer and month: what each did and held, and the classes they fall into.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::calendar::{Window, WindowDays};
use crate::facts::{Catalogue, CustomerFacts, ServiceNumber, SkuNumber, SubscriptionFacts, UserNumber};
use crate::rollup::{UserClass, UserSeats};

/// The last day of a window, as its bit.
const SNAPSHOT: WindowDays = 1 << (crate::calendar::WINDOW_DAYS - 1);

/// One user's window: days by service used, days by subscription held (by position), days by service licensed.
#[derive(Default)]
struct UserWindow {
    active: Vec<(ServiceNumber, WindowDays)>,
    held: Vec<(usize, WindowDays)>,
    licensed: Vec<(ServiceNumber, WindowDays)>,
}

/// All users of one customer in one window.
pub(crate) struct UserMonth<'a> {
    users: HashMap<UserNumber, UserWindow>,
    subscriptions: &'a [(&'a SubscriptionFacts, SkuNumber)],
    seats: Vec<UserSeats>,
}

impl<'a> UserMonth<'a> {
    /// Subscriptions come with their SKU in force at the window's end.
    pub(crate) fn new(
        facts: &CustomerFacts,
        catalogue: &Catalogue,
        window: Window,
        subscriptions: &'a [(&'a SubscriptionFacts, SkuNumber)],
    ) -> Self {
        let mut users: HashMap<UserNumber, UserWindow> = HashMap::new();
        for activity in &facts.activity {
            let days = window.cut(activity.month, activity.days);
            if days != 0 {
                unite(&mut users.entry(activity.user).or_default().active, activity.service, days);
            }
        }
        for (position, (subscription, _)) in subscriptions.iter().enumerate() {
            for assignment in &subscription.assignments {
                let days = window.between(assignment.from, assignment.to);
                if days != 0 {
                    unite(&mut users.entry(assignment.user).or_default().held, position, days);
                }
            }
        }
        for licence in &facts.licences {
            let days = window.between(licence.from, licence.to);
            if days != 0 {
                unite(&mut users.entry(licence.user).or_default().licensed, licence.service, days);
            }
        }
        let mut month = Self { users, subscriptions, seats: vec![UserSeats::default(); subscriptions.len()] };
        month.count_seats(catalogue);
        month
    }

    fn count_seats(&mut self, catalogue: &Catalogue) {
        for user in self.users.values() {
            for (position, held) in &user.held {
                let services = catalogue.services.get(&self.subscriptions[*position].1).map_or(&[][..], Vec::as_slice);
                let used = user
                    .active
                    .iter()
                    .filter(|(service, _)| services.contains(service))
                    .fold(0, |days, (_, more)| days | more);
                let seats = &mut self.seats[*position];
                let assigned = held & SNAPSHOT != 0;
                let active = held & used != 0;
                seats.assigned += u32::from(assigned);
                seats.active += u32::from(active);
                seats.active_assigned += u32::from(active && assigned);
            }
        }
    }

    /// UserSeats of the subscription at `position`.
    pub(crate) fn seats(&self, position: usize) -> UserSeats {
        self.seats[position]
    }

    /// Services anybody used in the window.
    pub(crate) fn active_services(&self) -> Vec<ServiceNumber> {
        let services: BTreeSet<_> =
            self.users.values().flat_map(|user| user.active.iter().map(|(service, _)| *service)).collect();
        services.into_iter().collect()
    }

    /// The users by class, sorted.
    pub(crate) fn into_classes(self) -> Vec<UserClass> {
        let mut classes: BTreeMap<UserClass, u32> = BTreeMap::new();
        for user in self.users.into_values() {
            let (licensed, licensed_before) = now_and_before(&user.licensed);
            let (held, held_before) = now_and_before(&user.held);
            let numbers = |positions: Vec<usize>| {
                let mut numbers: Vec<_> =
                    positions.into_iter().map(|position| self.subscriptions[position].0.number).collect();
                numbers.sort_unstable();
                numbers
            };
            let mut active_services: Vec<_> = user.active.iter().map(|(service, _)| *service).collect();
            active_services.sort_unstable();
            let class = UserClass {
                active_services,
                held: numbers(held),
                held_before: numbers(held_before),
                licensed,
                licensed_before,
                users: 0,
            };
            *classes.entry(class).or_default() += 1;
        }
        classes.into_iter().map(|(class, users)| UserClass { users, ..class }).collect()
    }
}

/// Adds days to a key's; the days of one key unite.
fn unite<K: PartialEq>(days_by_key: &mut Vec<(K, WindowDays)>, key: K, days: WindowDays) {
    match days_by_key.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known |= days,
        None => days_by_key.push((key, days)),
    }
}

/// Keys held on the snapshot day, and those held only before it; each sorted.
fn now_and_before<K: Copy + Ord>(days_by_key: &[(K, WindowDays)]) -> (Vec<K>, Vec<K>) {
    let (mut now, mut before) = (Vec::new(), Vec::new());
    for (key, days) in days_by_key {
        if days & SNAPSHOT == 0 { before.push(*key) } else { now.push(*key) }
    }
    now.sort_unstable();
    before.sort_unstable();
    (now, before)
}
