//! Roles and sets of them.

use std::fmt;

pub use insights_proto::access::v1::Role;

use crate::{FieldClass, field_class};

/// The roles a caller holds, or the roles of which one suffices.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RoleSet(u32);

impl RoleSet {
    /// No role: no rights.
    pub const EMPTY: Self = Self(0);

    /// With this role added. ROLE_UNSPECIFIED carries no rights and is never held.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        if matches!(role, Role::Unspecified) { self } else { Self(self.0 | 1 << role as u32) }
    }

    /// The roles of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the role is among them.
    #[must_use]
    pub const fn contains(self, role: Role) -> bool {
        !matches!(role, Role::Unspecified) && self.0 & (1 << role as u32) != 0
    }

    /// Whether a role is in both.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether one of them sees fields of the class, as the class's `visible_to` option says.
    #[must_use]
    pub fn can_see(self, class: FieldClass) -> bool {
        class == FieldClass::Unspecified || field_class::visible_to(class).intersects(self)
    }

    /// The roles in the order of the enum.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        (1..u32::BITS as i32).filter_map(|number| Role::try_from(number).ok()).filter(move |role| self.contains(*role))
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for RoleSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter().map(role_name)).finish()
    }
}

/// The name of a role on the command line and in tokens of the local issuer, such as `report_viewer`.
#[must_use]
pub fn role_name(role: Role) -> String {
    role.as_str_name().trim_start_matches("ROLE_").to_ascii_lowercase()
}

/// The role of that name, exactly as [`role_name`] writes it.
#[must_use]
pub fn role_from_name(name: &str) -> Option<Role> {
    let role = Role::from_str_name(&format!("ROLE_{}", name.to_ascii_uppercase()))?;
    (role != Role::Unspecified && role_name(role) == name).then_some(role)
}
