//! Microsoft Graph: what a tenant has, and when its users were last active.

pub(crate) mod tenant;
pub(crate) mod user_detail;
