//! Facts: their kinds, and what decides their identity.

use insights_domain::calendar::Day;

/// A kind of fact. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub(crate) enum FactKind {
    Partner = 1,
    Location = 2,
    Sku = 3,
    Customer = 4,
    Subscription = 5,
    State = 6,
    Assignment = 7,
    Licensed = 8,
    Revenue = 9,
    SupportCases = 10,
    ReportedSeats = 11,
    ReportedUsage = 12,
    CompleteThrough = 13,
    LicenceList = 14,
    SubscriptionList = 15,
    SkuList = 16,
    /// Beside a customer: a list of customers names it. Of the partner: such a list is whole.
    CustomerList = 17,
}

impl FactKind {
    /// Kinds whose keys begin with a subscription's number and that move with the subscription.
    pub(crate) const OF_SUBSCRIPTION: [Self; 4] = [Self::State, Self::Assignment, Self::Revenue, Self::ReportedSeats];

    const ALL: [Self; 17] = [
        Self::Partner,
        Self::Location,
        Self::Sku,
        Self::Customer,
        Self::Subscription,
        Self::State,
        Self::Assignment,
        Self::Licensed,
        Self::Revenue,
        Self::SupportCases,
        Self::ReportedSeats,
        Self::ReportedUsage,
        Self::CompleteThrough,
        Self::LicenceList,
        Self::SubscriptionList,
        Self::SkuList,
        Self::CustomerList,
    ];

    pub(crate) fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i32 == number)
    }

    /// Its name, as the field of a record.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Location => "location",
            Self::Sku => "sku",
            Self::Customer => "customer",
            Self::Subscription => "subscription",
            Self::State => "subscription_state",
            Self::Assignment => "assignment",
            Self::Licensed => "licensed",
            Self::Revenue => "revenue",
            Self::SupportCases => "support_cases",
            Self::ReportedSeats => "reported_seats",
            Self::ReportedUsage => "reported_usage",
            Self::CompleteThrough => "complete_through",
            Self::LicenceList => "licence_list",
            Self::SubscriptionList | Self::SkuList | Self::CustomerList => "whole_list",
        }
    }

    /// The kind that is retracted with this one.
    pub(crate) fn with(self) -> Self {
        match self {
            Self::Licensed => Self::LicenceList,
            Self::State => Self::SubscriptionList,
            Self::ReportedSeats => Self::SkuList,
            kind => kind,
        }
    }

    /// Whether superseded rows are kept, so that answers as of an earlier time can be given.
    pub(crate) fn keeps_history(self) -> bool {
        matches!(self, Self::ReportedSeats | Self::ReportedUsage | Self::SkuList)
    }
}

/// The day of facts that concern every month.
pub(crate) const EVERY_DAY: i32 = i32::MIN;

/// The first month whose figures a fact of that day may change, as an index of months; 0 is every month.
pub(crate) fn first_month(day: i32) -> i32 {
    Day::from_epoch_days(day).map_or(0, |day| day.month().index())
}

/// A normalised fact: what decides its identity, and its canonical bytes.
// House: a `TryFrom` for each kind of record, beside the checks of that kind.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub kind: FactKind,
    pub owner: FactOwner,
    pub prefix: KeyPrefix,
    /// The SKU it names.
    pub sku: Option<String>,
    /// The services it names, folded.
    pub services: Vec<String>,
    /// The rest of its key after the prefix.
    pub tail: Vec<u8>,
    /// `effective`, `from` or the first day of the month, days since 1970-01-01; [`EVERY_DAY`] where there is none.
    pub day: i32,
    /// The canonical bytes: the normalised record as protobuf, without what the key says.
    pub body: Vec<u8>,
}

impl Fact {
    /// The hash of its user, of facts about one.
    pub(crate) fn user(&self) -> Option<u128> {
        let of_user = matches!(self.kind, FactKind::Assignment | FactKind::Licensed);
        let user = self.tail.first_chunk().copied().filter(|_| of_user);
        user.map(u128::from_be_bytes)
    }
}

/// The owner of a fact, by the ids of the source.
#[derive(Clone, Debug)]
pub(crate) enum FactOwner {
    Partner,
    Customer(String),
    /// The customer who has this subscription.
    Subscription(String),
    /// A subscription's own record, and the customer it names.
    SubscriptionRecord {
        subscription: String,
        customer: String,
    },
}

/// The number a key begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyPrefix {
    None,
    /// The number of the subscription, never 0.
    Subscription,
    /// 0, then the number of the SKU: a row by customer and SKU.
    Sku,
    /// The number of the SKU alone: the catalogue's own record.
    OwnSku,
    /// The number of the only service.
    Service,
}

/// Which facts are to be deleted.
#[derive(Clone, Debug)]
pub(crate) struct Retraction {
    pub what: Retracted,
    /// Empty for what is of the partner.
    pub customer: String,
    pub service: Option<String>,
    pub from: Day,
    pub to: Day,
    /// Only rows of this report, and the revenue of what they are about.
    pub report: Option<String>,
    /// Only what was recorded before this time, nanoseconds since 1970.
    pub before: Option<i64>,
}

impl Retraction {
    /// Whether it concerns the partner's own facts.
    pub(crate) fn is_of_partner(&self) -> bool {
        self.customer.is_empty() && !self.is_of_everybody()
    }

    /// Whether it concerns rows of every customer.
    pub(crate) fn is_of_everybody(&self) -> bool {
        let rows = matches!(self.what, Retracted::Facts(FactKind::ReportedSeats | FactKind::ReportedUsage));
        self.customer.is_empty() && rows
    }
}

/// The kind of the facts that are to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retracted {
    Activity,
    Facts(FactKind),
    /// Whole lists of a customer, and of customers when none is named.
    Lists,
}
