//! Who calls.

use std::{collections::BTreeSet, fmt, sync::Arc};

use chrono::{DateTime, Utc};

use crate::{FieldClass, RoleSet};

/// A person or machine whose token was verified. Only this crate can make one, so holding one is the proof.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    pub(crate) subject: String,
    pub(crate) partner: String,
    pub(crate) roles: RoleSet,
    pub(crate) locations: Option<BTreeSet<String>>,
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

    /// The partner whose data the caller sees.
    #[must_use]
    pub fn partner(&self) -> &str {
        &self.partner
    }

    /// The roles the caller holds; unknown ones are left out.
    #[must_use]
    pub fn roles(&self) -> RoleSet {
        self.roles
    }

    /// The partner locations the caller is bound to; `None` when bound to none. An empty set sees nothing.
    #[must_use]
    pub fn locations(&self) -> Option<&BTreeSet<String>> {
        self.locations.as_ref()
    }

    /// When the token ends.
    #[must_use]
    pub fn expires(&self) -> DateTime<Utc> {
        self.expires
    }

    /// Whether the caller sees fields of the class.
    #[must_use]
    pub fn can_see(&self, class: FieldClass) -> bool {
        self.roles.can_see(class)
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is left out: whoever reads a log could use it.
        formatter
            .debug_struct("Principal")
            .field("subject", &self.subject)
            .field("partner", &self.partner)
            .field("roles", &self.roles)
            .field("locations", &self.locations)
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
