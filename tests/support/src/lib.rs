//! Starts what tests need: a throw-away PostgreSQL, processes of the product and the network between them, an issuer of tokens.

mod authority;
mod cluster;
mod issuer;
pub mod keys;
pub mod older;
mod port;
mod postgres;
mod process;
mod proxy;
mod secret;
mod server;
pub mod small;
pub mod traces;
mod wait;
pub mod wire;

pub use authority::{Authority, Signed};
pub use cluster::{Cluster, Plan, Shape};
pub use issuer::IdentityProvider;
pub use port::{free_address, free_port};
pub use postgres::{Postgres, TempDatabase, number, sql};
pub use process::{GENERATED_AT, Process, Spec, insights, insights_at_fixed_time};
pub use proxy::{Network, Proxy, Target};
pub use secret::write_secret;
pub use server::{Server, SmallDisk};
pub use wait::{PATIENCE, found, until};
