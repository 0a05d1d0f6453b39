//! The table, written out by hand. It is not derived from the options it is compared with.

use insights_access::Role;

/// The columns.
pub const ROLES: [Role; 8] = [
    Role::GlobalAdmin,
    Role::AccountAdmin,
    Role::UserManagementAdmin,
    Role::AdminAgent,
    Role::SalesAgent,
    Role::ReportViewer,
    Role::ExecutiveReportViewer,
    Role::DataSource,
];

/// The rows: groups of methods and who may call them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Customers,
    DynamicsUsage,
    LicenceAdoption,
    /// What any dashboard needs.
    AnyDashboard,
    WhoAmI,
    Ingest,
    Administration,
    /// By measure; the measures' own rows are below.
    Query,
    Services,
}

const YES: bool = true;
const NO: bool = false;

impl Group {
    /// Global admin, account admin, user management admin, admin agent, sales agent, report viewer, executive, data source.
    pub const fn row(self) -> [bool; 8] {
        match self {
            Self::Customers => [YES, NO, NO, YES, NO, YES, YES, NO],
            Self::DynamicsUsage => [YES, YES, NO, YES, NO, YES, YES, NO],
            Self::LicenceAdoption => [YES, NO, YES, YES, YES, NO, NO, NO],
            Self::AnyDashboard => [YES, YES, YES, YES, YES, YES, YES, NO],
            Self::WhoAmI => [YES, YES, YES, YES, YES, YES, YES, YES],
            Self::Ingest => [YES, NO, NO, YES, NO, NO, NO, YES],
            Self::Administration => [YES, NO, NO, NO, NO, NO, NO, NO],
            Self::Query => [YES, YES, YES, YES, YES, YES, YES, NO],
            Self::Services => [NO, NO, NO, NO, NO, NO, NO, NO],
        }
    }

    pub fn allows(self, role: Role) -> bool {
        ROLES.iter().position(|column| *column == role).is_some_and(|column| self.row()[column])
    }
}

/// Every method there is.
pub const METHODS: &[(&str, Group)] = &[
    ("/insights.access.v1.AccessService/WhoAmI", Group::WhoAmI),
    ("/insights.ingestion.v1.IngestionService/IngestBatch", Group::Ingest),
    ("/insights.ingestion.v1.IngestionService/IngestStream", Group::Ingest),
    ("/insights.ingestion.v1.IngestionService/PreviewLists", Group::Ingest),
    ("/insights.ingestion.v1.IngestionService/ListRejections", Group::Ingest),
    ("/insights.ingestion.v1.IngestionService/ReplayRejections", Group::Ingest),
    ("/insights.ingestion.v1.IngestionService/ListWaiting", Group::Ingest),
    ("/insights.ingestion.v1.IngestionService/GetFreshness", Group::Ingest),
    ("/insights.ingestion.v1.IngestionService/ListAuditEntries", Group::Administration),
    ("/insights.ingestion.v1.ChangeFeedService/ListPartners", Group::Services),
    ("/insights.ingestion.v1.ChangeFeedService/StreamChanges", Group::Services),
    ("/insights.ingestion.v1.ChangeFeedService/GetPartnerFacts", Group::Services),
    ("/insights.ingestion.v1.ChangeFeedService/StreamFacts", Group::Services),
    ("/insights.ingestion.v1.ChangeFeedService/PreviewFacts", Group::Services),
    ("/insights.ingestion.v1.ErasureService/PreviewErasure", Group::Services),
    ("/insights.ingestion.v1.ErasureService/Erase", Group::Services),
    ("/insights.ingestion.v1.ErasureService/AllowErased", Group::Services),
    ("/insights.metrics.v1.ErasureService/PreviewErasure", Group::Services),
    ("/insights.metrics.v1.ErasureService/Erase", Group::Services),
    ("/insights.metrics.v1.ErasureService/AllowErased", Group::Services),
    ("/insights.metrics.v1.MetricsService/BatchQuery", Group::Services),
    ("/insights.metrics.v1.MetricsService/Explain", Group::Services),
    ("/insights.metrics.v1.MetricsService/LookUpNames", Group::Services),
    ("/insights.metrics.v1.MetricsService/LookUpSubscriptions", Group::Services),
    ("/insights.metrics.v1.MetricsService/LookUpSupportCases", Group::Services),
    ("/insights.metrics.v1.MetricsService/GetFreshness", Group::Services),
    ("/insights.metrics.v1.MetricsService/StreamQuery", Group::Services),
    ("/insights.metrics.v1.MetricsService/PreviewImport", Group::Services),
    ("/insights.metrics.v1.MetricsService/Verify", Group::Services),
    ("/insights.reporting.v1.ReportingService/Query", Group::Query),
    ("/insights.reporting.v1.ReportingService/Explain", Group::Query),
    ("/insights.reporting.v1.ReportingService/GetCustomersDashboard", Group::Customers),
    ("/insights.reporting.v1.ReportingService/GetDynamicsUsageDashboard", Group::DynamicsUsage),
    ("/insights.reporting.v1.ReportingService/GetLicenceAdoptionDashboard", Group::LicenceAdoption),
    ("/insights.reporting.v1.ReportingService/ListSubscriptionPerformance", Group::DynamicsUsage),
    ("/insights.reporting.v1.ReportingService/ListAdvice", Group::LicenceAdoption),
    ("/insights.reporting.v1.ReportingService/ListFilterValues", Group::AnyDashboard),
    ("/insights.reporting.v1.ReportingService/GetFreshness", Group::Ingest),
    ("/insights.reporting.v1.ReportingService/CreateExport", Group::Query),
    ("/insights.reporting.v1.ReportingService/PreviewExport", Group::Query),
    ("/insights.reporting.v1.ReportingService/GetExport", Group::AnyDashboard),
    ("/insights.reporting.v1.ReportingService/ListExports", Group::AnyDashboard),
    ("/insights.reporting.v1.ReportingService/CancelExport", Group::AnyDashboard),
    ("/insights.reporting.v1.ReportingService/DeleteExport", Group::AnyDashboard),
    ("/insights.reporting.v1.ReportingService/DownloadExport", Group::AnyDashboard),
    ("/insights.reporting.v1.ReportingService/CreateDownloadTicket", Group::AnyDashboard),
    ("/insights.reporting.v1.ReportingService/PreviewImport", Group::Ingest),
    ("/insights.reporting.v1.ReportingService/Verify", Group::Administration),
    ("/insights.reporting.v1.ReportingService/PreviewErasure", Group::Administration),
    ("/insights.reporting.v1.ReportingService/Erase", Group::Administration),
    ("/insights.reporting.v1.ReportingService/AllowErased", Group::Administration),
    ("/insights.reporting.v1.ReportingService/ListAuditEntries", Group::Administration),
    ("/insights.reporting.v1.ReportingService/ListGlossaryTerms", Group::WhoAmI),
    ("/insights.reporting.v1.ReportingService/GetWords", Group::WhoAmI),
];

/// Methods about the whole partner: a caller bound to locations is refused with any role.
pub const WHOLE_PARTNER: [&str; 13] = [
    "/insights.ingestion.v1.IngestionService/IngestBatch",
    "/insights.ingestion.v1.IngestionService/IngestStream",
    "/insights.ingestion.v1.IngestionService/PreviewLists",
    "/insights.ingestion.v1.IngestionService/ListRejections",
    "/insights.ingestion.v1.IngestionService/ReplayRejections",
    "/insights.ingestion.v1.IngestionService/ListWaiting",
    "/insights.ingestion.v1.IngestionService/ListAuditEntries",
    "/insights.reporting.v1.ReportingService/PreviewImport",
    "/insights.reporting.v1.ReportingService/Verify",
    "/insights.reporting.v1.ReportingService/PreviewErasure",
    "/insights.reporting.v1.ReportingService/Erase",
    "/insights.reporting.v1.ReportingService/AllowErased",
    "/insights.reporting.v1.ReportingService/ListAuditEntries",
];

/// Who may ask for the customer counts: as the Customers dashboard.
const COUNTS: [bool; 8] = [YES, NO, NO, YES, NO, YES, YES, NO];
/// Seats and revenue: as Dynamics usage or Licence adoption.
const SEATS: [bool; 8] = [YES, YES, YES, YES, YES, YES, YES, NO];
/// Users: as Licence adoption.
const USERS: [bool; 8] = [YES, NO, YES, YES, YES, NO, NO, NO];

/// Every measure there is, by its name in the API.
pub const MEASURES: &[(&str, [bool; 8])] = &[
    ("MEASURE_CUSTOMERS", COUNTS),
    ("MEASURE_ACTIVE_CUSTOMERS", COUNTS),
    ("MEASURE_NEW", COUNTS),
    ("MEASURE_EXISTING", COUNTS),
    ("MEASURE_CHURNED", COUNTS),
    ("MEASURE_RETURNING", COUNTS),
    ("MEASURE_SUBSCRIPTIONS", COUNTS),
    ("MEASURE_AVAILABLE", SEATS),
    ("MEASURE_ASSIGNED", SEATS),
    ("MEASURE_ACTIVE", SEATS),
    ("MEASURE_NEW_SEATS", SEATS),
    ("MEASURE_DEPLOYMENT_OPPORTUNITY", SEATS),
    ("MEASURE_ACTIVE_USAGE_PERCENT", SEATS),
    ("MEASURE_DEPLOYMENT_PERCENT", SEATS),
    ("MEASURE_ACTIVE_USERS", USERS),
    ("MEASURE_TOTAL_USERS", USERS),
    ("MEASURE_USAGE_PERCENT", USERS),
    ("MEASURE_ACTIVE_ENTITLEMENTS", SEATS),
    ("MEASURE_TOTAL_ENTITLEMENTS", SEATS),
    ("MEASURE_BILLED_REVENUE", SEATS),
    ("MEASURE_IDLE_SEATS", SEATS),
];

/// Who sees revenue and personal data.
pub const SEES_ALL: [bool; 8] = [YES, NO, NO, NO, NO, NO, YES, NO];
