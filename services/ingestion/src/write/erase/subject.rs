//! Who is erased, and what tells of it.

use insights_database::sea_orm::ConnectionTrait;
use insights_domain::ids::canonical_id;
use insights_proto::ingestion::v1::{Customer, ErasureSubject};
use prost::Message;

use crate::{
    error::Error,
    ids::CustomerAddress,
    records::{
        Violation,
        fact::FactKind,
        users::{Marked, to_text},
    },
    tables::{customer, fact, partner::StoredPartner, subscription},
    write::Ledger,
};

/// Longest id of a customer, in characters, as of a record.
const LONGEST_ID: usize = 200;

/// Who is erased: a customer, a user, or a user of a customer.
#[derive(Clone, Debug)]
pub(crate) struct ErasedSubject {
    /// Its canonical id; empty: a user of any customer.
    customer: String,
    pub(super) user: Option<ErasedUser>,
}

/// A user who is erased.
#[derive(Clone, Debug)]
pub(crate) struct ErasedUser {
    /// As it was named.
    id: String,
    pub(super) hash: u128,
}

impl ErasedSubject {
    /// A user may be named by its hash, as the quarantine shows it.
    pub(crate) fn parse(ledger: &Ledger, partner: &str, subject: Option<ErasureSubject>) -> Result<Self, Error> {
        let ErasureSubject { customer_id, user_id } = subject.unwrap_or_default();
        let mut violations = Vec::new();
        let mut wrong = |field: &str, reason: String| violations.push(Violation { field: field.to_owned(), reason });
        let customer = canonical_id(&customer_id);
        if customer.chars().count() > LONGEST_ID || customer.chars().any(char::is_control) {
            wrong(
                "customer_id",
                format!("must be an id of at most {LONGEST_ID} characters, none of them a control character"),
            );
        }
        let id = user_id.trim().to_owned();
        if customer.is_empty() && id.is_empty() {
            wrong("customer_id", "is required, or user_id".to_owned());
        }
        let key = ledger.user_key.of_partner(partner);
        let parsed = (!id.is_empty()).then(|| key.parse(&id, true).or_else(|_| key.parse(&id, false)));
        let user = match parsed {
            Some(Ok(hash)) => Some(ErasedUser { id, hash }),
            Some(Err(reason)) => {
                wrong("user_id", reason);
                None
            }
            None => None,
        };
        if violations.is_empty() { Ok(Self { customer, user }) } else { Err(Error::Invalid(violations)) }
    }

    /// What is marked.
    pub(super) fn marked(&self) -> Marked<'_> {
        match &self.user {
            None => Marked::Customer(&self.customer),
            Some(user) if self.customer.is_empty() => Marked::User(user.hash),
            Some(user) => Marked::UserOf(user.hash, &self.customer),
        }
    }

    /// The texts that are known without looking.
    pub(super) fn texts(&self) -> Vec<String> {
        match &self.user {
            None => vec![self.customer.clone()],
            Some(user) => vec![user.id.clone(), to_text(user.hash)],
        }
    }
}

/// Where the subject is.
#[derive(Debug, Default)]
pub(super) struct ResolvedSubject {
    /// The customer named, if it has a row.
    pub(super) customer: Option<CustomerAddress>,
    /// No customer was named.
    pub(super) anywhere: bool,
    /// Its subscriptions, name and domain.
    told_by: Vec<String>,
}

impl ResolvedSubject {
    pub(super) async fn of<C: ConnectionTrait>(
        connection: &C,
        partner: &StoredPartner,
        subject: &ErasedSubject,
    ) -> Result<Self, Error> {
        if subject.customer.is_empty() {
            return Ok(Self { anywhere: true, ..Self::default() });
        }
        let found = customer::look_up(connection, partner, vec![subject.customer.clone()]).await?;
        let Some((_, at)) = found.into_iter().next() else { return Ok(Self::default()) };
        let mut told_by = Vec::new();
        if subject.user.is_none() {
            told_by = subscription::of_customer(connection, partner, at).await?;
            let every_day = [i32::MIN, i32::MAX];
            for row in fact::read_days(connection, partner, at, [FactKind::Customer; 2], every_day).await? {
                let Customer { name, domain, .. } = Customer::decode(row.body.as_slice())?;
                told_by.extend(name.into_iter().chain(domain));
            }
        }
        Ok(Self { customer: Some(at), anywhere: false, told_by })
    }

    /// The texts that stand for the subject.
    pub(super) fn texts(&self, subject: &ErasedSubject) -> Vec<String> {
        [subject.texts(), self.told_by.clone()].concat()
    }
}
