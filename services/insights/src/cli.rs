//! The command line: names, flags, help with examples first.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    audit::AuditArgs,
    backup::{BackupArgs, RestoreArgs},
    demo::DemoArgs,
    erase::EraseArgs,
    export::ExportCommand,
    generate::GenerateArgs,
    glossary::GlossaryArgs,
    import::ImportArgs,
    migrate::MigrateArgs,
    query::QueryArgs,
    report::ReportArgs,
    serve::ServeArgs,
    token::TokenArgs,
};

/// Partner Insights: how many customers, seats and users, and why.
#[derive(Debug, Parser)]
#[command(
    name = "insights",
    version,
    max_term_width = 110,
    subcommand_required = true,
    arg_required_else_help = true,
    before_help = "Examples:\n  \
        insights demo                       the product on this machine, with a generated partner\n  \
        insights import ndjson facts.ndjson\n  \
        insights query --measures customers,active_customers --from 2026-01 --to 2026-06 --by country\n"
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Default, Args)]
pub struct Common {
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Settings file, TOML [env: INSIGHTS_CONFIG].
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where databases, keys and tokens of this machine are kept [env: INSIGHTS_DATA_DIR].
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The server to talk to [env: INSIGHTS_SERVER] [default: http://127.0.0.1:8080].
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// The file with the caller's token [env: INSIGHTS_TOKEN_FILE] [default: the demo's].
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The language of titles and terms: en or pt [default: that of LC_ALL, LC_MESSAGES or LANG].
    #[arg(long, global = true, value_name = "LANG")]
    pub language: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the product on this machine: a generated partner, all services in one process, a sign-in for each role.
    #[command(before_help = "Examples:\n  \
        insights demo                       then open the URL it prints\n  \
        insights demo --once --json         the key figures, and done\n")]
    Demo(DemoArgs),
    /// Run the services.
    #[command(before_help = "Examples:\n  \
        insights serve --data-dir ./data    everything in one process on SQLite, empty until something is imported\n  \
        insights serve --service metrics --config insights.toml\n")]
    Serve(ServeArgs),
    /// Bring the databases to this version.
    #[command(before_help = "Examples:\n  \
        insights migrate --check          say what is pending, change nothing\n  \
        insights migrate --roles | psql -d insights      one PostgreSQL role per service\n")]
    Migrate(MigrateArgs),
    /// Copy the data directory of an installation on SQLite, while it is served or not.
    #[command(before_help = "Examples:\n  insights backup /backups/2026-11-22 --data-dir /var/lib/insights\n")]
    Backup(BackupArgs),
    /// Make a data directory from a backup.
    #[command(before_help = "Examples:\n  insights restore /backups/2026-11-22 --data-dir /var/lib/insights\n")]
    Restore(RestoreArgs),
    /// Make a token of the local development issuer of a data directory.
    #[command(before_help = "Examples:\n  \
        insights token --role report_viewer --partner acme --out viewer.jwt\n  \
        insights token --role data_source --partner acme --ttl 30d --out source.jwt\n")]
    Token(TokenArgs),
    /// Import files.
    #[command(
        before_help = "Examples:\n  \
        insights import ndjson facts.ndjson --dry-run\n  \
        insights import insights-subscriptions SeatsSubscriptionsAndRevenue.csv\n  \
        insights import --template subscription > subscription.csv\n  \
        insights import csv subscription.csv\n  \
        insights import product-names \"Product names and service plan identifiers for licensing.csv\"\n  \
        insights import ./downloads         finds out what the files in it are\n  \
        insights import graph-user-detail users.csv --customer c0ffee00-0001-4e00-9e00-0000000000aa\n",
        after_help = "Formats: ndjson, csv, parquet, product-names, pc-customers, pc-subscriptions, pc-subscribed-skus,\n  \
        insights-customers, insights-subscriptions, insights-dynamics-usage, insights-office-usage,\n  \
        graph-subscribed-skus, graph-subscriptions, graph-user-detail\n"
    )]
    Import(ImportArgs),
    /// Ask for measures by month and dimensions.
    #[command(before_help = "Examples:\n  \
        insights query --measures customers,new,churned --from 2026-01 --to 2026-06\n  \
        insights query --measures usage_percent --by product,country --from 2026-06 --to 2026-06 --json\n  \
        insights query --measures available --filter trial=false --filter country=BR,PT --from 2026-01 --to 2026-06\n")]
    Query(QueryArgs),
    /// Say why a usage percentage is what it is.
    #[command(before_help = "Examples:\n  \
        insights explain --measures usage_percent --by service --from 2026-06 --to 2026-06\n")]
    Explain(QueryArgs),
    /// Show a dashboard, or advice, in the terminal.
    #[command(before_help = "Examples:\n  \
        insights report customers\n  \
        insights report adoption --customer C-00042\n  \
        insights report customers --countries-by new --all\n  \
        insights report dynamics --filter country=DE\n  \
        insights report dynamics --product \"Office 365\" --search contoso\n  \
        insights report advice --filter country=DE\n")]
    Report(ReportArgs),
    /// Order, list and fetch files of figures: CSV, TSV, XLSX, Parquet.
    #[command(
        subcommand,
        before_help = "Examples:\n  \
        insights export create --measures available,active --by customer,sku --from 2026-01 --to 2026-06 --out seats.csv\n  \
        insights export create --measures customers --by country --from 2026-01 --to 2026-06 --format xlsx --wait\n  \
        insights export create --report subscriptions --from 2026-01 --to 2026-06 --out subscriptions.csv\n  \
        insights export list\n  \
        insights export download 0123456789abcdef0123456789abcdef --out ./downloads\n"
    )]
    Export(ExportCommand),
    /// Say what the words and numbers mean and how they are computed.
    #[command(before_help = "Examples:\n  \
        insights glossary                   everything\n  \
        insights glossary usage --language pt\n")]
    Glossary(GlossaryArgs),
    /// List who read and sent what, newest first; for the Global admin.
    #[command(before_help = "Examples:\n  \
        insights audit --outcome PERMISSION_DENIED\n  \
        insights audit --who ada --method GetCustomersDashboard --from 2026-11-01 --json\n")]
    Audit(AuditArgs),
    /// Erase a customer or a user everywhere, and refuse its records from then on; for the Global admin.
    #[command(before_help = "Examples:\n  \
        insights erase --customer C-00042                 says what would go, and how to confirm it\n  \
        insights erase --customer C-00042 --confirm TEXT\n  \
        insights erase --user ada@contoso.example --yes\n  \
        insights erase --allow --customer C-00042         its records may come again\n")]
    Erase(EraseArgs),
    /// Make a believable partner as records of our own.
    #[command(before_help = "Examples:\n  \
        insights generate --customers 500 --months 24 --seed 1 --out ./facts\n  \
        insights import ndjson ./facts\n")]
    Generate(GenerateArgs),
    /// Recompute all figures from the facts and compare.
    #[command(before_help = "Examples:\n  insights verify\n")]
    Verify,
    /// Check the set-up and say what to do.
    #[command(before_help = "Examples:\n  insights doctor\n")]
    Doctor,
    /// Bring what a clock that was ahead has dated back to now. Stop ingestion before.
    #[command(before_help = "Examples:\n  insights correct-times --data-dir /var/lib/insights\n")]
    CorrectTimes,
    /// Print every setting and where it comes from.
    #[command(before_help = "Examples:\n  INSIGHTS_PORT=9000 insights config\n")]
    Config,
}
