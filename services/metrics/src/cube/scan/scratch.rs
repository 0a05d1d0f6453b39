//! Buffers of a scan, used again for each customer.

use crate::cube::compile::keys::GroupKey;
use crate::cube::scan::users::UserGroups;
use crate::cube::scan::window::Months;

/// Months in which a customer counts in a group, and those in which a report alone shows it active or should.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountedMonths {
    pub counted: Months,
    pub active_by_report: Months,
    /// Those of which nobody knows whether a report would show it active.
    pub active_unknown: Months,
}

/// Buffers of the customer being read.
#[derive(Debug, Default)]
pub struct Scratch {
    pub counted_months: Vec<(u32, CountedMonths)>,
    /// Of subscriptions with several parts: the position of the whole, a group, and the months in which one of the parts counts.
    pub counted_parts: Vec<(u32, u32, Months)>,
    /// The groups of the subscription being read, and what they were found for: SKU, attributions, seller, flags.
    pub groups: Vec<u32>,
    pub found: Option<(u32, u32, u8, u8)>,
    pub user_groups: UserGroups,
    pub places: GroupPlaces,
    /// The group found last for a constant run of the customer, where keys differ from customer to customer.
    pub last_group: Option<(GroupKey, u32)>,
    /// By partial key, where they do not.
    pub group_of_partial_key: Vec<CachedGroup>,
}

/// What is known of the group of a partial key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CachedGroup {
    /// It was not looked up yet.
    Not,
    /// The query is not about it.
    None,
    /// Its position.
    Position(u32),
}

impl CachedGroup {
    pub const fn group(self) -> Option<u32> {
        match self {
            Self::Position(group) => Some(group),
            Self::Not | Self::None => None,
        }
    }
}

/// Where each group stands in a list that is made anew for each customer or month.
#[derive(Debug, Default)]
pub struct GroupPlaces {
    /// By group: the list it was last put in, and where.
    places: Vec<(u64, u32)>,
    list: u64,
}

impl GroupPlaces {
    /// Begins a new list.
    pub const fn begin(&mut self) {
        self.list += 1;
    }

    /// The group's place; `next` when it is not in the list yet.
    pub fn of(&mut self, group: u32, next: usize) -> usize {
        if self.places.len() <= group as usize {
            self.places.resize(group as usize + 1, (0, 0));
        }
        let place = &mut self.places[group as usize];
        if place.0 != self.list {
            *place = (self.list, u32::try_from(next).unwrap_or(u32::MAX));
        }
        place.1 as usize
    }
}

impl Scratch {
    /// Begins a customer.
    pub fn begin(&mut self) {
        self.counted_months.clear();
        self.counted_parts.clear();
        self.places.begin();
        self.last_group = None;
    }

    /// Notes months in which a part of a subscription counts in a group.
    pub fn count_part(&mut self, whole: u32, group: u32, months: Months) {
        match self.counted_parts.iter_mut().find(|(of, in_group, _)| (*of, *in_group) == (whole, group)) {
            Some((.., counted)) => *counted |= months,
            None => self.counted_parts.push((whole, group, months)),
        }
    }

    #[inline]
    pub fn counted_months_of(&mut self, group: u32) -> &mut CountedMonths {
        match self.counted_months.len().checked_sub(1).filter(|last| self.counted_months[*last].0 == group) {
            Some(last) => &mut self.counted_months[last].1,
            None => self.look_up_counted_months(group),
        }
    }

    #[inline(never)]
    fn look_up_counted_months(&mut self, group: u32) -> &mut CountedMonths {
        let place = self.places.of(group, self.counted_months.len());
        if place == self.counted_months.len() {
            self.counted_months.push((group, CountedMonths::default()));
        }
        &mut self.counted_months[place].1
    }
}
