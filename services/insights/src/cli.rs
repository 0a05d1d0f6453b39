//! The command line: names, flags, help with examples first.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use insights_import::{RecordKind, template::Form};

use crate::commands::query::{ScopeName, Shape};

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
    Demo(Demo),
    /// Run the services.
    #[command(before_help = "Examples:\n  \
        insights serve --data-dir ./data    everything in one process on SQLite, empty until something is imported\n  \
        insights serve --service metrics --config insights.toml\n")]
    Serve(Serve),
    /// Bring the databases to this version.
    #[command(before_help = "Examples:\n  \
        insights migrate --check          say what is pending, change nothing\n  \
        insights migrate --roles | psql -d insights      one PostgreSQL role per service\n")]
    Migrate(Migrate),
    /// Copy the data directory of an installation on SQLite, while it is served or not.
    #[command(before_help = "Examples:\n  insights backup /backups/2026-11-22 --data-dir /var/lib/insights\n")]
    Backup(Backup),
    /// Make a data directory from a backup.
    #[command(before_help = "Examples:\n  insights restore /backups/2026-11-22 --data-dir /var/lib/insights\n")]
    Restore(Restore),
    /// Make a token of the local development issuer of a data directory.
    #[command(before_help = "Examples:\n  \
        insights token --role report_viewer --partner acme > viewer.jwt\n  \
        insights token --role data_source --partner acme --ttl 30d > source.jwt\n")]
    Token(Token),
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
    Import(Import),
    /// Ask for measures by month and dimensions.
    #[command(before_help = "Examples:\n  \
        insights query --measures customers,new,churned --from 2026-01 --to 2026-06\n  \
        insights query --measures usage_percent --by product,country --from 2026-06 --to 2026-06 --json\n  \
        insights query --measures available --filter trial=false --filter country=BR,PT --from 2026-01 --to 2026-06\n")]
    Query(Shape),
    /// Say why a usage percentage is what it is.
    #[command(before_help = "Examples:\n  \
        insights explain --measures usage_percent --by service --from 2026-06 --to 2026-06\n")]
    Explain(Shape),
    /// Show a dashboard, or advice, in the terminal.
    #[command(before_help = "Examples:\n  \
        insights report customers\n  \
        insights report adoption --customer C-00042\n  \
        insights report customers --countries-by new --all\n  \
        insights report dynamics --filter country=DE\n  \
        insights report dynamics --product \"Office 365\" --search contoso\n  \
        insights report advice --filter country=DE\n")]
    Report(Report),
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
    Export(crate::cli_export::Export),
    /// Say what the words and numbers mean and how they are computed.
    #[command(before_help = "Examples:\n  \
        insights glossary                   everything\n  \
        insights glossary usage --language pt\n")]
    Glossary(Glossary),
    /// List who read what, newest first; for the Global admin.
    #[command(before_help = "Examples:\n  \
        insights audit --outcome PERMISSION_DENIED\n  \
        insights audit --who ada --method GetCustomersDashboard --from 2026-11-01 --json\n")]
    Audit(crate::commands::audit::Wanted),
    /// Make a believable partner as records of our own.
    #[command(before_help = "Examples:\n  \
        insights generate --customers 500 --months 24 --seed 1 --out ./facts\n  \
        insights import ndjson ./facts\n")]
    Generate(Generate),
    /// Recompute all figures from the facts and compare.
    #[command(before_help = "Examples:\n  insights verify\n")]
    Verify,
    /// Check the set-up and say what to do.
    #[command(before_help = "Examples:\n  insights doctor\n")]
    Doctor,
    /// Print every setting and where it comes from.
    #[command(before_help = "Examples:\n  INSIGHTS_PORT=9000 insights config\n")]
    Config,
}

/// `insights demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The port to listen on; 0: any that is free [default: 8080].
    #[arg(long)]
    pub port: Option<u16>,
    /// How many customers to make.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub customers: u32,
    /// Print the key figures and exit; without --data-dir nothing is kept.
    #[arg(long)]
    pub once: bool,
}

/// A service of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Service {
    /// Takes records in.
    Ingestion,
    /// Computes figures.
    Metrics,
    /// Answers people.
    Reporting,
}

/// `insights serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Only this service; may be repeated [default: all].
    #[arg(long)]
    pub service: Vec<Service>,
    /// The address to listen on [default: 127.0.0.1].
    #[arg(long)]
    pub host: Option<String>,
    /// The port to listen on; 0: any that is free [default: 8080].
    #[arg(long)]
    pub port: Option<u16>,
}

/// `insights migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Only this service's database; may be repeated [default: all].
    #[arg(long, conflicts_with = "roles")]
    pub service: Vec<Service>,
    /// Say what is pending and change nothing; exit code 1 when something is.
    #[arg(long)]
    pub check: bool,
    /// Print the SQL that makes one PostgreSQL role per service, each with its own tables only, and do nothing.
    #[arg(long, conflicts_with = "check")]
    pub roles: bool,
}

/// `insights backup`.
#[derive(Debug, Args)]
pub struct Backup {
    /// The directory to make.
    #[arg(value_name = "DIR")]
    pub to: PathBuf,
}

/// `insights restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// What `insights backup` made.
    #[arg(value_name = "DIR")]
    pub from: PathBuf,
}

/// `insights token`.
#[derive(Debug, Args)]
pub struct Token {
    /// A role the bearer holds; may be repeated.
    #[arg(long, required = true)]
    pub role: Vec<String>,
    /// The partner whose data the bearer sees.
    #[arg(long)]
    pub partner: String,
    /// A partner location the bearer is bound to; may be repeated.
    #[arg(long)]
    pub location: Vec<String>,
    /// How long the token is valid: a number and s, m, h or d.
    #[arg(long, default_value = "1h", value_parser = crate::commands::token::duration)]
    pub ttl: std::time::Duration,
}

/// `insights import`.
#[derive(Debug, Args)]
pub struct Import {
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
    #[arg(long, value_parser = crate::commands::import::month)]
    pub month: Option<insights_domain::calendar::Month>,
    /// The partner's own tenant, which tells what it sold itself [default: the partner of the token].
    #[arg(long, value_name = "TENANT")]
    pub own_tenant: Option<String>,
    /// Check and count, store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Exit code 1 when a row is rejected; the good rows are imported all the same.
    #[arg(long)]
    pub strict: bool,
    /// Return once everything is stored, without waiting until the figures show it.
    #[arg(long)]
    pub no_wait: bool,
}

/// `insights report`.
#[derive(Debug, Args)]
pub struct Report {
    /// Which dashboard.
    pub page: Page,
    /// One customer by id.
    #[arg(long)]
    pub customer: Option<String>,
    /// First month, YYYY-MM; default: twelve months that end with the data.
    #[arg(long, requires = "to")]
    pub from: Option<String>,
    /// Last month, YYYY-MM.
    #[arg(long, requires = "from")]
    pub to: Option<String>,
    /// DIMENSION=VALUE,…; values of one filter are united, filters of several dimensions must all hold.
    #[arg(long, value_name = "DIM=V,…")]
    pub filter: Vec<String>,
    /// Which subscriptions are looked at [default: sold-or-managed; all for adoption and advice].
    #[arg(long)]
    pub scope: Option<ScopeName>,
    /// Of the usage report: a product instead of Dynamics; may be repeated.
    #[arg(long)]
    pub product: Vec<String>,
    /// Of the usage report: subscriptions of customers whose id or name contains this, instead of those with most revenue.
    #[arg(long, value_name = "TEXT", conflicts_with = "all_subscriptions")]
    pub search: Option<String>,
    /// Of the usage report: every subscription.
    #[arg(long)]
    pub all_subscriptions: bool,
    /// Of the customers report: what markets stand in order of, the most first [default: customers].
    #[arg(long, value_name = "COLUMN")]
    pub countries_by: Option<CountriesBy>,
    /// The least first; codes and names always go from A to Z.
    #[arg(long, requires = "countries_by")]
    pub countries_ascending: bool,
    /// Of the customers report: only markets with this in their code or name.
    #[arg(long, value_name = "TEXT")]
    pub country_search: Option<String>,
    /// Show long lists to their ends.
    #[arg(long)]
    pub all: bool,
    /// Count grace as good standing.
    #[arg(long)]
    pub include_grace: bool,
    /// Count free SKUs.
    #[arg(long)]
    pub include_free: bool,
}

/// What markets stand in order of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CountriesBy {
    /// Customers at the end of the range.
    Customers,
    /// Those of them with activity.
    #[value(alias = "active_customers")]
    ActiveCustomers,
    /// Customers added over the range.
    New,
    /// The market's code.
    Code,
    /// The market's name.
    Name,
}

/// `insights glossary`.
#[derive(Debug, Args)]
pub struct Glossary {
    /// Part of a term or of its definition [default: all terms].
    #[arg(default_value = "")]
    pub search: String,
}

/// A dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Page {
    /// Customers.
    Customers,
    /// Dynamics usage, or that of any product.
    #[value(alias = "dynamics")]
    DynamicsUsage,
    /// Licence adoption.
    Adoption,
    /// What to advise customers.
    Advice,
}

/// `insights generate`.
#[derive(Debug, Args)]
pub struct Generate {
    /// How many customers.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub customers: u32,
    /// How many months, the month of --end included.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=120))]
    pub months: u32,
    /// The same seed gives the same partner.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The directory to write to; one file per kind.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The last day with data, YYYY-MM-DD [default: today].
    #[arg(long, value_parser = crate::commands::generate::day)]
    pub end: Option<insights_domain::calendar::Day>,
}
