//! Second chances: quarantined records tried again, and facts that a crash left waiting.

use std::collections::HashSet;

use super::{
    Ledger,
    plan::{RemainingSteps, transactions},
};
use crate::{
    error::Error,
    ids::SurrogateIds,
    tables::{fact, partner::PartnerRow, quarantine},
};

impl Ledger {
    /// Tries records of the quarantine again, as if they came now.
    pub(crate) async fn replay(&self, id: &str, ids: &[i64]) -> Result<(i64, i64, i64), Error> {
        let Some(partner) = PartnerRow::find(self.database.reader(), id).await? else { return Ok((0, 0, 0)) };
        let most = self.limits.records_per_batch;
        let kept = if ids.is_empty() {
            quarantine::list(self.database.reader(), &partner, "", i64::MAX, u32::try_from(most).unwrap_or(u32::MAX))
                .await?
        } else {
            quarantine::get(self.database.reader(), &partner, ids).await?
        };
        let (records, columns, order) = quarantine::rebuild(kept);
        let checked = self.check(&partner, records, Some(columns), true)?;
        let stored = self.store(&partner, &checked).await?;
        let still: HashSet<i64> = checked.rejected.iter().map(|rejected| rejected.index).collect();
        let freed: Vec<i64> =
            (0_i64..).zip(&order).filter(|(index, _)| !still.contains(index)).map(|(_, id)| *id).collect();
        let accepted = i64::try_from(freed.len()).unwrap_or(0);
        let rejected = i64::try_from(order.len()).unwrap_or(0) - accepted;
        quarantine::remove(self.database.writer(), &partner, freed).await?;
        let version = self.version_after(&partner, &stored).await?;
        Ok((accepted, rejected, version))
    }

    /// Frees facts that wait for what is there: a process may have ended between the two.
    pub(crate) async fn free_forgotten(&self) -> Result<(), Error> {
        for partner in PartnerRow::all(self.database.reader()).await? {
            let arrivals = fact::forgotten(self.database.reader(), &partner).await?;
            if arrivals.is_empty() {
                continue;
            }
            let checked = self.check(&partner, Vec::new(), None, false)?;
            let numbers = SurrogateIds::default();
            for arrival in arrivals {
                let remaining = RemainingSteps { arrivals: vec![arrival], ..RemainingSteps::default() };
                for planned in transactions(&checked.items, &checked.activity, &numbers, remaining, usize::MAX) {
                    let (_, result) = self.run_unit(self.shared(&partner, &checked, &numbers), planned).await;
                    result?;
                }
            }
            self.tell();
        }
        Ok(())
    }
}
