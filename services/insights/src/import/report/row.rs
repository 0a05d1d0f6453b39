//! One row of a subscription report.

use insights_domain::calendar::{Day, Month};
use insights_proto::ingestion::v1::{Attribution, Customer, Location, Sku};

use super::{Notes, Table, values};
use crate::import::{
    Rejection,
    table::{Column, Row},
};

/// What a column is to the reader.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Key {
    Subscription,
    Month,
    Customer,
    CustomerName,
    Segment,
    Market,
    Industry,
    SkuId,
    Sku,
    PartNumber,
    Product,
    RawProduct,
    Free,
    Status,
    Start,
    End,
    AutoRenew,
    Location,
    LocationName,
    LocationCountry,
    AttributionType,
    SalesChannel,
    Duplicate,
    Available,
    Assigned,
    Active,
    Revenue,
}

const fn required(key: Key, names: &'static [&'static str]) -> Column<Key> {
    Column { key, names, required: true }
}

const fn optional(key: Key, names: &'static [&'static str]) -> Column<Key> {
    Column { key, names, required: false }
}

/// What the two reports have in common: the alias table.
macro_rules! columns {
    ($($own:expr),* $(,)?) => {
        &[
            required(Key::Subscription, &["SubscriptionId", "SubscriptionGuid"]),
            required(Key::Month, &["Month"]),
            required(Key::Customer, &["CustomerTenantId", "CustomerTenantGuid", "TenantId"]),
            optional(Key::CustomerName, &["CustomerName"]),
            optional(Key::Segment, &["CustomerSegment"]),
            optional(Key::Market, &["CustomerMarket"]),
            optional(Key::Industry, &["IndustryName", "Industry"]),
            optional(Key::SkuId, &["SKUId", "SKUGuid"]),
            optional(Key::Sku, &["SKU", "SKUName"]),
            optional(Key::PartNumber, &["ProductPartNumber", "SkuPartNumber"]),
            optional(Key::Status, &["SubscriptionState", "SubscriptionStatus"]),
            optional(Key::Start, &["SubscriptionStartDate"]),
            optional(Key::End, &["SubscriptionEndDate"]),
            optional(Key::AutoRenew, &["IsAutoRenew"]),
            optional(Key::Location, &["MPNId", "PartnerID", "PartnerLocationID"]),
            optional(Key::LocationName, &["PartnerName"]),
            optional(Key::LocationCountry, &["PartnerLocation"]),
            optional(Key::AttributionType, &["PartnerAttributionType", "PartnerAttachType"]),
            optional(Key::SalesChannel, &["SalesChannel", "SalesModel"]),
            optional(Key::Duplicate, &["IsDuplicateRowForPGA"]),
            $($own),*
        ]
    };
}

/// SeatsSubscriptionsAndRevenue.
pub(super) const SUBSCRIPTION_COLUMNS: &[Column<Key>] = columns![
    optional(Key::Product, &["Product", "ReportingProductName", "ProductFamily"]),
    optional(Key::RawProduct, &["RawProductName"]),
    required(Key::Available, &["AvailableSeatsEOP", "TotalSoldSeats"]),
    optional(Key::Assigned, &["TotalAssignedSeats", "AssignedSeats"]),
    optional(Key::Revenue, &["BilledRevenueUSD"]),
];

/// Known columns of SeatsSubscriptionsAndRevenue that no figure of ours uses.
pub(super) const SUBSCRIPTION_IGNORED: &[&str] = &[
    "AvailableSeats",
    "AzureConsumedRevenueUSD",
    "CPORActiveUsers",
    "CPORPaidSeats",
    "CPORRevenue",
    "CustomerTpid",
    "DUNSNumber",
    "EOU",
    "EnrollmentNumber",
    "PGAMpnID",
    "PGAPartnerID",
    "PGAPartnerName",
    "PartnerHierarchy",
    "PartnerLocationID",
    "PricingLevel",
    "ProductFamily",
    "ReportingProductName",
    "ResellerID",
    "ResellerName",
    "RevSumCategoryName",
    "RevSumDivisionName",
    "SolutionArea",
    "SubscriptionStartMonth",
    "TopSegment",
    "VerticalName",
];

/// DynamicsUsage.
pub(super) const DYNAMICS_COLUMNS: &[Column<Key>] = columns![
    optional(Key::Free, &["FreeVsPaidSKU"]),
    required(Key::Available, &["AvailableSeats"]),
    optional(Key::Assigned, &["AssignedSeats"]),
    optional(Key::Active, &["ActiveSeats"]),
];

/// Known columns of DynamicsUsage that no figure of ours uses.
pub(super) const DYNAMICS_IGNORED: &[&str] = &[
    "ActiveUsagePercent",
    "CustomerTpid",
    "DUNSNumber",
    "DeploymentOpportunity",
    "DetailedSalesModel",
    "EOU",
    "PGAMpnID",
    "PGAPartnerID",
    "PGAPartnerName",
    "PartnerHierarchy",
    "PartnerLocationID",
    "RevSumCategoryName",
    "RevSumDivisionName",
    "TopSegment",
    "VerticalName",
];

/// Columns that can tell SKUs apart, the best first.
pub(super) const SKU_KEYS: &[Key] = &[Key::SkuId, Key::Sku, Key::PartNumber];

/// A row that is good.
pub(super) struct ParsedRow {
    pub(super) line: u64,
    pub(super) subscription: String,
    pub(super) month: Month,
    pub(super) customer: String,
    pub(super) sku: String,
    pub(super) status: Option<String>,
    pub(super) start: Option<Day>,
    pub(super) end: Option<Day>,
    pub(super) auto_renew: Option<bool>,
    pub(super) sales_channel: Option<String>,
    pub(super) available: i64,
    pub(super) assigned: Option<i64>,
    pub(super) active: Option<i64>,
    pub(super) revenue: Option<String>,
    /// The row only adds an attribution to another.
    pub(super) duplicate: bool,
    pub(super) attribution: Option<Attribution>,
}

/// What the row knows about things it names.
pub(super) struct RowStubs {
    pub(super) customer: Customer,
    pub(super) sku: Sku,
    pub(super) location: Option<Location>,
}

/// Reads one row.
pub(super) fn parse(
    table: &Table<'_, Key>,
    row: &Row,
    product: Option<&str>,
    notes: &mut Notes,
) -> Result<(ParsedRow, RowStubs), Rejection> {
    let read = Reader { table, row };
    let subscription = read.id(Key::Subscription)?;
    let month = read.parsed(Key::Month, values::report_month)?;
    let customer = read.id(Key::Customer)?;
    let sku = read.sku()?;
    let stocks = [Key::Available, Key::Assigned, Key::Active].map(|key| read.parsed(key, values::stock));
    let [available, assigned, active] = stocks;
    let parsed = ParsedRow {
        line: row.line,
        month,
        status: read.text(Key::Status),
        start: read.date(Key::Start)?,
        end: read.date(Key::End)?,
        auto_renew: read.text(Key::AutoRenew).and_then(|word| yes_or_no(&word)),
        sales_channel: read.text(Key::SalesChannel),
        // Products without seats leave the column empty; their status still counts.
        available: available?.unwrap_or(0),
        assigned: assigned?,
        active: active?,
        revenue: read.parsed(Key::Revenue, values::amount)?,
        duplicate: read.text(Key::Duplicate).and_then(|word| yes_or_no(&word)).unwrap_or(false),
        attribution: read.attribution(),
        subscription,
        customer,
        sku,
    };
    let stubs = RowStubs {
        customer: read.customer_stub(&parsed.customer, notes),
        sku: read.sku_stub(&parsed.sku, product),
        location: read.location_stub(notes),
    };
    Ok((parsed, stubs))
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "y" => Some(true),
        "0" | "no" | "false" | "n" => Some(false),
        _ => None,
    }
}

struct Reader<'a, 't> {
    table: &'a Table<'t, Key>,
    row: &'a Row,
}

impl Reader<'_, '_> {
    fn text(&self, key: Key) -> Option<String> {
        self.table.text(self.row, key).map(str::to_owned)
    }

    fn reject(&self, key: Key, reason: String) -> Rejection {
        Rejection { row: self.row.line, field: self.table.name(key).into(), reason }
    }

    fn id(&self, key: Key) -> Result<String, Rejection> {
        self.text(key).map(values::canonical_id).ok_or_else(|| self.reject(key, "is missing".into()))
    }

    fn parsed<T>(&self, key: Key, parse: impl Fn(&str) -> Result<T, values::Fault>) -> Result<T, Rejection> {
        parse(self.table.raw(self.row, key)).map_err(|reason| self.reject(key, reason))
    }

    fn date(&self, key: Key) -> Result<Option<Day>, Rejection> {
        if self.text(key).is_none() {
            return Ok(None);
        }
        self.parsed(key, values::report_date).map(Some)
    }

    fn sku(&self) -> Result<String, Rejection> {
        let sku = SKU_KEYS.iter().chain(&[Key::RawProduct, Key::Product]).find_map(|key| self.text(*key));
        sku.map(values::canonical_id).ok_or_else(|| self.reject(Key::Sku, "is missing".into()))
    }

    fn attribution(&self) -> Option<Attribution> {
        let attribution =
            Attribution { location_id: self.text(Key::Location), r#type: self.text(Key::AttributionType) };
        Some(attribution).filter(|it| it.location_id.is_some() || it.r#type.is_some())
    }

    fn country(&self, key: Key, notes: &mut Notes) -> Option<String> {
        let named = self.text(key)?;
        let code = values::country(&named);
        if code.is_none() {
            notes.unknown_countries.insert(named);
        }
        code
    }

    fn customer_stub(&self, customer_id: &str, notes: &mut Notes) -> Customer {
        Customer {
            customer_id: customer_id.to_owned(),
            name: self.text(Key::CustomerName),
            country: self.country(Key::Market, notes),
            segment: self.text(Key::Segment),
            industry: self.text(Key::Industry),
            ..Customer::default()
        }
    }

    fn sku_stub(&self, sku_id: &str, product: Option<&str>) -> Sku {
        let name = self.text(Key::Sku).or_else(|| self.text(Key::RawProduct)).unwrap_or_else(|| sku_id.to_owned());
        let product = product.map(str::to_owned).or_else(|| self.text(Key::Product)).unwrap_or_else(|| name.clone());
        let free = match self.text(Key::Free) {
            Some(word) => word.eq_ignore_ascii_case("free"),
            None => values::names_free(&name),
        };
        Sku { sku_id: sku_id.to_owned(), name, product, services: Vec::new(), free }
    }

    /// None without a country: a location cannot be stored without one, and attributions do not need it.
    fn location_stub(&self, notes: &mut Notes) -> Option<Location> {
        let location_id = self.text(Key::Location)?;
        let country = self.country(Key::LocationCountry, notes)?;
        Some(Location {
            name: self.text(Key::LocationName).unwrap_or_else(|| location_id.clone()),
            location_id,
            country,
        })
    }
}
