//! `insights report`: its flags.

use clap::Args;

use crate::commands::query::ScopeName;

// House: one field for each flag.
/// `insights report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Which dashboard.
    pub page: DashboardName,
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
    pub countries_by: Option<CountryOrderName>,
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
pub enum CountryOrderName {
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

/// A dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DashboardName {
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
