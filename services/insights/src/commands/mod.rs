//! What each command does.

pub mod audit;
pub mod backup;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod export;
mod export_download;
pub mod generate;
pub mod glossary;
pub mod import;
pub mod migrate;
pub mod query;
pub mod report;
pub mod serve;
pub mod template;
pub mod token;
pub mod verify;
