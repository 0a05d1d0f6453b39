//! The product put together: its settings, and its services in one process or some of them beside others elsewhere. The binary and
//! the tests start the same.

mod error;
mod files;
mod links;
mod private;
mod product;
mod service;
mod settings;

pub use error::StartError;
pub use files::{database_url, user_key};
pub use private::{check_secret, is_mounted, make_private, open_to_others, write_private};
pub use product::Product;
pub use service::Service;
pub use settings::{
    Given, IngestionSettings, MetricsSettings, Origin, Resolved, Settings, listed, resolve, token_path,
};
