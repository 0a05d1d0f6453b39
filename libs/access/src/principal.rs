//! Callers whose token was verified.

use std::{fmt, ops::Deref, sync::Arc};

use chrono::{DateTime, Utc};

use crate::Viewer;

/// A person or machine whose token was verified: a [`Viewer`] with a name. Only this crate can make one, so holding one is the proof.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    pub(crate) subject: String,
    pub(crate) viewer: Viewer,
    pub(crate) expires: DateTime<Utc>,
    /// The verified token, for the calls made on the caller's behalf.
    pub(crate) token: Arc<str>,
}

impl Principal {
    /// The `sub` of the token.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The caller's rights, apart from the proof that they are the caller's.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// When the token ends.
    #[must_use]
    pub fn expires(&self) -> DateTime<Utc> {
        self.expires
    }
}

impl Deref for Principal {
    type Target = Viewer;

    fn deref(&self) -> &Viewer {
        &self.viewer
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is left out, because a reader of the log could use it.
        formatter
            .debug_struct("Principal")
            .field("subject", &self.subject)
            .field("viewer", &self.viewer)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A service of this product whose own token was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceIdentity {
    pub(crate) name: String,
    pub(crate) expires: DateTime<Utc>,
}

impl ServiceIdentity {
    /// Its name: the `sub` of the token.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When the token ends.
    #[must_use]
    pub fn expires(&self) -> DateTime<Utc> {
        self.expires
    }
}

/// Who a token says its bearer is.
#[derive(Clone, Debug)]
pub enum Identity {
    /// A person, or a machine that acts as one (a data source).
    Person(Arc<Principal>),
    /// A service of this product.
    Service(Arc<ServiceIdentity>),
}
