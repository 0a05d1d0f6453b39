//! What is kept of batches and names the erased: records in the quarantine, and reasons in kept answers.

use insights_database::sea_orm::ConnectionTrait;
use insights_domain::personal_text::PersonalTexts;
use insights_proto::ingestion::v1::IngestBatchResponse;

use crate::{
    error::Error,
    tables::{
        batch,
        partner::StoredPartner,
        quarantine::{self, Quarantined},
    },
    write::Ledger,
};

/// Rows read at a time.
const ROWS: u32 = 500;

pub(super) async fn counts<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    texts: &PersonalTexts,
) -> Result<Vec<(&'static str, i64)>, Error> {
    let (mut records, mut answers) = (0, 0);
    let mut below = i64::MAX;
    while let Some(page) = page_of_rejected(connection, partner, &mut below).await? {
        records += page.iter().filter(|kept| names(texts, kept)).count();
    }
    let mut after = String::new();
    while let Some(page) = page_of_answers(connection, partner, &mut after).await? {
        answers += page.into_iter().filter_map(|(_, answer)| without(texts, answer)).count();
    }
    let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
    Ok(vec![("rejected_records", count(records)), ("batch_answers", count(answers))])
}

/// Removes the records, and the reasons from the answers.
pub(super) async fn erase(ledger: &Ledger, partner: &StoredPartner, texts: &PersonalTexts) -> Result<(), Error> {
    let (reader, writer) = (ledger.database.reader(), ledger.database.writer());
    let mut below = i64::MAX;
    while let Some(page) = page_of_rejected(reader, partner, &mut below).await? {
        let ids = page.iter().filter(|kept| names(texts, kept)).map(|kept| kept.id).collect();
        quarantine::remove(writer, partner, ids).await?;
    }
    let mut after = String::new();
    while let Some(page) = page_of_answers(reader, partner, &mut after).await? {
        for (id, answer) in page {
            if let Some(answer) = without(texts, answer) {
                batch::replace_answer(writer, partner, &id, &answer).await?;
            }
        }
    }
    Ok(())
}

async fn page_of_rejected<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    below: &mut i64,
) -> Result<Option<Vec<Quarantined>>, Error> {
    let page = quarantine::list(connection, partner, "", *below, ROWS).await?;
    let last = page.last().map(|last| *below = last.id);
    Ok(last.map(|()| page))
}

async fn page_of_answers<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    after: &mut String,
) -> Result<Option<Vec<(String, IngestBatchResponse)>>, Error> {
    let page = batch::answers_after(connection, partner, after, ROWS.into()).await?;
    let last = page.last().map(|(id, _)| after.clone_from(id));
    Ok(last.map(|()| page))
}

fn names(texts: &PersonalTexts, kept: &Quarantined) -> bool {
    texts.are_in_json(&kept.json) || texts.stand_in(&kept.reason) || texts.stand_in(&kept.field)
}

/// An answer without what names the erased; none: it names nobody.
fn without(texts: &PersonalTexts, mut answer: IngestBatchResponse) -> Option<IngestBatchResponse> {
    let mut changed = false;
    for rejection in &mut answer.rejections {
        for text in [&mut rejection.field, &mut rejection.reason] {
            if texts.stand_in(text) {
                "(erased)".clone_into(text);
                changed = true;
            }
        }
    }
    changed.then_some(answer)
}
