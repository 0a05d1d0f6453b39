//! The marks of what was erased, and what they refuse.

use std::collections::HashSet;

use super::{
    named::NamedSubjects,
    users::{ErasedMark, Marked, PartnerKey},
};

/// The marks of one partner.
pub(crate) struct ErasedMarks {
    key: PartnerKey,
    marks: HashSet<ErasedMark>,
}

impl ErasedMarks {
    /// Marks, and the key they were made with.
    pub(crate) fn new(key: PartnerKey, marks: Vec<ErasedMark>) -> Self {
        Self { key, marks: marks.into_iter().collect() }
    }

    /// These marks, with those of subscriptions that turn out to belong to somebody who is marked.
    pub(crate) fn with_subscriptions<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Self {
        let more = ids.map(|id| self.key.mark(Marked::Subscription(id)));
        Self { key: self.key.clone(), marks: self.marks.iter().copied().chain(more).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Whether this was erased.
    pub(crate) fn has(&self, of: Marked<'_>) -> bool {
        !self.marks.is_empty() && self.marks.contains(&self.key.mark(of))
    }

    /// Whether anything of the kind was erased.
    pub(crate) fn has_any(&self, of: Marked<'_>) -> bool {
        self.marks.iter().any(|mark| mark[0] == of.kind())
    }

    /// Why a record that names these is refused.
    pub(crate) fn refuses(&self, named: &NamedSubjects) -> Option<Refused> {
        let NamedSubjects { customer, subscription, user } = named;
        if !customer.is_empty() && self.has(Marked::Customer(customer)) {
            return Some(Refused::Customer);
        }
        if !subscription.is_empty() && self.has(Marked::Subscription(subscription)) {
            return Some(Refused::Subscription);
        }
        let user = (*user)?;
        let erased = self.has(Marked::User(user)) || !customer.is_empty() && self.has(Marked::UserOf(user, customer));
        erased.then_some(Refused::User)
    }
}

/// Whom a refused record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Customer,
    Subscription,
    User,
}

impl Refused {
    /// The field of a kind of record, and what is wrong with it.
    pub(crate) fn says(self, kind: &str) -> (String, String) {
        let (field, who, flag) = match self {
            Self::Customer => ("customer_id", "names a customer who was erased", "--customer"),
            Self::Subscription => {
                ("subscription_id", "names a subscription of a customer who was erased", "--customer")
            }
            Self::User => ("user_id", "names a user who was erased", "--user"),
        };
        let what_to_do = "a Global admin lets it come again, and it is imported anew then";
        (format!("{kind}.{field}"), format!("{who}: with `insights erase --allow {flag} ID` {what_to_do}"))
    }
}
