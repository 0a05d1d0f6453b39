//! Subscription standing and what it makes of a seat.

use std::fmt;

/// The standing of a subscription at the end of a day: what it makes of the customer ([`Self::counts`]) and of its seats
/// ([`Holding::of`], [`is_paid`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Standing {
    /// In use; counts as a customer.
    Active = 0,
    /// Past due, still usable.
    Grace = 1,
    /// Locked.
    Suspended = 2,
    /// Ended.
    Disabled = 3,
    /// Became another subscription.
    Upgraded = 4,
    /// Not begun, or nothing known yet.
    Pending = 5,
    /// An unknown word of a source.
    Other = 6,
}

impl Standing {
    /// Every standing, in the order of their codes.
    pub const ALL: [Self; 7] =
        [Self::Active, Self::Grace, Self::Suspended, Self::Disabled, Self::Upgraded, Self::Pending, Self::Other];

    /// From a source's word, compared in lower case without blanks, `-` and `_`.
    pub fn from_source_word(word: &str) -> Self {
        let word: String = word
            .chars()
            .filter(|sign| !sign.is_whitespace() && !matches!(sign, '-' | '_'))
            .flat_map(char::to_lowercase)
            .collect();
        match word.as_str() {
            "active" | "enabled" | "open" | "renewed" => Self::Active,
            "warning" | "ingraceperiod" | "grace" | "expired" => Self::Grace,
            "suspended" | "lockedout" => Self::Suspended,
            "disabled" | "deprovisioned" | "deleted" | "cancelled" | "canceled" | "closed" | "inactive" | "churned" => {
                Self::Disabled
            }
            "upgraded" | "converted" | "convertedtoanothersubscription" => Self::Upgraded,
            "pending" | "none" => Self::Pending,
            _ => Self::Other,
        }
    }

    /// From its code; an unknown code is `Other`.
    pub fn from_code(code: u8) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or(Self::Other)
    }

    /// Its code, 0 to 6.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Its name in answers and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Grace => "GRACE",
            Self::Suspended => "SUSPENDED",
            Self::Disabled => "DISABLED",
            Self::Upgraded => "UPGRADED",
            Self::Pending => "PENDING",
            Self::Other => "OTHER",
        }
    }

    /// From its name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.name().eq_ignore_ascii_case(name))
    }

    /// Whether the subscription counts, and its customer because of it. A trial counts, whatever the switches.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Active)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Switches that widen good standing everywhere in seats, users and reasons, never in customer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Switches {
    /// Grace is good.
    pub include_grace: bool,
    /// Free SKUs count.
    pub include_free: bool,
}

/// What a seat of a subscription is to who holds it. The order is that of the reasons: the first match wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holding {
    /// Good standing.
    Good,
    /// On a trial.
    Trial,
    /// The standing is not a good one.
    NotInGoodStanding,
    /// Free, and free does not count.
    Free,
}

impl Holding {
    /// What a seat is under the switches.
    pub const fn of(standing: Standing, trial: bool, free: bool, switches: Switches) -> Self {
        let good = match standing {
            Standing::Active => true,
            Standing::Grace => switches.include_grace,
            Standing::Suspended | Standing::Disabled | Standing::Upgraded | Standing::Pending | Standing::Other => {
                false
            }
        };
        if trial {
            Self::Trial
        } else if !good {
            Self::NotInGoodStanding
        } else if free && !switches.include_free {
            Self::Free
        } else {
            Self::Good
        }
    }
}

/// Whether a subscription is in good standing without any switch, whatever its SKU: it counts, and not on trial.
pub const fn is_paid(standing: Standing, trial: bool) -> bool {
    standing.counts() && !trial
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_subscription_counts() {
        assert_eq!(Standing::ALL.map(Standing::counts), [true, false, false, false, false, false, false]);
    }

    #[test]
    fn a_paid_subscription_is_one_in_good_standing_without_switches() {
        for standing in Standing::ALL {
            for trial in [false, true] {
                let holding = Holding::of(standing, trial, false, Switches::default());
                assert_eq!(is_paid(standing, trial), holding == Holding::Good, "{standing} {trial}");
            }
        }
    }

    #[test]
    fn every_word_of_the_table_has_its_standing() {
        let table = [
            (Standing::Active, "active enabled open renewed"),
            (Standing::Grace, "warning ingraceperiod grace expired"),
            (Standing::Suspended, "suspended lockedout"),
            (Standing::Disabled, "disabled deprovisioned deleted cancelled canceled closed inactive churned"),
            (Standing::Upgraded, "upgraded converted convertedtoanothersubscription"),
            (Standing::Pending, "pending none"),
            (Standing::Other, "frozen act1ve"),
        ];
        for (standing, words) in table {
            for word in words.split(' ') {
                assert_eq!(Standing::from_source_word(word), standing, "{word}");
                assert_eq!(Standing::from_source_word(&word.to_uppercase()), standing, "{word}");
            }
        }
        for spelled in ["In Grace Period", "in-grace_period", " InGracePeriod "] {
            assert_eq!(Standing::from_source_word(spelled), Standing::Grace);
        }
        assert_eq!(Standing::from_source_word("Locked Out"), Standing::Suspended);
        assert_eq!(Standing::from_source_word(""), Standing::Other);
    }

    #[test]
    fn codes_and_names_lead_back() {
        let names = ["ACTIVE", "GRACE", "SUSPENDED", "DISABLED", "UPGRADED", "PENDING", "OTHER"];
        for (code, (standing, name)) in Standing::ALL.into_iter().zip(names).enumerate() {
            assert_eq!(usize::from(standing.code()), code);
            assert_eq!(Standing::from_code(standing.code()), standing);
            assert_eq!(standing.to_string(), name);
            assert_eq!(Standing::from_name(&name.to_lowercase()), Some(standing));
        }
        assert_eq!(Standing::from_code(7), Standing::Other);
        assert_eq!(Standing::from_name("GRACIOUS"), None);
    }

    #[test]
    fn the_first_reason_wins() {
        let none = Switches::default();
        let grace = Switches { include_grace: true, include_free: false };
        let free = Switches { include_grace: false, include_free: true };
        assert_eq!(Holding::of(Standing::Active, false, false, none), Holding::Good);
        assert_eq!(Holding::of(Standing::Active, true, true, none), Holding::Trial);
        assert_eq!(Holding::of(Standing::Suspended, true, false, none), Holding::Trial);
        assert_eq!(Holding::of(Standing::Grace, false, true, none), Holding::NotInGoodStanding);
        assert_eq!(Holding::of(Standing::Grace, false, false, grace), Holding::Good);
        assert_eq!(Holding::of(Standing::Grace, false, true, grace), Holding::Free);
        assert_eq!(Holding::of(Standing::Active, false, true, none), Holding::Free);
        assert_eq!(Holding::of(Standing::Active, false, true, free), Holding::Good);
        for standing in
            [Standing::Suspended, Standing::Disabled, Standing::Upgraded, Standing::Pending, Standing::Other]
        {
            assert_eq!(Holding::of(standing, false, false, grace), Holding::NotInGoodStanding);
        }
    }
}
