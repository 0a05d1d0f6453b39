//! The formats there are: which one a file has, and the reader of each.

mod recognise;

use std::io;

use crate::reader::{Notes, ReadError, ReadOptions, Sink};
use crate::text::order::OrderedFile;
use crate::{graph, own, partner_center, product_names, raw_reports};

pub use recognise::{Recognised, recognise};

/// A file format that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Our own records, one JSON object per line.
    Ndjson,
    /// Our own records, CSV or TSV, one kind a file.
    Csv,
    /// Our own records, Parquet, one kind a file.
    Parquet,
    /// "Product names and service plan identifiers for licensing", CSV.
    ProductNames,
    /// Partner Center: customers, JSON.
    PcCustomers,
    /// Partner Center: a customer's subscriptions, JSON.
    PcSubscriptions,
    /// Partner Center: a customer's licences, JSON.
    PcSubscribedSkus,
    /// Partner Center Insights raw report CustomersAndTenants, CSV or TSV.
    InsightsCustomers,
    /// Partner Center Insights raw report SeatsSubscriptionsAndRevenue, CSV or TSV.
    InsightsSubscriptions,
    /// Partner Center Insights raw report DynamicsUsage, CSV or TSV.
    InsightsDynamicsUsage,
    /// Partner Center Insights raw report OfficeUsage, CSV or TSV.
    InsightsOfficeUsage,
    /// Microsoft Graph: a customer's subscribedSkus, JSON.
    GraphSubscribedSkus,
    /// Microsoft Graph: a customer's directory subscriptions, JSON.
    GraphSubscriptions,
    /// Microsoft Graph: getOffice365ActiveUserDetail of a customer, CSV.
    GraphUserDetail,
}

impl Format {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        use clap::ValueEnum as _;
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether its files are about one customer and do not say which.
    #[must_use]
    pub const fn needs_customer(self) -> bool {
        use Format::{GraphSubscribedSkus, GraphSubscriptions, GraphUserDetail, PcSubscribedSkus, PcSubscriptions};
        matches!(self, PcSubscriptions | PcSubscribedSkus | GraphSubscribedSkus | GraphSubscriptions | GraphUserDetail)
    }

    /// Whether its files say how things stand without saying when.
    #[must_use]
    pub const fn takes_month(self) -> bool {
        use Format::{GraphSubscribedSkus, GraphSubscriptions, PcSubscribedSkus, PcSubscriptions};
        matches!(self, PcSubscriptions | PcSubscribedSkus | GraphSubscribedSkus | GraphSubscriptions)
    }
}

/// Reads a whole file of the given format into `sink`.
pub fn read(
    format: Format,
    input: &mut dyn io::BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    match list_of_dated(format) {
        None => read_ordered(format, input, options, sink),
        Some(list) => {
            let OrderedFile { mut input, order } = OrderedFile::read(input, list, options.dates)?;
            let notes = read_ordered(format, &mut input, &ReadOptions { dates: order, ..options.clone() }, sink)?;
            Ok(OrderedFile::noted(order, notes))
        }
    }
}

/// The member that holds the list, in formats of others whose files hold dates; where they are JSON.
const fn list_of_dated(format: Format) -> Option<&'static str> {
    use Format::{
        Csv, GraphSubscribedSkus, GraphSubscriptions, GraphUserDetail, InsightsCustomers, InsightsDynamicsUsage,
        InsightsOfficeUsage, InsightsSubscriptions, Ndjson, Parquet, PcCustomers, PcSubscribedSkus, PcSubscriptions,
        ProductNames,
    };
    match format {
        PcSubscriptions => Some("items"),
        InsightsCustomers
        | InsightsSubscriptions
        | InsightsDynamicsUsage
        | InsightsOfficeUsage
        | GraphSubscriptions
        | GraphUserDetail => Some("value"),
        Ndjson | Csv | Parquet | ProductNames | PcCustomers | PcSubscribedSkus | GraphSubscribedSkus => None,
    }
}

fn read_ordered(
    format: Format,
    input: &mut dyn io::BufRead,
    options: &ReadOptions,
    sink: &mut dyn Sink,
) -> Result<Notes, ReadError> {
    match format {
        Format::Ndjson => own::ndjson::read(input, sink),
        Format::Csv => own::csv::read(input, options, sink),
        Format::Parquet => own::parquet::read(input, options, sink),
        Format::ProductNames => product_names::read(input, sink),
        Format::PcCustomers => partner_center::customers(input, options, sink),
        Format::PcSubscriptions => partner_center::subscriptions(input, options, sink),
        Format::PcSubscribedSkus => partner_center::subscribed_skus(input, options, sink),
        Format::InsightsCustomers => raw_reports::customers(input, options, sink),
        Format::InsightsSubscriptions => raw_reports::subscriptions(input, options, sink),
        Format::InsightsDynamicsUsage => raw_reports::dynamics_usage(input, options, sink),
        Format::InsightsOfficeUsage => raw_reports::office_usage(input, options, sink),
        Format::GraphSubscribedSkus => graph::tenant::subscribed_skus(input, options, sink),
        Format::GraphSubscriptions => graph::tenant::subscriptions(input, options, sink),
        Format::GraphUserDetail => graph::user_detail::read(input, options, sink),
    }
}
