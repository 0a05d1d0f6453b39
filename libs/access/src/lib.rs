//! Who may see what: tokens, policy, redaction.
//!
//! A call passes [`AccessLayer`] before anything decodes it. The layer turns the token into a [`Principal`] with a
//! [`Verifier`], reads what the method demands out of the [`Policy`] that stands in the `.proto` files, and denies whatever
//! no option allows. Handlers take the caller with [`principal`] or [`on_behalf`]; nothing else can make one. Whose rights apply to an
//! answer is always a [`Viewer`], and the [`Redactor`] takes out of it what the viewer may not see.

mod cache;
mod claims;
mod clock;
mod config;
mod denial;
mod field_class;
mod issuer;
mod json;
mod jwks;
mod keys;
mod layer;
mod outgoing;
mod policy;
mod principal;
mod redact;
mod refusal;
mod request;
mod roles;
mod token;
mod verifier;
mod viewer;

pub use clock::Clock;
pub use config::{AccessConfig, ClaimPointers, Trust};
pub use denial::{DOMAIN, UNAUTHENTICATED_TEXT, forbidden, keys_unavailable, unauthenticated};
pub use field_class::{FieldClass, field_classes};
pub use issuer::{Issuer, IssuerError, TokenRequest};
pub use layer::{Access, AccessLayer, Denial, DenialObserver, is_open, is_reflection, is_rpc};
pub use outgoing::{CALLER_HEADER, Outgoing, ServiceTokens};
pub use policy::{Demand, Method, Policy, PolicyError, REPORTING_SERVICE, Redaction};
pub use principal::{Identity, Principal, ServiceIdentity};
pub use redact::Redactor;
pub use refusal::Refusal;
pub use request::{on_behalf, partner_of, principal, service, subject_of};
pub use roles::{Role, RoleSet, role_from_name, role_name};
pub use verifier::Verifier;
pub use viewer::Viewer;
