//! `insights import`: its flags.

use std::path::PathBuf;

use clap::Args;
use insights_domain::calendar::Month;
use insights_import::{DateOrder, RecordKind, template::Form};

// House: one field for each flag of the command.
/// `insights import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The format, then the files; without a format, files and folders that say by their content what they are.
    #[arg(required_unless_present = "template", value_name = "FORMAT] [FILE")]
    pub given: Vec<PathBuf>,
    /// Print a file to begin with for a kind of our own records, and do nothing else.
    #[arg(long, value_name = "KIND", hide_possible_values = true, conflicts_with = "given")]
    pub template: Option<RecordKind>,
    /// How to write the template.
    #[arg(long = "as", value_name = "FORM", default_value = "csv", requires = "template")]
    pub form: Form,
    /// The kind of records in csv and parquet files [default: by their columns and names].
    #[arg(long, value_name = "KIND", hide_possible_values = true)]
    pub kind: Option<RecordKind>,
    /// The customer the files are about; for formats whose files do not say.
    #[arg(long)]
    pub customer: Option<String>,
    /// The month the files are about, YYYY-MM; for formats whose files do not say [default: when the file was made].
    #[arg(long, value_parser = month)]
    pub month: Option<Month>,
    /// What comes first in dates such as 3/4/2026, day (dmy) or month (mdy), for files that do not tell.
    #[arg(long, value_name = "ORDER")]
    pub dates: Option<DateOrder>,
    /// The partner's own tenant, which tells what it sold itself [default: the partner of the token].
    #[arg(long, value_name = "TENANT")]
    pub own_tenant: Option<String>,
    /// Check and count, show what it would do to the figures, store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Exit code 1 when a row is rejected; the good rows are imported all the same.
    #[arg(long)]
    pub strict: bool,
    /// Let a list end more than a fifth of what the list before it named; without it, such a list ends nothing and is named.
    #[arg(long)]
    pub confirm: bool,
    /// Take the months of raw reports for whole: rows that came before and are not in the file are taken out.
    #[arg(long)]
    pub replace: bool,
    /// Return once everything is stored, without waiting until the figures show it.
    #[arg(long)]
    pub no_wait: bool,
}

/// A month, as flags spell it.
fn month(text: &str) -> Result<Month, String> {
    text.parse().map_err(|fault| format!("{fault}"))
}
