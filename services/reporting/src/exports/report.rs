//! The reports that can be exported. Columns with the incumbent's meaning have its names, so that existing spreadsheets keep
//! working and the import reads the files back; additional columns come last.

use insights_access::{FieldClass, Redactor};
use insights_proto::metrics::v1::{Measure, ReportGrain, Scope};
use insights_proto::reporting::v1::ExportReport;

use super::cell::CellType;
use crate::dashboards::dynamics::DYNAMICS;

/// A report.
#[derive(Debug)]
pub struct ReportLayout {
    /// Its name on the command line and in names of files.
    pub name: &'static str,
    /// Grain of its rows.
    pub grain: ReportGrain,
    /// Prefix of its products' names; empty for all products.
    pub product_prefix: &'static str,
    /// Default scope.
    pub scope: Scope,
    /// Measures that the caller must be allowed to query.
    pub measures: &'static [Measure],
    /// The method of the dashboard whose roles the report needs too.
    pub dashboard: Option<&'static str>,
    /// All its columns.
    pub columns: &'static [ReportColumn],
}

/// A column of a report.
#[derive(Debug)]
pub struct ReportColumn {
    /// Its name.
    pub name: &'static str,
    /// Type of its cells.
    pub kind: CellType,
    /// The value it shows.
    pub shown: ReportField,
    /// The measure it needs.
    pub measure: Option<Measure>,
}

impl ReportColumn {
    /// The field class of its value, from the option of the field in the answer of metrics.
    pub fn class(&self) -> FieldClass {
        let (message, field) = self.shown.origin();
        Redactor::product().class_of(&format!("insights.metrics.v1.{message}"), field)
    }
}

/// The value that a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportField {
    /// The first day of the month.
    Month,
    /// The customer's name.
    CustomerName,
    /// The customer's id.
    Customer,
    /// Its segment.
    Segment,
    /// Its market.
    Country,
    /// Its industry.
    Industry,
    /// Its domain.
    Domain,
    /// Whether it holds an active subscription of the SKU.
    CustomerStatus,
    /// The product.
    Product,
    /// The SKU's name.
    SkuName,
    /// The SKU's id.
    Sku,
    /// Whether the SKU is free.
    Free,
    /// The service.
    Service,
    /// The subscription's id.
    Subscription,
    /// Its first day.
    Start,
    /// Its last day.
    End,
    /// Its standing; the argument is the word for an ended subscription.
    State(&'static str),
    /// It is on trial.
    Trial,
    /// Who sold it.
    Seller,
    /// How it was sold.
    SalesChannel,
    /// Azure pricing model.
    PricingModel,
    /// The partner location.
    Location,
    /// The location's name.
    LocationName,
    /// The type of the attribution.
    AttributionType,
    /// Whether the row repeats another for a further attribution.
    Duplicate,
    /// Seats in good standing.
    Available,
    /// Change of the available seats since the month before.
    NewSeats,
    /// Users assigned.
    Assigned,
    /// Seats with use.
    Active,
    /// Seats not assigned.
    Unassigned,
    /// Active over available.
    ActivePercent,
    /// Revenue in US dollars.
    Dollars,
    /// Revenue in other currencies.
    OtherRevenue,
    /// Users held on the service.
    TotalUsers,
    /// Users active on it.
    ActiveUsers,
}

impl ReportField {
    /// The message and field of metrics' answer that it is taken from.
    const fn origin(self) -> (&'static str, &'static str) {
        match self {
            Self::Month => ("ReportRow", "month"),
            Self::CustomerName => ("ReportCustomer", "name"),
            Self::Customer => ("ReportCustomer", "id"),
            Self::Segment => ("ReportCustomer", "segment"),
            Self::Country => ("ReportCustomer", "country"),
            Self::Industry => ("ReportCustomer", "industry"),
            Self::Domain => ("ReportCustomer", "domain"),
            Self::CustomerStatus | Self::State(_) => ("ReportRow", "standing"),
            Self::Product => ("ReportSku", "product"),
            Self::SkuName => ("ReportSku", "name"),
            Self::Sku => ("ReportSku", "id"),
            Self::Free => ("ReportSku", "free"),
            Self::Service => ("ReportRow", "service"),
            Self::Subscription => ("ReportSubscription", "id"),
            Self::Start => ("ReportSubscription", "start"),
            Self::End => ("ReportSubscription", "end"),
            Self::Trial => ("ReportRow", "trial"),
            Self::Seller => ("ReportRow", "seller"),
            Self::SalesChannel => ("ReportSubscription", "sales_channel"),
            Self::PricingModel => ("ReportSubscription", "pricing_model"),
            Self::Location => ("ReportAttribution", "location_id"),
            Self::LocationName => ("ReportAttribution", "location_name"),
            Self::AttributionType => ("ReportAttribution", "type"),
            Self::Duplicate => ("ReportRow", "attributions"),
            Self::Available | Self::Unassigned | Self::ActivePercent => ("ReportRow", "available"),
            Self::NewSeats => ("ReportRow", "new_seats"),
            Self::Assigned => ("ReportRow", "assigned"),
            Self::Active => ("ReportRow", "active"),
            Self::Dollars | Self::OtherRevenue => ("ReportAmount", "amount"),
            Self::TotalUsers => ("ReportRow", "total_users"),
            Self::ActiveUsers => ("ReportRow", "active_users"),
        }
    }
}

use CellType as K;
use ReportField as S;

const fn text(name: &'static str, shown: ReportField) -> ReportColumn {
    ReportColumn { name, kind: K::Text, shown, measure: None }
}

const fn figure(name: &'static str, kind: CellType, shown: ReportField, measure: Measure) -> ReportColumn {
    ReportColumn { name, kind, shown, measure: Some(measure) }
}

const fn count(name: &'static str, shown: ReportField, measure: Measure) -> ReportColumn {
    figure(name, K::Count, shown, measure)
}

const fn other(name: &'static str, kind: CellType, shown: ReportField) -> ReportColumn {
    ReportColumn { name, kind, shown, measure: None }
}

const fn revenue(name: &'static str, kind: CellType, shown: ReportField) -> ReportColumn {
    ReportColumn { name, kind, shown, measure: Some(Measure::BilledRevenue) }
}

const CUSTOMERS: &[ReportColumn] = &[
    text("CustomerName", S::CustomerName),
    text("CustomerTenantId", S::Customer),
    text("CustomerSegment", S::Segment),
    text("CustomerMarket", S::Country),
    text("CustomerStatus", S::CustomerStatus),
    text("TenantDomainName", S::Domain),
    text("Product", S::Product),
    text("SKU", S::SkuName),
    text("Month", S::Month),
    text("MPNId", S::Location),
    text("PartnerName", S::LocationName),
    text("PartnerAttributionType", S::AttributionType),
    text("SalesChannel", S::SalesChannel),
    text("IndustryName", S::Industry),
    other("IsDuplicateRowForPGA", K::Count, S::Duplicate),
    count("AvailableSeats", S::Available, Measure::Available),
    revenue("BilledRevenueUSD", K::Amount, S::Dollars),
    text("SKUId", S::Sku),
    text("FreeVsPaidSKU", S::Free),
    revenue("OtherBilledRevenue", K::Text, S::OtherRevenue),
];

const SUBSCRIPTIONS: &[ReportColumn] = &[
    text("SubscriptionId", S::Subscription),
    text("SubscriptionStartDate", S::Start),
    text("SubscriptionEndDate", S::End),
    text("SubscriptionState", S::State("Churned")),
    text("Month", S::Month),
    text("CustomerName", S::CustomerName),
    text("CustomerTenantId", S::Customer),
    text("CustomerSegment", S::Segment),
    text("CustomerMarket", S::Country),
    text("Product", S::Product),
    text("SKU", S::SkuName),
    text("MPNID", S::Location),
    text("PartnerName", S::LocationName),
    text("PartnerAttributionType", S::AttributionType),
    text("SalesChannel", S::SalesChannel),
    text("IndustryName", S::Industry),
    other("IsDuplicateRowForPGA", K::Count, S::Duplicate),
    count("AvailableSeatsEOP", S::Available, Measure::Available),
    count("AvailableSeats", S::NewSeats, Measure::NewSeats),
    count("TotalAssignedSeats", S::Assigned, Measure::Assigned),
    revenue("BilledRevenueUSD", K::Amount, S::Dollars),
    text("SKUId", S::Sku),
    text("FreeVsPaidSKU", S::Free),
    revenue("OtherBilledRevenue", K::Text, S::OtherRevenue),
    text("PricingModel", S::PricingModel),
    text("Seller", S::Seller),
    other("IsTrial", K::Flag, S::Trial),
];

const USAGE: &[ReportColumn] = &[
    text("SubscriptionId", S::Subscription),
    text("SubscriptionStartDate", S::Start),
    text("SubscriptionEndDate", S::End),
    text("SubscriptionStatus", S::State("Inactive")),
    text("Month", S::Month),
    text("SKU", S::SkuName),
    text("SKUId", S::Sku),
    text("FreeVsPaidSKU", S::Free),
    text("SalesModel", S::SalesChannel),
    text("CustomerName", S::CustomerName),
    text("CustomerTenantId", S::Customer),
    text("CustomerSegment", S::Segment),
    text("CustomerMarket", S::Country),
    text("IndustryName", S::Industry),
    text("MPNID", S::Location),
    text("PartnerName", S::LocationName),
    text("PartnerAttachType", S::AttributionType),
    count("AvailableSeats", S::Available, Measure::Available),
    count("AssignedSeats", S::Assigned, Measure::Assigned),
    count("ActiveSeats", S::Active, Measure::Active),
    count("DeploymentOpportunity", S::Unassigned, Measure::DeploymentOpportunity),
    figure("ActiveUsagePercent", K::Percent, S::ActivePercent, Measure::ActiveUsagePercent),
    other("IsDuplicateRowForPGA", K::Count, S::Duplicate),
    text("Product", S::Product),
    text("PricingModel", S::PricingModel),
    text("Seller", S::Seller),
    other("IsTrial", K::Flag, S::Trial),
];

const OFFICE: &[ReportColumn] = &[
    text("CustomerTenantId", S::Customer),
    text("WorkloadName", S::Service),
    text("Month", S::Month),
    count("PaidAvailableUnits", S::TotalUsers, Measure::TotalUsers),
    count("MonthlyActiveUsers", S::ActiveUsers, Measure::ActiveUsers),
    text("CustomerName", S::CustomerName),
    text("CustomerMarket", S::Country),
    text("CustomerSegment", S::Segment),
    text("IndustryName", S::Industry),
    text("PartnerID", S::Location),
    text("PartnerName", S::LocationName),
    text("PartnerAttributionType", S::AttributionType),
    other("IsDuplicateRowForPGA", K::Count, S::Duplicate),
];

const CUSTOMERS_REPORT: ReportLayout = ReportLayout {
    name: "customers",
    grain: ReportGrain::CustomerSkus,
    product_prefix: "",
    scope: Scope::SoldOrManaged,
    measures: &[Measure::Customers],
    dashboard: None,
    columns: CUSTOMERS,
};
const SUBSCRIPTIONS_REPORT: ReportLayout = ReportLayout {
    name: "subscriptions",
    grain: ReportGrain::Subscriptions,
    product_prefix: "",
    scope: Scope::SoldOrManaged,
    measures: &[Measure::Subscriptions],
    dashboard: None,
    columns: SUBSCRIPTIONS,
};
const OFFICE_REPORT: ReportLayout = ReportLayout {
    name: "office-usage",
    grain: ReportGrain::CustomerServices,
    product_prefix: "",
    scope: Scope::AllSellers,
    measures: &[Measure::ActiveUsers, Measure::TotalUsers],
    dashboard: None,
    columns: OFFICE,
};
const LICENCE_REPORT: ReportLayout = ReportLayout {
    name: "licence-usage",
    grain: ReportGrain::Subscriptions,
    product_prefix: "",
    scope: Scope::SoldOrManaged,
    measures: &[Measure::Available, Measure::Assigned, Measure::Active],
    dashboard: None,
    columns: USAGE,
};
const DYNAMICS_REPORT: ReportLayout = ReportLayout {
    name: "dynamics-usage",
    product_prefix: DYNAMICS,
    dashboard: Some("/insights.reporting.v1.ReportingService/GetDynamicsUsageDashboard"),
    ..LICENCE_REPORT
};

/// A report by its name in the API.
pub const fn of(report: ExportReport) -> Option<&'static ReportLayout> {
    match report {
        ExportReport::Unspecified => None,
        ExportReport::Customers => Some(&CUSTOMERS_REPORT),
        ExportReport::Subscriptions => Some(&SUBSCRIPTIONS_REPORT),
        ExportReport::OfficeUsage => Some(&OFFICE_REPORT),
        ExportReport::DynamicsUsage => Some(&DYNAMICS_REPORT),
        ExportReport::LicenceUsage => Some(&LICENCE_REPORT),
    }
}

impl ReportLayout {
    /// A column by its name, in any case.
    pub fn column(&self, name: &str) -> Option<&'static ReportColumn> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name.trim()))
    }
}
