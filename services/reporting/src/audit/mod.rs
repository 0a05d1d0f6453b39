//! The audit: a record of every report read and every denial, stored before the answer is sent.

mod asked;
mod conceal;
mod config;
mod entity;
mod query;
mod retention;

use std::{fmt, sync::Arc};

use insights_access::{Denial, DenialObserver, Principal, Viewer};
use insights_database::{Database, Options};
use insights_service::{Clock, Error, PageTokenKey, RefusedCalls, RefusedSum, fail_point};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tonic::Code;

use crate::migrations::{Migrator, SECRET};

pub use asked::asked;
pub use config::AuditConfig;
pub use entity::Model as AuditRecord;
pub use query::AuditQuery;

/// What the audit calls a download by ticket.
pub const DOWNLOAD_BY_TICKET: &str = "GET /exports/{id}";

/// Longest texts of the caller that are stored, in bytes.
const SUBJECT_BYTES: usize = 512;
const LOCATIONS_BYTES: usize = 4 * 1024;

/// What stands in the place of a text that was erased.
pub(crate) const ERASED: &str = "(erased)";

// House: writing, listing, concealing and retention each have their own file and share one table.
/// The audit of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    database: Database,
    clock: Clock,
    config: AuditConfig,
    refused: Arc<RefusedCalls>,
    page_token_key: PageTokenKey,
}

impl fmt::Debug for Audit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Audit")
    }
}

/// Outcome of a call.
#[derive(Debug, Clone, Copy)]
pub struct CallOutcome {
    /// Its gRPC code.
    pub outcome: Code,
    /// Rows in the answer.
    pub rows: usize,
    /// Whether something was left out because of the caller's roles.
    pub redacted: bool,
}

impl Audit {
    /// Connects to the database and migrates it to this version.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn open(database_url: &str, config: AuditConfig, clock: Clock) -> Result<Self, insights_database::Error> {
        Self::open_with(database_url, &Options::default(), config, clock).await
    }

    /// The same with other ways to connect than the default ones.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn open_with(
        database_url: &str,
        options: &Options,
        config: AuditConfig,
        clock: Clock,
    ) -> Result<Self, insights_database::Error> {
        let database = Database::connect_with(database_url, options).await?;
        database.migrate::<Migrator>().await?;
        let candidate = hex::encode(rand::random::<[u8; 32]>());
        let secret = database.shared_secret(SECRET, &candidate).await?;
        let page_token_key = PageTokenKey::derived_from(secret.as_bytes());
        let refused = Arc::new(RefusedCalls::new(config.refused_per_minute));
        Ok(Self { database, clock, config, refused, page_token_key })
    }

    /// Records a call and its outcome.
    ///
    /// # Errors
    /// Unavailable when it could not be stored; the answer must then not be sent.
    pub async fn record(&self, caller: &Principal, rpc: &str, asked: &str, ending: CallOutcome) -> Result<(), Error> {
        self.record_as(caller.subject(), caller, rpc, asked, ending).await
    }

    /// Records a call without a token, such as a download by ticket. Of a caller's refused calls of a minute only the first are
    /// stored; the others are counted and stored as one.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub async fn record_as(
        &self,
        subject: &str,
        viewer: &Viewer,
        rpc: &str,
        asked: &str,
        ending: CallOutcome,
    ) -> Result<(), Error> {
        let refused = ending.outcome != Code::Ok && fail_point::guard_holds("audit.refused_calls");
        if refused && !self.refused.is_kept(subject, viewer, rpc, ending.outcome, self.clock.now()) {
            return Ok(());
        }
        let record = entity::ActiveModel {
            asked: Set(cut(asked, asked::ASKED_BYTES).to_owned()),
            row_count: Set(i64::try_from(ending.rows).unwrap_or(i64::MAX)),
            redacted: Set(ending.redacted),
            calls: Set(1),
            ..self.entry(subject, viewer, rpc, ending.outcome)
        };
        fail_point::hit("reporting.before_audit");
        let stored = self.store(record).await;
        fail_point::hit("reporting.audited");
        stored.map_err(|error| {
            tracing::error!(%error, rpc, "cannot audit a call");
            Error::unavailable("The call cannot be audited now, so it is not answered.")
        })
    }

    fn entry(&self, subject: &str, viewer: &Viewer, rpc: &str, outcome: Code) -> entity::ActiveModel {
        entity::ActiveModel {
            partner: Set(viewer.partner().to_owned()),
            at_micros: Set(self.clock.now().timestamp_micros()),
            record_id: Set(rand::random::<i64>()),
            subject: Set(cut(subject, SUBJECT_BYTES).to_owned()),
            roles: Set(viewer.roles_text()),
            locations: Set(viewer.short_locations_text(LOCATIONS_BYTES)),
            rpc: Set(rpc.to_owned()),
            asked: Set(String::new()),
            row_count: Set(0),
            redacted: Set(false),
            outcome: Set(format!("{outcome:?}")),
            calls: Set(1),
        }
    }

    async fn store(&self, record: entity::ActiveModel) -> Result<(), insights_database::Error> {
        entity::Entity::insert(record).exec_without_returning(self.database.writer()).await?;
        Ok(())
    }

    /// Stores the counts of refused calls of minutes that are over; of all at the end of the process.
    pub async fn store_refused(&self, all: bool) {
        for RefusedSum { subject, viewer, rpc, outcome, calls } in self.refused.take(self.clock.now(), all) {
            let record = entity::ActiveModel { calls: Set(calls), ..self.entry(&subject, &viewer, &rpc, outcome) };
            if let Err(error) = self.store(record).await {
                tracing::error!(%error, subject, calls, "cannot audit refused calls");
            }
        }
    }

    /// What the page tokens of the service are sealed with, which is kept in the same database.
    pub(crate) fn list_token_key(&self) -> &PageTokenKey {
        &self.page_token_key
    }

    /// The service's database, which holds the audit.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The service's clock.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The observer of an access layer's denials. Denials without a valid token are not stored: they name no caller, and anyone
    /// could fill the table with them.
    #[must_use]
    pub fn observer(&self) -> DenialObserver {
        let audit = self.clone();
        Arc::new(move |denial: Denial| {
            let audit = audit.clone();
            Box::pin(async move {
                if let Some(caller) = &denial.caller {
                    let ending = CallOutcome { outcome: Code::PermissionDenied, rows: 0, redacted: false };
                    // The call is denied either way; `record` has logged the error.
                    let _ = audit.record(caller, &denial.rpc, "", ending).await;
                }
            })
        })
    }

    /// The newest records of a partner, newest first.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn newest(&self, partner: &str, limit: u64) -> Result<Vec<AuditRecord>, insights_database::Error> {
        let found = entity::Entity::find()
            .filter(entity::Column::Partner.eq(partner))
            .order_by_desc(entity::Column::AtMicros)
            .order_by_desc(entity::Column::RecordId)
            .limit(limit)
            .all(self.database.reader())
            .await?;
        Ok(found)
    }
}

/// The beginning of a text within a number of bytes, cut at a character boundary.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
