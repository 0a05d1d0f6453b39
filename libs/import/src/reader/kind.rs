//! The kinds of our own records.

use clap::ValueEnum;

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum RecordKind {
    /// Settings of the partner.
    Partner,
    /// An office of the partner.
    Location,
    /// A SKU of the catalogue.
    Sku,
    /// A customer.
    Customer,
    /// A subscription.
    Subscription,
    /// A state of a subscription, in force from a day on.
    SubscriptionState,
    /// A user holds a seat of a subscription.
    Assignment,
    /// A user is licensed by a source that names no subscription.
    Licensed,
    /// A list of all who are licensed is complete.
    LicenceList,
    /// All there was of something on a day.
    WholeList,
    /// A user used a service on a day.
    Activity,
    /// Billed revenue of a month.
    Revenue,
    /// Support cases of a month.
    SupportCases,
    /// Seats of a month that somebody else computed.
    ReportedSeats,
    /// Users of a month that somebody else computed.
    ReportedUsage,
    /// Takes back what was sent.
    Retract,
    /// The data is complete up to a day.
    CompleteThrough,
}

impl RecordKind {
    /// Its name in records and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Location => "location",
            Self::Sku => "sku",
            Self::Customer => "customer",
            Self::Subscription => "subscription",
            Self::SubscriptionState => "subscription_state",
            Self::Assignment => "assignment",
            Self::Licensed => "licensed",
            Self::LicenceList => "licence_list",
            Self::WholeList => "whole_list",
            Self::Activity => "activity",
            Self::Revenue => "revenue",
            Self::SupportCases => "support_cases",
            Self::ReportedSeats => "reported_seats",
            Self::ReportedUsage => "reported_usage",
            Self::Retract => "retract",
            Self::CompleteThrough => "complete_through",
        }
    }

    /// From its name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|kind| kind.name() == name)
    }

    /// The kind a file's name begins with, such as `revenue-2024-05.csv` or `customers.csv`.
    #[must_use]
    pub fn of_file_name(path: &std::path::Path) -> Option<Self> {
        let stem = path.file_stem()?.to_str()?.to_ascii_lowercase().replace(['-', ' '], "_");
        let begins = |kind: &&Self| {
            let name = kind.name();
            let plural = name.strip_suffix('y').map_or_else(|| format!("{name}s"), |start| format!("{start}ies"));
            [name, &plural].iter().any(|name| {
                stem.strip_prefix(*name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
            })
        };
        Self::value_variants().iter().filter(begins).max_by_key(|kind| kind.name().len()).copied()
    }
}
