//! Transactions that lost a race are run again.

/// How often a transaction that lost a race is run. Each loss is the progress of another writer.
pub(super) const TRIES: usize = 30;

/// Runs a transaction again until it loses no race against another. A macro, because a closure that borrows its argument cannot
/// promise that its future is `Send`.
macro_rules! transact {
    ($ledger:expr, |$transaction:ident| $doing:expr) => {{
        let mut tries = 0;
        loop {
            tries += 1;
            let held = $ledger.database.begin().await?;
            let $transaction = &held;
            let result = match $doing.await {
                Ok(result) => {
                    fail_point::hit("ingestion.before_commit");
                    held.commit().await.map(|()| result).map_err(Error::from)
                }
                Err(error) => {
                    // On a lost connection this fails too, with a poorer reason than the error at hand.
                    let _ = held.rollback().await;
                    Err(error)
                }
            };
            match result {
                Err(error) if matches!(error, Error::Database(_)) && error.is_race() && tries < TRIES => {}
                result => break result,
            }
        }
    }};
}

pub(super) use transact;
