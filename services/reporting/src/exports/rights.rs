//! What somebody may see, as it was when they ordered and as it is when they download.

use std::collections::BTreeSet;

use insights_access::{
    Demand, FieldClass, Policy, Principal, REPORTING_SERVICE, RoleSet, forbidden, role_from_name, role_name,
};
use insights_proto::metrics::v1::{Measure, Query, Viewer, ViewerLocations};
use tonic::Status;

use super::sheet::Sheet;

/// What a caller may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    roles: RoleSet,
    locations: Option<BTreeSet<String>>,
}

impl Rights {
    /// A caller's, now.
    pub fn of(caller: &Principal) -> Self {
        Self { roles: caller.roles(), locations: caller.locations().cloned() }
    }

    /// As [`Self::roles_text`] and [`Self::locations_text`] wrote them. What cannot be read sees nothing.
    pub fn read(roles: &str, locations: Option<&str>) -> Self {
        Self {
            roles: roles.split(' ').filter_map(role_from_name).collect(),
            locations: locations.map(|text| serde_json::from_str(text).unwrap_or_default()),
        }
    }

    /// The roles by name, with blanks between.
    pub fn roles_text(&self) -> String {
        self.roles.iter().map(role_name).collect::<Vec<_>>().join(" ")
    }

    /// The locations as JSON; none: unbound.
    pub fn locations_text(&self) -> Option<String> {
        self.locations.as_ref().map(|locations| serde_json::json!(locations).to_string())
    }

    /// For metrics.
    pub fn viewer(&self, partner: &str) -> Viewer {
        let locations = self.locations.clone();
        Viewer {
            partner: partner.to_owned(),
            roles: self.roles.iter().map(i32::from).collect(),
            bound_to: locations.map(|ids| ViewerLocations { location_ids: ids.into_iter().collect() }),
        }
    }

    /// Whether a query may be asked; says whether something of it is left out.
    #[allow(clippy::result_large_err, reason = "Status is what handlers return")]
    pub fn authorise(&self, policy: &Policy, query: Option<&Query>) -> Result<bool, Status> {
        let measures: Vec<Measure> = query.into_iter().flat_map(Query::named_measures).collect();
        Ok(policy.authorise_roles(self.roles, REPORTING_SERVICE, &measures)?.redacted())
    }

    /// Whether a method may be called.
    pub fn may_call(&self, policy: &Policy, method: &str) -> bool {
        let demand = policy.method(method).map(|method| method.demand);
        matches!(demand, Some(Demand::Roles(roles)) if roles.intersects(self.roles))
    }

    /// Whether fields of a class are seen.
    pub fn can_see(&self, class: FieldClass) -> bool {
        self.roles.can_see(class)
    }

    /// Whether what was ordered under these rights shows no locations beyond those somebody is bound to now.
    pub fn are_within(&self, now: &Self) -> bool {
        match (&self.locations, &now.locations) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(then), Some(now)) => then.is_subset(now),
        }
    }

    /// Refuses whoever may see less now than what a file of these rights holds.
    #[allow(clippy::result_large_err, reason = "Status is what handlers return")]
    pub fn still_held_by(&self, now: &Self, policy: &Policy, sheet: &Sheet) -> Result<(), Status> {
        sheet.authorise(policy, self)?;
        sheet.authorise(policy, now)?;
        if self.are_within(now) && sheet.shows_as_much_to(now, self) { Ok(()) } else { Err(forbidden()) }
    }
}

#[cfg(test)]
mod tests {
    use insights_access::Role;
    use insights_proto::reporting::v1::{ExportOrder, ExportReport};

    use super::*;

    fn rights(roles: &[Role], locations: Option<&[&str]>) -> Rights {
        Rights {
            roles: roles.iter().copied().collect(),
            locations: locations.map(|ids| ids.iter().map(|&id| id.to_owned()).collect()),
        }
    }

    fn query(measures: &[Measure]) -> Sheet {
        let query =
            Query { measures: measures.iter().map(|measure| i32::from(*measure)).collect(), ..Query::default() };
        Sheet::of(&ExportOrder { query: Some(query), ..ExportOrder::default() })
    }

    fn report(report: ExportReport, columns: &[&str]) -> Sheet {
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        Sheet::of(&ExportOrder { report: report.into(), columns, ..ExportOrder::default() })
    }

    #[test]
    fn rights_survive_the_table() {
        for rights in [
            rights(&[Role::AdminAgent, Role::ReportViewer], None),
            rights(&[Role::ExecutiveReportViewer], Some(&["L 1", "L\"2"])),
            rights(&[Role::SalesAgent], Some(&[])),
        ] {
            assert_eq!(Rights::read(&rights.roles_text(), rights.locations_text().as_deref()), rights);
        }
        assert_eq!(Rights::read("report_viewer", Some("nonsense")), self::rights(&[Role::ReportViewer], Some(&[])));
    }

    #[test]
    fn whoever_may_see_less_than_the_file_is_refused() {
        let policy = Policy::product().expect("a policy");
        let money = query(&[Measure::Available, Measure::BilledRevenue]);
        let executive = rights(&[Role::ExecutiveReportViewer], None);
        let viewer = rights(&[Role::ReportViewer], None);
        let held = |then: &Rights, now: &Rights| then.still_held_by(now, &policy, &money).is_ok();
        assert!(held(&executive, &executive) && held(&viewer, &executive) && held(&viewer, &viewer));
        assert!(!held(&executive, &viewer), "the file holds revenue");
        assert!(!held(&viewer, &rights(&[Role::DataSource], None)), "no right to the measure any more");

        let bound = |ids| rights(&[Role::ReportViewer], Some(ids));
        assert!(held(&bound(&["A"]), &bound(&["A", "B"])) && held(&bound(&["A"]), &viewer));
        assert!(!held(&bound(&["A", "B"]), &bound(&["A"])) && !held(&viewer, &bound(&["A"])));

        let users = query(&[Measure::ActiveUsers]);
        let sales = rights(&[Role::SalesAgent], None);
        assert!(sales.still_held_by(&sales, &policy, &users).is_ok());
        assert!(sales.still_held_by(&viewer, &policy, &users).is_err());
    }
    #[test]
    fn reports_show_each_class_to_those_who_see_it_alone() {
        let policy = Policy::product().expect("a policy");
        let executive = rights(&[Role::ExecutiveReportViewer], None);
        let viewer = rights(&[Role::ReportViewer], None);
        let names = |sheet: &Sheet, rights: &Rights| -> Vec<String> {
            sheet.columns(rights).into_iter().map(|column| column.name).collect()
        };
        let whole = report(ExportReport::Customers, &[]);
        let hidden: Vec<String> =
            names(&whole, &executive).into_iter().filter(|name| !names(&whole, &viewer).contains(name)).collect();
        assert_eq!(hidden, ["TenantDomainName", "BilledRevenueUSD", "OtherBilledRevenue"]);
        assert!(whole.authorise(&policy, &viewer).is_ok_and(|hides| hides));
        assert!(executive.still_held_by(&viewer, &policy, &whole).is_err());
        assert!(viewer.still_held_by(&viewer, &policy, &whole).is_ok());

        let domains = report(ExportReport::Customers, &["customertenantid", "TENANTDOMAINNAME"]);
        assert_eq!(names(&domains, &executive), ["CustomerTenantId", "TenantDomainName"]);
        assert!(executive.still_held_by(&viewer, &policy, &domains).is_err(), "the file holds domains");
        let plain = report(ExportReport::Customers, &["CustomerTenantId"]);
        assert!(plain.authorise(&policy, &viewer).is_ok_and(|hides| !hides));
        assert!(executive.still_held_by(&viewer, &policy, &plain).is_ok());
        let nothing = report(ExportReport::Customers, &["BilledRevenueUSD"]);
        assert!(nothing.authorise(&policy, &viewer).is_err(), "nothing would be left");

        // Dynamics usage goes to whoever sees its dashboard. Customers and subscriptions are counted by who sees the Customers dashboard, users by who sees adoption.
        let may = |sheet: ExportReport, role| report(sheet, &[]).authorise(&policy, &rights(&[role], None)).is_ok();
        for (sheet, account, sales, viewer) in [
            (ExportReport::Customers, false, false, true),
            (ExportReport::Subscriptions, false, false, true),
            (ExportReport::DynamicsUsage, true, false, true),
            (ExportReport::LicenceUsage, true, true, true),
            (ExportReport::OfficeUsage, false, true, false),
        ] {
            let found = [Role::AccountAdmin, Role::SalesAgent, Role::ReportViewer].map(|role| may(sheet, role));
            assert_eq!(found, [account, sales, viewer], "{sheet:?}");
        }
    }
}
