//! The alias table: what the raw reports call their columns. Names are compared without case, blanks, `-` and `_`.

use crate::text::table::Column;

/// What a column is to the reader.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Subscription,
    Month,
    Customer,
    CustomerName,
    CustomerStatus,
    TenantName,
    TenantCountry,
    Domain,
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
    OtherRevenue,
    PricingModel,
    Seller,
    Workload,
    Units,
    Users,
}

const fn required(key: Key, names: &'static [&'static str]) -> Column<Key> {
    Column { key, names, required: true }
}

const fn optional(key: Key, names: &'static [&'static str]) -> Column<Key> {
    Column { key, names, required: false }
}

/// What all reports have in common.
macro_rules! columns {
    ($($own:expr),* $(,)?) => {
        &[
            required(Key::Month, &["Month", "Date"]),
            required(Key::Customer, &["CustomerTenantId", "CustomerTenantGuid", "TenantId"]),
            optional(Key::CustomerName, &["CustomerName"]),
            optional(Key::Segment, &["CustomerSegment"]),
            optional(Key::Market, &["CustomerMarket"]),
            optional(Key::Industry, &["IndustryName", "Industry"]),
            optional(Key::Location, &["MPNId", "PartnerID", "PartnerLocationID"]),
            optional(Key::LocationName, &["PartnerName"]),
            optional(Key::LocationCountry, &["PartnerLocation"]),
            optional(Key::AttributionType, &["PartnerAttributionType", "PartnerAttachType"]),
            optional(Key::Duplicate, &["IsDuplicateRowForPGA"]),
            $($own),*
        ]
    };
}

/// What the reports about SKUs have in common besides.
macro_rules! sku_columns {
    ($($own:expr),* $(,)?) => {
        columns![
            optional(Key::SkuId, &["SKUId", "SKUGuid"]),
            optional(Key::Sku, &["SKU", "SKUName"]),
            optional(Key::PartNumber, &["ProductPartNumber", "SkuPartNumber"]),
            optional(Key::SalesChannel, &["SalesChannel", "SalesModel"]),
            optional(Key::Free, &["FreeVsPaidSKU"]),
            $($own),*
        ]
    };
}

/// What the two reports about subscriptions have in common besides.
macro_rules! subscription_columns {
    ($($own:expr),* $(,)?) => {
        sku_columns![
            required(Key::Subscription, &["SubscriptionId", "SubscriptionGuid"]),
            optional(Key::Status, &["SubscriptionState", "SubscriptionStatus"]),
            optional(Key::Start, &["SubscriptionStartDate"]),
            optional(Key::End, &["SubscriptionEndDate"]),
            optional(Key::AutoRenew, &["IsAutoRenew"]),
            // Of our own exports.
            optional(Key::PricingModel, &["PricingModel"]),
            optional(Key::Seller, &["Seller"]),
            $($own),*
        ]
    };
}

/// SeatsSubscriptionsAndRevenue. `AvailableSeats` is a flow here.
pub(super) const SUBSCRIPTIONS: &[Column<Key>] = subscription_columns![
    optional(Key::Product, &["Product", "ReportingProductName", "ProductFamily"]),
    optional(Key::RawProduct, &["RawProductName"]),
    required(Key::Available, &["AvailableSeatsEOP", "TotalSoldSeats"]),
    optional(Key::Assigned, &["TotalAssignedSeats", "AssignedSeats"]),
    optional(Key::Revenue, &["BilledRevenueUSD"]),
    optional(Key::OtherRevenue, &["OtherBilledRevenue"]),
];

/// DynamicsUsage. `AvailableSeats` is the stock here.
pub(super) const DYNAMICS_USAGE: &[Column<Key>] = subscription_columns![
    // Of our own exports, which are not always of Dynamics 365.
    optional(Key::Product, &["Product"]),
    required(Key::Available, &["AvailableSeats"]),
    optional(Key::Assigned, &["AssignedSeats"]),
    optional(Key::Active, &["ActiveSeats"]),
];

/// CustomersAndTenants. What `AvailableSeats` counts here nobody says, so no figure of ours uses it.
pub(super) const CUSTOMERS: &[Column<Key>] = sku_columns![
    optional(Key::CustomerStatus, &["CustomerStatus"]),
    optional(Key::TenantName, &["CustomerTenantName"]),
    optional(Key::TenantCountry, &["CustomerTenantCountry"]),
    optional(Key::Domain, &["TenantDomainName"]),
    optional(Key::Product, &["Product"]),
    optional(Key::RawProduct, &["RawProductName"]),
    optional(Key::Revenue, &["BilledRevenueUSD"]),
    optional(Key::OtherRevenue, &["OtherBilledRevenue"]),
];

/// OfficeUsage.
pub(super) const OFFICE_USAGE: &[Column<Key>] = columns![
    required(Key::Workload, &["WorkloadName", "Workload"]),
    required(Key::Units, &["PaidAvailableUnits"]),
    required(Key::Users, &["MonthlyActiveUsers"]),
];

/// Known columns that no figure of ours uses.
pub(super) const IGNORED: &[&str] = &[
    "ActiveUsagePercent",
    "AvailableSeats",
    "AzureConsumedRevenueUSD",
    "CPORActiveUsers",
    "CPORPaidSeats",
    "CPORRevenue",
    "ClaimId",
    "CustomerTpid",
    "DUNSNumber",
    "DateAssociated",
    "DeploymentOpportunity",
    "DetailedSalesModel",
    "EOU",
    "EnrollmentNumber",
    "IsTrial",
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

/// Columns that can tell SKUs apart, the best first.
pub(super) const SKU_KEYS: &[Key] = &[Key::SkuId, Key::Sku, Key::PartNumber];

/// Where these are missing, what else names what was sold.
pub(super) const PRODUCT_KEYS: &[Key] = &[Key::RawProduct, Key::Product];
