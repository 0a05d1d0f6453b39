//! Who looks at the products.

use insights_access::Role;

/// What a caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sees {
    pub revenue: bool,
    pub personal: bool,
    /// What is attributed to no location of theirs.
    pub elsewhere: bool,
}

/// A caller with roles, bound to locations or unbound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The `sub` of their token.
    pub name: &'static str,
    pub roles: &'static [Role],
    pub locations: &'static [&'static str],
    pub sees: Sees,
}

const fn caller(
    name: &'static str,
    roles: &'static [Role],
    locations: &'static [&'static str],
    sees_all: bool,
) -> Caller {
    Caller {
        name,
        roles,
        locations,
        sees: Sees { revenue: sees_all, personal: sees_all, elsewhere: locations.is_empty() },
    }
}

/// Every role alone, all together that see less, and some that are bound.
pub static CALLERS: [Caller; 13] = [
    caller("global-admin", &[Role::GlobalAdmin], &[], true),
    caller("executive", &[Role::ExecutiveReportViewer], &[], true),
    caller("executive-bound", &[Role::ExecutiveReportViewer], &["L1"], true),
    caller("account-admin", &[Role::AccountAdmin], &[], false),
    caller("user-admin", &[Role::UserManagementAdmin], &[], false),
    caller("admin-agent", &[Role::AdminAgent], &[], false),
    caller("admin-agent-bound", &[Role::AdminAgent], &["L1"], false),
    caller("sales-agent", &[Role::SalesAgent], &[], false),
    caller("sales-agent-bound", &[Role::SalesAgent], &["L2"], false),
    caller("viewer", &[Role::ReportViewer], &[], false),
    caller("viewer-bound", &[Role::ReportViewer], &["L1", "L2"], false),
    caller("source", &[Role::DataSource], &[], false),
    caller(
        "much",
        &[
            Role::AccountAdmin,
            Role::UserManagementAdmin,
            Role::AdminAgent,
            Role::SalesAgent,
            Role::ReportViewer,
            Role::DataSource,
        ],
        &[],
        false,
    ),
];
