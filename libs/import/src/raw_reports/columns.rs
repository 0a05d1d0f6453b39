//! The alias table: what the raw reports call their columns. Names are compared without case, blanks, `-` and `_`.

use crate::text::table::TableColumn;

/// What a column is to the reader.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ReportColumn {
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

const fn required(key: ReportColumn, names: &'static [&'static str]) -> TableColumn<ReportColumn> {
    TableColumn { key, names, required: true }
}

const fn optional(key: ReportColumn, names: &'static [&'static str]) -> TableColumn<ReportColumn> {
    TableColumn { key, names, required: false }
}

/// What all reports have in common.
macro_rules! columns {
    ($($own:expr),* $(,)?) => {
        &[
            required(ReportColumn::Month, &["Month", "Date"]),
            required(ReportColumn::Customer, &["CustomerTenantId", "CustomerTenantGuid", "TenantId"]),
            optional(ReportColumn::CustomerName, &["CustomerName"]),
            optional(ReportColumn::Segment, &["CustomerSegment"]),
            optional(ReportColumn::Market, &["CustomerMarket"]),
            optional(ReportColumn::Industry, &["IndustryName", "Industry"]),
            optional(ReportColumn::Location, &["MPNId", "PartnerID", "PartnerLocationID"]),
            optional(ReportColumn::LocationName, &["PartnerName"]),
            optional(ReportColumn::LocationCountry, &["PartnerLocation"]),
            optional(ReportColumn::AttributionType, &["PartnerAttributionType", "PartnerAttachType"]),
            optional(ReportColumn::Duplicate, &["IsDuplicateRowForPGA"]),
            $($own),*
        ]
    };
}

/// What the reports about SKUs have in common besides.
macro_rules! sku_columns {
    ($($own:expr),* $(,)?) => {
        columns![
            optional(ReportColumn::SkuId, &["SKUId", "SKUGuid"]),
            optional(ReportColumn::Sku, &["SKU", "SKUName"]),
            optional(ReportColumn::PartNumber, &["ProductPartNumber", "SkuPartNumber"]),
            optional(ReportColumn::SalesChannel, &["SalesChannel", "SalesModel"]),
            optional(ReportColumn::Free, &["FreeVsPaidSKU"]),
            $($own),*
        ]
    };
}

/// What the two reports about subscriptions have in common besides.
macro_rules! subscription_columns {
    ($($own:expr),* $(,)?) => {
        sku_columns![
            required(ReportColumn::Subscription, &["SubscriptionId", "SubscriptionGuid"]),
            optional(ReportColumn::Status, &["SubscriptionState", "SubscriptionStatus"]),
            optional(ReportColumn::Start, &["SubscriptionStartDate"]),
            optional(ReportColumn::End, &["SubscriptionEndDate"]),
            optional(ReportColumn::AutoRenew, &["IsAutoRenew"]),
            // Of our own exports.
            optional(ReportColumn::PricingModel, &["PricingModel"]),
            optional(ReportColumn::Seller, &["Seller"]),
            $($own),*
        ]
    };
}

/// SeatsSubscriptionsAndRevenue. `AvailableSeats` is a flow here.
pub(super) const SUBSCRIPTIONS: &[TableColumn<ReportColumn>] = subscription_columns![
    optional(ReportColumn::Product, &["Product", "ReportingProductName", "ProductFamily"]),
    optional(ReportColumn::RawProduct, &["RawProductName"]),
    required(ReportColumn::Available, &["AvailableSeatsEOP", "TotalSoldSeats"]),
    optional(ReportColumn::Assigned, &["TotalAssignedSeats", "AssignedSeats"]),
    optional(ReportColumn::Revenue, &["BilledRevenueUSD"]),
    optional(ReportColumn::OtherRevenue, &["OtherBilledRevenue"]),
];

/// DynamicsUsage. `AvailableSeats` is the stock here.
pub(super) const DYNAMICS_USAGE: &[TableColumn<ReportColumn>] = subscription_columns![
    // Of our own exports, which are not always of Dynamics 365.
    optional(ReportColumn::Product, &["Product"]),
    required(ReportColumn::Available, &["AvailableSeats"]),
    optional(ReportColumn::Assigned, &["AssignedSeats"]),
    optional(ReportColumn::Active, &["ActiveSeats"]),
];

/// CustomersAndTenants. What `AvailableSeats` counts here nobody says, so no figure of ours uses it.
pub(super) const CUSTOMERS: &[TableColumn<ReportColumn>] = sku_columns![
    optional(ReportColumn::CustomerStatus, &["CustomerStatus"]),
    optional(ReportColumn::TenantName, &["CustomerTenantName"]),
    optional(ReportColumn::TenantCountry, &["CustomerTenantCountry"]),
    optional(ReportColumn::Domain, &["TenantDomainName"]),
    optional(ReportColumn::Product, &["Product"]),
    optional(ReportColumn::RawProduct, &["RawProductName"]),
    optional(ReportColumn::Revenue, &["BilledRevenueUSD"]),
    optional(ReportColumn::OtherRevenue, &["OtherBilledRevenue"]),
];

/// OfficeUsage.
pub(super) const OFFICE_USAGE: &[TableColumn<ReportColumn>] = columns![
    required(ReportColumn::Workload, &["WorkloadName", "Workload"]),
    required(ReportColumn::Units, &["PaidAvailableUnits"]),
    required(ReportColumn::Users, &["MonthlyActiveUsers"]),
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
pub(super) const SKU_KEYS: &[ReportColumn] = &[ReportColumn::SkuId, ReportColumn::Sku, ReportColumn::PartNumber];

/// Where these are missing, what else names what was sold.
pub(super) const PRODUCT_KEYS: &[ReportColumn] = &[ReportColumn::RawProduct, ReportColumn::Product];
