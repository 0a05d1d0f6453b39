//! The commands: each with its flags.

pub mod audit;
pub mod backup;
pub mod config;
pub mod correct_times;
pub mod demo;
pub mod doctor;
pub mod erase;
pub mod export;
pub mod generate;
pub mod glossary;
pub mod import;
pub mod migrate;
pub mod query;
pub mod report;
pub mod serve;
mod service_names;
pub mod token;
pub mod verify;
