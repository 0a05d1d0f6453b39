//! Erases a customer or a user, and keeps it away. The steps and why they come in this order: `docs/erasure.md`.

mod customer;
mod kept;
mod learned;
mod subject;
mod user;

use insights_database::Transaction;
use insights_domain::personal_text::PersonalTexts;
use insights_proto::ingestion::v1::{ErasureCount, PreviewErasureResponse};
use insights_service::fail_point;

use super::{
    Ledger,
    erased::marks,
    new_partner::get_or_create_partner,
    retry::{TRIES, transact},
};
use crate::{
    error::Error,
    records::users::{ErasedMark, Marked, PartnerKey},
    tables::{
        erased,
        partner::{self, StoredPartner},
        subscription,
    },
};

pub(super) use learned::learn;
pub(crate) use subject::ErasedSubject;
use subject::ResolvedSubject;

/// What an erasure would take away.
pub(crate) async fn preview(
    ledger: &Ledger,
    partner_id: &str,
    subject: &ErasedSubject,
) -> Result<PreviewErasureResponse, Error> {
    let mark = key(ledger, partner_id).mark(subject.marked());
    let unknown = PreviewErasureResponse { mark: hex::encode(mark), texts: subject.texts(), ..Default::default() };
    let reader = ledger.database.reader();
    let Some(partner) = StoredPartner::find(reader, partner_id).await? else { return Ok(unknown) };
    let resolved = ResolvedSubject::of(reader, &partner, subject).await?;
    let texts = resolved.texts(subject);
    let mut counts = match &subject.user {
        Some(user) => user::counts(reader, &partner, &resolved, user.hash).await?,
        None => customer::counts(reader, &partner, &resolved).await?,
    };
    counts.extend(kept::counts(reader, &partner, &PersonalTexts::new(&texts)).await?);
    let at = resolved.customer.filter(|_| subject.user.is_none());
    Ok(PreviewErasureResponse {
        version: partner.version,
        counts: counts.into_iter().filter(|(_, count)| *count > 0).map(counted).collect(),
        texts,
        erased: marks(ledger, &partner).await?.has(subject.marked()),
        customer: at.map_or(0, |at| at.number),
        cell: at.map_or(0, |at| at.shard),
        ..unknown
    })
}

fn counted((kind, count): (&str, i64)) -> ErasureCount {
    ErasureCount { place: "ingestion".to_owned(), kind: kind.to_owned(), count }
}

/// Erases, or goes on with an erasure that broke off. Returns the partner's version without the erased.
pub(crate) async fn erase(ledger: &Ledger, partner_id: &str, subject: &ErasedSubject) -> Result<i64, Error> {
    let partner = get_or_create_partner(ledger, partner_id).await?;
    transact!(ledger, |transaction| mark(ledger, transaction, &partner, subject))?;
    fail_point::hit("ingestion.erasure_marked");
    let mut tries = 0;
    while let Err(error) = take_away(ledger, partner_id, subject).await {
        tries += 1;
        if !error.is_race() || tries == TRIES {
            return Err(error);
        }
    }
    ledger.notify_followers();
    fail_point::hit("ingestion.erasure_deleted");
    if fail_point::guard_holds("ingestion.purge") {
        ledger.database.purge().await?;
    }
    fail_point::hit("ingestion.erasure_purged");
    let partner = StoredPartner::find(ledger.database.reader(), partner_id).await?;
    Ok(partner.map_or(0, |partner| partner.version))
}

/// Marks the subject, with what only it has, and counts the erasure: what is checked from now on is compared with the marks.
async fn mark(
    ledger: &Ledger,
    transaction: &Transaction,
    partner: &StoredPartner,
    subject: &ErasedSubject,
) -> Result<(), Error> {
    let partner = StoredPartner::lock(transaction, partner.number).await?;
    let resolved = ResolvedSubject::of(transaction, &partner, subject).await?;
    let key = key(ledger, &partner.id);
    let owner = key.mark(subject.marked());
    let mut marks: Vec<ErasedMark> = vec![owner];
    if let Some(at) = resolved.customer.filter(|_| subject.user.is_none()) {
        let subscriptions = subscription::of_customer(transaction, &partner, at).await?;
        marks.extend(subscriptions.iter().map(|id| key.mark(Marked::Subscription(id))));
    }
    let now = ledger.now().timestamp_nanos_opt().unwrap_or(i64::MAX);
    erased::insert(transaction, &partner, &owner, &marks, now).await?;
    partner::count_erasure(transaction, &partner).await
}

/// What names the subject goes before what the subject is told from, so that it is still known when a crash came between.
async fn take_away(ledger: &Ledger, partner_id: &str, subject: &ErasedSubject) -> Result<(), Error> {
    let reader = ledger.database.reader();
    let partner = StoredPartner::find(reader, partner_id).await?.ok_or(Error::NoPartner)?;
    let resolved = ResolvedSubject::of(reader, &partner, subject).await?;
    kept::erase(ledger, &partner, &PersonalTexts::new(resolved.texts(subject))).await?;
    fail_point::hit("ingestion.erasure_unkept");
    match &subject.user {
        Some(user) => user::erase(ledger, &partner, &resolved, user.hash).await,
        None => customer::erase(ledger, &partner, &resolved).await,
    }
}

/// Takes the marks of a subject away. Returns whether there were any.
pub(crate) async fn allow(ledger: &Ledger, partner_id: &str, subject: &ErasedSubject) -> Result<bool, Error> {
    let Some(partner) = StoredPartner::find(ledger.database.reader(), partner_id).await? else { return Ok(false) };
    let owner = key(ledger, partner_id).mark(subject.marked());
    transact!(ledger, |transaction| unmark(transaction, &partner, &owner))
}

async fn unmark(transaction: &Transaction, partner: &StoredPartner, owner: &ErasedMark) -> Result<bool, Error> {
    let partner = StoredPartner::lock(transaction, partner.number).await?;
    let removed = erased::remove(transaction, &partner, owner).await?;
    if removed > 0 {
        partner::count_erasure(transaction, &partner).await?;
    }
    Ok(removed > 0)
}

fn key(ledger: &Ledger, partner_id: &str) -> PartnerKey {
    ledger.user_key.of_partner(partner_id).of_marks()
}
