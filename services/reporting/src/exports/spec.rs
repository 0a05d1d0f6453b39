//! The specification of an export: the query to metrics, and the columns of the file.

use std::collections::BTreeSet;

use insights_access::{FieldClass, Policy, REPORTING_SERVICE, Viewer, field_classes, forbidden};
use insights_proto::metrics::v1::{Basis, Dimension, Measure, Query, ReportGrain, Scope, StreamQueryRequest};
use insights_proto::reporting::v1::{ExportOrder, ExportReport};
use insights_service::FieldViolation;
use tonic::Status;

use super::report::{self, ReportColumn, ReportLayout};
use super::schema::{self, ColumnSchema};

/// The query and columns of an order.
#[derive(Clone, Debug)]
pub struct ExportSpec {
    query: Query,
    report: Option<&'static ReportLayout>,
    /// Columns of the report.
    columns: Vec<&'static ReportColumn>,
}

impl ExportSpec {
    /// The specification of an order; faulty parts are ignored.
    pub fn of(order: &ExportOrder) -> Self {
        let query = order.query.clone().unwrap_or_default();
        let Some(report) = report::of(order.report()) else {
            return Self { query, report: None, columns: Vec::new() };
        };
        let named: Vec<&ReportColumn> = order.columns.iter().filter_map(|name| report.column(name)).collect();
        let columns = if named.is_empty() { report.columns.iter().collect() } else { named };
        let taken = columns.iter().filter_map(|column| column.measure);
        let measures: BTreeSet<i32> = report.measures.iter().copied().chain(taken).map(i32::from).collect();
        let group_by = match report.grain {
            ReportGrain::CustomerServices => vec![Dimension::Customer.into(), Dimension::Service.into()],
            _ => Vec::new(),
        };
        let scope = if query.scope() == Scope::Unspecified { report.scope } else { query.scope() };
        let query = Query { measures: measures.into_iter().collect(), group_by, scope: scope.into(), ..query };
        Self { query, report: Some(report), columns }
    }

    /// Faults of an order concerning its report.
    pub fn faults(order: &ExportOrder) -> Vec<FieldViolation> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, what: String| faults.push(FieldViolation::new(field, what));
        if ExportReport::try_from(order.report).is_err() {
            fault("order.report", "is not known".to_owned());
            return faults;
        }
        let Some(report) = report::of(order.report()) else {
            if !order.columns.is_empty() {
                fault("order.columns", "go with a report".to_owned());
            }
            return faults;
        };
        let query = order.query.clone().unwrap_or_default();
        let given = [
            ("order.query.measures", !query.measures.is_empty()),
            ("order.query.group_by", !query.group_by.is_empty()),
            ("order.query.top", query.top.is_some()),
            ("order.query.basis", query.basis() != Basis::Unspecified),
        ];
        for (field, _) in given.into_iter().filter(|(_, given)| *given) {
            fault(field, "does not go with a report, which has its own".to_owned());
        }
        let mut seen = BTreeSet::new();
        for (at, name) in order.columns.iter().enumerate() {
            let field = format!("order.columns[{at}]");
            match report.column(name) {
                None => {
                    let known: Vec<&str> = report.columns.iter().map(|column| column.name).collect();
                    fault(&field, format!("is none of the report: {}", known.join(", ")));
                }
                Some(column) if !seen.insert(column.name) => fault(&field, "is there already".to_owned()),
                Some(_) => {}
            }
        }
        faults
    }

    /// The request to metrics.
    pub fn request(&self, viewer: &Viewer, min_version: i64) -> StreamQueryRequest {
        StreamQueryRequest {
            viewer: Some(viewer.to_message()),
            query: Some(self.query.clone()),
            min_version,
            grain: self.report.map_or(ReportGrain::Unspecified, |report| report.grain).into(),
            product_prefix: self.report.map_or("", |report| report.product_prefix).to_owned(),
            by_column: true,
        }
    }

    /// Whether its rows are about one customer each.
    pub fn lists_customers(&self) -> bool {
        let of_customers = [Dimension::Customer.into(), Dimension::Subscription.into()];
        self.report.is_some() || self.query.group_by.iter().any(|dimension| of_customers.contains(dimension))
    }

    /// Authorises the viewer; `true` when something is left out because of the viewer's roles.
    #[allow(clippy::result_large_err, reason = "Status is what handlers return")]
    pub fn authorise(&self, policy: &Policy, viewer: &Viewer) -> Result<bool, Status> {
        let measures: Vec<Measure> = self.query.named_measures().collect();
        let hides = policy.authorise_measures(viewer, REPORTING_SERVICE, &measures)?.redacted();
        let Some(report) = self.report else { return Ok(hides) };
        if report.dashboard.is_some_and(|method| !policy.may_call(viewer, method)) {
            return Err(forbidden());
        }
        if !self.columns.iter().any(|column| viewer.can_see(column.class())) {
            return Err(forbidden());
        }
        Ok(self.columns.iter().any(|column| !viewer.can_see(column.class())))
    }

    /// The order with its defaults filled in.
    pub fn spelled_out(&self, order: &ExportOrder) -> ExportOrder {
        let scope = match self.query.scope() {
            Scope::Unspecified => Scope::AllSellers,
            scope => scope,
        };
        let query = Query { scope: scope.into(), ..order.query.clone().unwrap_or_default() };
        ExportOrder { query: Some(query), ..order.clone() }
    }

    /// Refuses a caller who may see less now than a file written under earlier rights holds.
    #[allow(clippy::result_large_err, reason = "Status is what handlers return")]
    pub fn still_shown_to(&self, now: &Viewer, then: &Viewer, policy: &Policy) -> Result<(), Status> {
        self.authorise(policy, then)?;
        self.authorise(policy, now)?;
        if then.is_within(now) && self.shows_as_much_to(now, then) { Ok(()) } else { Err(forbidden()) }
    }

    /// Whether one viewer sees every field class that another saw.
    fn shows_as_much_to(&self, now: &Viewer, as_to: &Viewer) -> bool {
        let shown = |class: &FieldClass| match self.report {
            Some(_) => self.columns.iter().any(|column| column.class() == *class),
            None => *class == FieldClass::Revenue && self.query.measures().any(|it| it == Measure::BilledRevenue),
        };
        field_classes().filter(shown).all(|class| now.can_see(class) || !as_to.can_see(class))
    }

    /// The columns, apart from what the viewer may not see.
    pub fn columns(&self, viewer: &Viewer) -> Vec<ColumnSchema> {
        match self.report {
            None => schema::of_query(&self.query, viewer.can_see(FieldClass::Revenue)),
            Some(_) => {
                let seen = self.columns.iter().filter(|column| viewer.can_see(column.class()));
                seen.map(|column| schema::of_report(column)).collect()
            }
        }
    }

    /// Beginning of the default file name.
    pub fn name(&self) -> &'static str {
        self.report.map_or("export", |report| report.name)
    }
}

#[cfg(test)]
mod tests {
    use insights_access::{Role, role_name};

    use super::*;

    fn rights(roles: &[Role], locations: Option<&[&str]>) -> Viewer {
        let locations = locations.map(|ids| serde_json::json!(ids).to_string());
        Viewer::stored(
            "contoso",
            &roles.iter().copied().map(role_name).collect::<Vec<_>>().join(" "),
            locations.as_deref(),
        )
    }

    fn query(measures: &[Measure]) -> ExportSpec {
        let query =
            Query { measures: measures.iter().map(|measure| i32::from(*measure)).collect(), ..Query::default() };
        ExportSpec::of(&ExportOrder { query: Some(query), ..ExportOrder::default() })
    }

    fn report(report: ExportReport, columns: &[&str]) -> ExportSpec {
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        ExportSpec::of(&ExportOrder { report: report.into(), columns, ..ExportOrder::default() })
    }

    #[test]
    fn whoever_may_see_less_than_the_file_is_refused() {
        let policy = Policy::product().expect("a policy");
        let money = query(&[Measure::Available, Measure::BilledRevenue]);
        let executive = rights(&[Role::ExecutiveReportViewer], None);
        let viewer = rights(&[Role::ReportViewer], None);
        let held = |then: &Viewer, now: &Viewer| money.still_shown_to(now, then, &policy).is_ok();
        assert!(held(&executive, &executive) && held(&viewer, &executive) && held(&viewer, &viewer));
        assert!(!held(&executive, &viewer), "the file holds revenue");
        assert!(!held(&viewer, &rights(&[Role::DataSource], None)), "no right to the measure any more");

        let bound = |ids| rights(&[Role::ReportViewer], Some(ids));
        assert!(held(&bound(&["A"]), &bound(&["A", "B"])) && held(&bound(&["A"]), &viewer));
        assert!(!held(&bound(&["A", "B"]), &bound(&["A"])) && !held(&viewer, &bound(&["A"])));

        let users = query(&[Measure::ActiveUsers]);
        let sales = rights(&[Role::SalesAgent], None);
        assert!(users.still_shown_to(&sales, &sales, &policy).is_ok());
        assert!(users.still_shown_to(&viewer, &sales, &policy).is_err());
    }

    #[test]
    fn reports_show_each_class_to_those_who_see_it_alone() {
        let policy = Policy::product().expect("a policy");
        let executive = rights(&[Role::ExecutiveReportViewer], None);
        let viewer = rights(&[Role::ReportViewer], None);
        let names = |spec: &ExportSpec, rights: &Viewer| -> Vec<String> {
            spec.columns(rights).into_iter().map(|column| column.name).collect()
        };
        let whole = report(ExportReport::Customers, &[]);
        let hidden: Vec<String> =
            names(&whole, &executive).into_iter().filter(|name| !names(&whole, &viewer).contains(name)).collect();
        assert_eq!(hidden, ["TenantDomainName", "BilledRevenueUSD", "OtherBilledRevenue"]);
        assert!(whole.authorise(&policy, &viewer).is_ok_and(|hides| hides));
        assert!(whole.still_shown_to(&viewer, &executive, &policy).is_err());
        assert!(whole.still_shown_to(&viewer, &viewer, &policy).is_ok());

        let domains = report(ExportReport::Customers, &["customertenantid", "TENANTDOMAINNAME"]);
        assert_eq!(names(&domains, &executive), ["CustomerTenantId", "TenantDomainName"]);
        assert!(domains.still_shown_to(&viewer, &executive, &policy).is_err(), "the file holds domains");
        let plain = report(ExportReport::Customers, &["CustomerTenantId"]);
        assert!(plain.authorise(&policy, &viewer).is_ok_and(|hides| !hides));
        assert!(plain.still_shown_to(&viewer, &executive, &policy).is_ok());
        let nothing = report(ExportReport::Customers, &["BilledRevenueUSD"]);
        assert!(nothing.authorise(&policy, &viewer).is_err(), "nothing would be left");

        // Dynamics usage needs the roles of its dashboard; customers and subscriptions need those of the Customers dashboard, users
        // those of Licence adoption.
        let may = |spec: ExportReport, role| report(spec, &[]).authorise(&policy, &rights(&[role], None)).is_ok();
        for (spec, account, sales, viewer) in [
            (ExportReport::Customers, false, false, true),
            (ExportReport::Subscriptions, false, false, true),
            (ExportReport::DynamicsUsage, true, false, true),
            (ExportReport::LicenceUsage, true, true, true),
            (ExportReport::OfficeUsage, false, true, false),
        ] {
            let found = [Role::AccountAdmin, Role::SalesAgent, Role::ReportViewer].map(|role| may(spec, role));
            assert_eq!(found, [account, sales, viewer], "{spec:?}");
        }
    }
}
