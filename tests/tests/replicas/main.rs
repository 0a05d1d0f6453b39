//! Several processes of the product on one PostgreSQL: what holds when services are replicated, restarted one after the other,
//! and cut off from each other. With `INSIGHTS_LONG=1` more of it.

mod balance;
mod behind;
mod caller;
mod cut;
mod figures;
mod ingress;
mod network;
mod platform;
mod roles;
mod rolling;
mod silent;
mod tls;
mod tokens;
mod traces;
