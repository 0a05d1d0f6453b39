//! Ready sign-ins that the page offers in a demo.

use std::{fmt, sync::Arc};

use serde::Serialize;

/// A ready sign-in.
#[derive(Clone, Serialize)]
pub struct DevelopmentToken {
    /// The role's name, such as `report_viewer`.
    pub role: String,
    /// The label of its button, such as `Report viewer`.
    pub name: String,
    /// The token.
    pub token: String,
}

/// Mints the ready sign-ins on every request, so that they never expire.
#[derive(Clone)]
pub struct DevelopmentTokens(Arc<dyn Fn() -> Vec<DevelopmentToken> + Send + Sync>);

impl DevelopmentTokens {
    /// Sign-ins from a function.
    pub fn new(mint: impl Fn() -> Vec<DevelopmentToken> + Send + Sync + 'static) -> Self {
        Self(Arc::new(mint))
    }

    pub(super) fn mint(&self) -> Vec<DevelopmentToken> {
        (self.0)()
    }
}

impl fmt::Debug for DevelopmentTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DevelopmentTokens(***)")
    }
}
