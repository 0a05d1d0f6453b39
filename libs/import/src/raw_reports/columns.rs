//! The alias table: what the raw reports call their columns. Names are compared without case, blanks, `-` and `_`.

use crate::text::table::TableColumn;

/// What a column is to the reader.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RawReportColumn {
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

const fn required(key: RawReportColumn, names: &'static [&'static str]) -> TableColumn<RawReportColumn> {
    TableColumn { key, names, required: true }
}

const fn optional(key: RawReportColumn, names: &'static [&'static str]) -> TableColumn<RawReportColumn> {
    TableColumn { key, names, required: false }
}

/// What all reports have in common.
macro_rules! columns {
    ($($own:expr),* $(,)?) => {
        &[
            required(RawReportColumn::Month, &["Month", "Date"]),
            required(RawReportColumn::Customer, &["CustomerTenantId", "CustomerTenantGuid", "TenantId"]),
            optional(RawReportColumn::CustomerName, &["CustomerName"]),
            optional(RawReportColumn::Segment, &["CustomerSegment"]),
            optional(RawReportColumn::Market, &["CustomerMarket"]),
            optional(RawReportColumn::Industry, &["IndustryName", "Industry"]),
            optional(RawReportColumn::Location, &["MPNId", "PartnerID", "PartnerLocationID"]),
            optional(RawReportColumn::LocationName, &["PartnerName"]),
            optional(RawReportColumn::LocationCountry, &["PartnerLocation"]),
            optional(RawReportColumn::AttributionType, &["PartnerAttributionType", "PartnerAttachType"]),
            optional(RawReportColumn::Duplicate, &["IsDuplicateRowForPGA"]),
            $($own),*
        ]
    };
}

/// What the reports about SKUs have in common besides.
macro_rules! sku_columns {
    ($($own:expr),* $(,)?) => {
        columns![
            optional(RawReportColumn::SkuId, &["SKUId", "SKUGuid"]),
            optional(RawReportColumn::Sku, &["SKU", "SKUName"]),
            optional(RawReportColumn::PartNumber, &["ProductPartNumber", "SkuPartNumber"]),
            optional(RawReportColumn::SalesChannel, &["SalesChannel", "SalesModel"]),
            optional(RawReportColumn::Free, &["FreeVsPaidSKU"]),
            $($own),*
        ]
    };
}

/// What the two reports about subscriptions have in common besides.
macro_rules! subscription_columns {
    ($($own:expr),* $(,)?) => {
        sku_columns![
            required(RawReportColumn::Subscription, &["SubscriptionId", "SubscriptionGuid"]),
            optional(RawReportColumn::Status, &["SubscriptionState", "SubscriptionStatus"]),
            optional(RawReportColumn::Start, &["SubscriptionStartDate"]),
            optional(RawReportColumn::End, &["SubscriptionEndDate"]),
            optional(RawReportColumn::AutoRenew, &["IsAutoRenew"]),
            // Of our own exports.
            optional(RawReportColumn::PricingModel, &["PricingModel"]),
            optional(RawReportColumn::Seller, &["Seller"]),
            $($own),*
        ]
    };
}

/// SeatsSubscriptionsAndRevenue. `AvailableSeats` is a flow here.
pub(super) const SUBSCRIPTIONS: &[TableColumn<RawReportColumn>] = subscription_columns![
    optional(RawReportColumn::Product, &["Product", "ReportingProductName", "ProductFamily"]),
    optional(RawReportColumn::RawProduct, &["RawProductName"]),
    required(RawReportColumn::Available, &["AvailableSeatsEOP", "TotalSoldSeats"]),
    optional(RawReportColumn::Assigned, &["TotalAssignedSeats", "AssignedSeats"]),
    optional(RawReportColumn::Revenue, &["BilledRevenueUSD"]),
    optional(RawReportColumn::OtherRevenue, &["OtherBilledRevenue"]),
];

/// DynamicsUsage. `AvailableSeats` is the stock here.
pub(super) const DYNAMICS_USAGE: &[TableColumn<RawReportColumn>] = subscription_columns![
    // Of our own exports, which are not always of Dynamics 365.
    optional(RawReportColumn::Product, &["Product"]),
    required(RawReportColumn::Available, &["AvailableSeats"]),
    optional(RawReportColumn::Assigned, &["AssignedSeats"]),
    optional(RawReportColumn::Active, &["ActiveSeats"]),
];

/// CustomersAndTenants. What `AvailableSeats` counts here nobody says, so no figure of ours uses it.
pub(super) const CUSTOMERS: &[TableColumn<RawReportColumn>] = sku_columns![
    optional(RawReportColumn::CustomerStatus, &["CustomerStatus"]),
    optional(RawReportColumn::TenantName, &["CustomerTenantName"]),
    optional(RawReportColumn::TenantCountry, &["CustomerTenantCountry"]),
    optional(RawReportColumn::Domain, &["TenantDomainName"]),
    optional(RawReportColumn::Product, &["Product"]),
    optional(RawReportColumn::RawProduct, &["RawProductName"]),
    optional(RawReportColumn::Revenue, &["BilledRevenueUSD"]),
    optional(RawReportColumn::OtherRevenue, &["OtherBilledRevenue"]),
];

/// OfficeUsage.
pub(super) const OFFICE_USAGE: &[TableColumn<RawReportColumn>] = columns![
    required(RawReportColumn::Workload, &["WorkloadName", "Workload"]),
    required(RawReportColumn::Units, &["PaidAvailableUnits"]),
    required(RawReportColumn::Users, &["MonthlyActiveUsers"]),
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
pub(super) const SKU_KEYS: &[RawReportColumn] =
    &[RawReportColumn::SkuId, RawReportColumn::Sku, RawReportColumn::PartNumber];

/// Where these are missing, what else names what was sold.
pub(super) const PRODUCT_KEYS: &[RawReportColumn] = &[RawReportColumn::RawProduct, RawReportColumn::Product];
