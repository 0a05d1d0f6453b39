//! How large a partner is.

use std::str::FromStr;

/// The sizes of a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// Customers.
    pub customers: u32,
    /// Users of all customers, about.
    pub users: u32,
    /// Subscriptions.
    pub subscriptions: u32,
}

impl Scenario {
    /// Only to see that everything works.
    pub const TINY: Self = Self { name: "tiny", customers: 60, users: 900, subscriptions: 180 };
    /// A small partner.
    pub const S: Self = Self { name: "S", customers: 500, users: 15_000, subscriptions: 1_500 };
    /// A large partner.
    pub const M: Self = Self { name: "M", customers: 20_000, users: 1_000_000, subscriptions: 60_000 };
    /// The largest partner.
    pub const L: Self = Self { name: "L", customers: 100_000, users: 5_000_000, subscriptions: 300_000 };
    /// Beyond it: a file of its seats has more than five million rows.
    pub const XL: Self = Self { name: "XL", customers: 115_000, users: 5_750_000, subscriptions: 345_000 };
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = [Self::TINY, Self::S, Self::M, Self::L, Self::XL];
        known.into_iter().find(|scenario| scenario.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
            format!("\"{name}\" is no scenario; known: {}", known.map(|scenario| scenario.name).join(", "))
        })
    }
}
