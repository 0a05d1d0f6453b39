//! What is tried again: quarantined records, and facts that a crash left waiting.

use std::collections::HashSet;

use super::{
    Ledger,
    plan::{RemainingSteps, transactions},
    prepare::check,
    store::{context, run_planned, store, version_after},
};
use crate::{
    error::Error,
    ids::SurrogateIds,
    records::{self, quarantine::KeptRecord},
    tables::{
        fact,
        partner::StoredPartner,
        quarantine::{self, Quarantined},
    },
};

/// Tries quarantined records again, as if they were received now. Returns how many were accepted and rejected, and the version.
pub(crate) async fn replay(ledger: &Ledger, id: &str, ids: &[i64]) -> Result<(i64, i64, i64), Error> {
    ledger.receipts.compare(&ledger.database).await?;
    let Some(partner) = StoredPartner::find(ledger.database.reader(), id).await? else { return Ok((0, 0, 0)) };
    let most = ledger.limits.records_per_batch;
    let kept = if ids.is_empty() {
        quarantine::list(ledger.database.reader(), &partner, "", i64::MAX, u32::try_from(most).unwrap_or(u32::MAX))
            .await?
    } else {
        quarantine::get(ledger.database.reader(), &partner, ids).await?
    };
    let (records, columns, order) = records::quarantine::rebuild(kept.into_iter().map(kept_record).collect());
    let checked = check(ledger, &partner, records, Some(columns), true).await?;
    let stored = store(ledger, &partner, &checked, None).await?;
    let still: HashSet<i64> = checked.rejected.iter().map(|rejected| rejected.index).collect();
    let freed: Vec<i64> =
        (0_i64..).zip(&order).filter(|(index, _)| !still.contains(index)).map(|(_, id)| *id).collect();
    let accepted = i64::try_from(freed.len()).unwrap_or(0);
    let rejected = i64::try_from(order.len()).unwrap_or(0) - accepted;
    quarantine::remove(ledger.database.writer(), &partner, freed).await?;
    let version = version_after(ledger, &partner, &stored).await?;
    Ok((accepted, rejected, version))
}

/// Releases facts that wait for SKUs that are there, as a crash between the two leaves them.
pub(crate) async fn release_waiting(ledger: &Ledger) -> Result<(), Error> {
    for partner in StoredPartner::all(ledger.database.reader()).await? {
        let arrivals = fact::waiting_for_known_skus(ledger.database.reader(), &partner).await?;
        if arrivals.is_empty() {
            continue;
        }
        let checked = check(ledger, &partner, Vec::new(), None, false).await?;
        let ids = SurrogateIds::default();
        for arrival in arrivals {
            let remaining = RemainingSteps { arrivals: vec![arrival], ..RemainingSteps::default() };
            for planned in transactions(&checked.items, &checked.activity, &ids, remaining, usize::MAX) {
                let (_, result) = run_planned(ledger, context(ledger, &partner, &checked, &ids), planned).await;
                result?;
            }
        }
        ledger.notify_followers();
    }
    Ok(())
}

fn kept_record(kept: Quarantined) -> KeptRecord {
    KeptRecord { id: kept.id, kind: kept.kind, json: kept.json }
}
