//! What is there once everything is quiet, against everything that was promised.

use std::{collections::BTreeMap, net::SocketAddr};

use insights_testkit::found;

use super::{
    Place,
    figures::{compare_all, naive_facts, verify},
    ledger::Inner,
    reader::Reader,
    writer::Writer,
};

/// What was found.
#[derive(Debug, Default)]
pub struct Checked {
    /// What was promised, at last.
    pub state: Inner,
    /// Values compared with the naive implementation's.
    pub cells: usize,
    /// Figures compared with the facts.
    pub verified: u64,
    /// Records that were acknowledged and are not stored.
    pub lost: i64,
    /// Everything that is not as it should be.
    pub wrong: Vec<String>,
}

/// Compares figures, facts and audit with what was promised; every batch that was sent must be acknowledged.
pub async fn check(
    place: &Place,
    reporting: &[SocketAddr],
    writer: &Writer,
    reader: &Reader,
    seed: u64,
    questions: usize,
) -> Checked {
    let state = writer.ledger.lock().clone();
    let mut checked = Checked::default();
    if state.sent != state.acknowledged {
        checked.wrong.push("a batch was sent and never acknowledged".to_owned());
    }
    let facts = naive_facts(&state);
    for (number, address) in reporting.iter().enumerate() {
        let found = found("an answer", async || reader.ask(number).await).await;
        let expected = i64::try_from(state.acknowledged.len()).unwrap_or(0);
        if found != expected {
            checked.wrong.push(format!("{address} counts {found} witnesses, {expected} were acknowledged"));
        }
        tokio::task::block_in_place(|| {
            let compared = compare_all(place, *address, &facts, seed + number as u64, questions);
            checked.cells += compared.cells;
            checked.wrong.extend(compared.differences);
            let (of, different) = verify(place, *address);
            checked.verified += of;
            if different != 0 {
                checked.wrong.push(format!("{different} figures of {address} differ from their facts"));
            }
        });
    }
    checked.lost = writer.not_stored().await;
    if checked.lost != 0 {
        checked.wrong.push(format!("{} records were acknowledged and are not stored", checked.lost));
    }
    checked.state = writer.ledger.lock().clone();
    checked.wrong.extend(checked.state.broken.iter().cloned());
    checked.wrong.extend(missing_in_the_audit(place, &checked.state.answers).await);
    checked
}

/// Readers who were given more answers than the audit has records of.
async fn missing_in_the_audit(place: &Place, answers: &BTreeMap<String, usize>) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, given) in answers {
        let sql = format!("SELECT count(*) FROM audit_record WHERE subject = '{name}' AND outcome = 'Ok'");
        let recorded = place.number("reporting", &sql).await;
        if usize::try_from(recorded).unwrap_or(0) < *given {
            missing.push(format!("{name} had {given} answers, {recorded} are in the audit"));
        }
    }
    missing
}
