//! What is kept while a customer is read; used again for the next one.

use crate::cube::compile::keys::Key;
use crate::cube::scan::users::Cells;
use crate::cube::scan::window::Months;

/// Months in which a customer counts in a group, and those in which a report alone shows it active.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lives {
    pub counted: Months,
    pub active_by_report: Months,
}

/// What is kept of the customer being read; used again for the next one.
#[derive(Debug, Default)]
pub struct Scratch {
    pub lives: Vec<(u32, Lives)>,
    /// The groups of the subscription being read, and what they were found for: SKU, attributions, seller, flags.
    pub groups: Vec<u32>,
    pub found: Option<(u32, u32, u8, u8)>,
    pub cells: Cells,
    pub places: GroupPlaces,
    /// The group found last for a steady subscription of the customer, where keys differ from customer to customer.
    pub last_group: Option<(Key, u32)>,
    /// By piece of a shape, where they do not.
    pub group_of_piece: Vec<Known>,
}

/// What is known of the group of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nobody looked yet.
    Not,
    /// The query is not about it.
    None,
    /// Its position.
    Group(u32),
}

impl Known {
    pub const fn group(self) -> Option<u32> {
        match self {
            Self::Group(group) => Some(group),
            Self::Not | Self::None => None,
        }
    }
}

/// Where each group stands in a list that begins anew again and again.
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
        self.lives.clear();
        self.places.begin();
        self.last_group = None;
    }

    #[inline]
    pub fn lives_of(&mut self, group: u32) -> &mut Lives {
        match self.lives.len().checked_sub(1).filter(|last| self.lives[*last].0 == group) {
            Some(last) => &mut self.lives[last].1,
            None => self.look_up_lives(group),
        }
    }

    #[inline(never)]
    fn look_up_lives(&mut self, group: u32) -> &mut Lives {
        let place = self.places.of(group, self.lives.len());
        if place == self.lives.len() {
            self.lives.push((group, Lives::default()));
        }
        &mut self.lives[place].1
    }
}
