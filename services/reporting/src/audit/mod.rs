//! Who read what: a record of every report read and every denial, written before the answer is given.

mod config;
mod entity;
mod query;
mod retention;

use std::{fmt, sync::Arc};

use insights_access::{Denial, DenialObserver, Principal, Viewer};
use insights_database::Database;
use insights_service::{Clock, Error, PageTokenKey, fail_point};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tonic::Code;

use crate::migrations::{Migrator, SECRET};

pub use config::AuditConfig;
pub use entity::Model as AuditRecord;
pub use query::AuditQuery;

/// What the audit calls a download by ticket.
pub const DOWNLOAD_BY_TICKET: &str = "GET /exports/{id}";

/// Longest record of what was asked, in bytes; the rest is cut off.
const ASKED_BYTES: usize = 64 * 1024;

/// The audit of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    database: Database,
    clock: Clock,
    config: AuditConfig,
    page_token_key: PageTokenKey,
}

impl fmt::Debug for Audit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Audit")
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy)]
pub struct CallOutcome {
    /// OK, or why not.
    pub outcome: Code,
    /// Rows given.
    pub rows: usize,
    /// Something was left out because of the caller's rights.
    pub redacted: bool,
}

impl Audit {
    /// Opens the audit: the database is connected and brought to this version.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn open(database_url: &str, config: AuditConfig, clock: Clock) -> Result<Self, insights_database::Error> {
        let database = Database::connect(database_url).await?;
        database.migrate::<Migrator>().await?;
        let candidate = hex::encode(rand::random::<[u8; 32]>());
        let secret = database.shared_secret(SECRET, &candidate).await?;
        let page_token_key = PageTokenKey::derived_from(secret.as_bytes());
        Ok(Self { database, clock, config, page_token_key })
    }

    /// Records a call and how it ended.
    ///
    /// # Errors
    /// Unavailable when it could not be stored: what cannot be audited is not given.
    pub async fn record(&self, caller: &Principal, rpc: &str, asked: &str, ending: CallOutcome) -> Result<(), Error> {
        self.record_as(caller.subject(), caller, rpc, asked, ending).await
    }

    /// Records a call of somebody whose token was seen before, such as who follows a link with a ticket.
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
        let record = entity::ActiveModel {
            partner: Set(viewer.partner().to_owned()),
            at_micros: Set(self.clock.now().timestamp_micros()),
            record_id: Set(rand::random::<i64>()),
            subject: Set(subject.to_owned()),
            roles: Set(viewer.roles_text()),
            locations: Set(viewer.locations_text()),
            rpc: Set(rpc.to_owned()),
            asked: Set(cut(asked, ASKED_BYTES).to_owned()),
            row_count: Set(i64::try_from(ending.rows).unwrap_or(i64::MAX)),
            redacted: Set(ending.redacted),
            outcome: Set(format!("{:?}", ending.outcome)),
        };
        fail_point::hit("reporting.before_audit");
        let stored = entity::Entity::insert(record).exec_without_returning(self.database.writer()).await;
        fail_point::hit("reporting.audited");
        stored.map(|_| ()).map_err(|error| {
            tracing::error!(%error, rpc, "a call could not be audited");
            Error::unavailable("The call cannot be audited now, so it is not answered.")
        })
    }

    /// What the page tokens of the service are sealed with, which is kept in the same database.
    pub(crate) fn page_token_key(&self) -> &PageTokenKey {
        &self.page_token_key
    }

    /// The database it is kept in, which is the service's.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The service's clock.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What an access layer tells of its denials. Only those of a known person are kept: without a valid token there is
    /// nobody to name, and anybody could fill the table.
    #[must_use]
    pub fn observer(&self) -> DenialObserver {
        let audit = self.clone();
        Arc::new(move |denial: Denial| {
            let audit = audit.clone();
            Box::pin(async move {
                if let Some(caller) = &denial.caller {
                    let ending = CallOutcome { outcome: Code::PermissionDenied, rows: 0, redacted: false };
                    // Denied either way; `record` has logged what went wrong.
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

/// At most so many bytes, never through a character.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
