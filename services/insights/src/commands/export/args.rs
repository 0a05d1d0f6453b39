//! `insights export`: its subcommands and flags.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::commands::query::QueryArgs;

/// What to do with exports.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Order a file of the rows of a query, or of a report.
    Create(CreateExportArgs),
    /// Show the first rows an export would have.
    Preview(ExportOrderArgs),
    /// List your exports, newest first.
    List,
    /// Say how far an export is.
    Get(ExportIdArgs),
    /// Fetch the file of an export; a download that broke off goes on where it did.
    Download(DownloadExportArgs),
    /// Stop an export.
    Cancel(ExportIdArgs),
    /// Remove an export and its file.
    Delete(ExportIdArgs),
}

/// What to export.
#[derive(Debug, Args)]
pub struct ExportOrderArgs {
    /// The query.
    #[command(flatten)]
    pub shape: QueryArgs,
    /// A report in the place of --measures and --by, under the names of columns that the incumbent's reports have.
    #[arg(long, value_enum, value_name = "NAME", conflicts_with_all = ["measures", "by", "basis"])]
    pub report: Option<ReportName>,
    /// Columns of the report, separated by commas, in the order of the file [default: all].
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', requires = "report")]
    pub columns: Vec<String>,
    /// How to write the file.
    #[arg(long, value_enum, default_value = "csv")]
    pub format: FileFormatName,
    /// What the file is to be called, without an ending.
    #[arg(long, default_value = "")]
    pub name: String,
}

/// `insights export create`.
#[derive(Debug, Args)]
pub struct CreateExportArgs {
    /// What to export.
    #[command(flatten)]
    pub ordered: ExportOrderArgs,
    /// A name for the order: the same again answers the same export.
    #[arg(long, default_value = "")]
    pub request_id: String,
    /// Wait until the file is there.
    #[arg(long)]
    pub wait: bool,
    /// Wait, then fetch the file to here: a file, or a directory.
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
}

/// An export.
#[derive(Debug, Args)]
pub struct ExportIdArgs {
    /// Its id.
    pub id: String,
}

/// `insights export download`.
#[derive(Debug, Args)]
pub struct DownloadExportArgs {
    /// The id of the export.
    pub id: String,
    /// Where to: a file, or a directory [default: here, under the name of the export].
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Write what is said of the file beside it, as FILE.manifest.json.
    #[arg(long)]
    pub manifest: bool,
}

/// How a file is written, as flags spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FileFormatName {
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// A workbook.
    Xlsx,
    /// Apache Parquet.
    Parquet,
}

/// A report, as flags spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportName {
    /// Customers by SKU and month: status, seats, billed revenue.
    Customers,
    /// Subscriptions by month: state, seats, billed revenue.
    Subscriptions,
    /// Users of each customer by service and month.
    OfficeUsage,
    /// Seats and their use by subscription and month, of Dynamics 365.
    DynamicsUsage,
    /// The same of any product.
    LicenceUsage,
}
