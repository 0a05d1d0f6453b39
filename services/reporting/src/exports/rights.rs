//! What somebody may see, as it was when they ordered and as it is when they download.

use std::collections::BTreeSet;

use insights_access::{Policy, Principal, REPORTING_SERVICE, RoleSet, forbidden, role_from_name, role_name};
use insights_proto::metrics::v1::{Measure, Query, Viewer, ViewerLocations};
use tonic::Status;

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

    /// Refuses whoever may see less now than what a file of these rights holds.
    #[allow(clippy::result_large_err, reason = "Status is what handlers return")]
    pub fn still_held_by(&self, now: &Self, policy: &Policy, query: Option<&Query>) -> Result<(), Status> {
        let redacted_then = self.authorise(policy, query)?;
        let redacted_now = now.authorise(policy, query)?;
        let within = match (&self.locations, &now.locations) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(then), Some(now)) => then.is_subset(now),
        };
        if within && (redacted_then || !redacted_now) { Ok(()) } else { Err(forbidden()) }
    }
}

#[cfg(test)]
mod tests {
    use insights_access::Role;

    use super::*;

    fn rights(roles: &[Role], locations: Option<&[&str]>) -> Rights {
        Rights {
            roles: roles.iter().copied().collect(),
            locations: locations.map(|ids| ids.iter().map(|&id| id.to_owned()).collect()),
        }
    }

    fn query(measures: &[Measure]) -> Query {
        Query { measures: measures.iter().map(|measure| i32::from(*measure)).collect(), ..Query::default() }
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
        let held = |then: &Rights, now: &Rights| then.still_held_by(now, &policy, Some(&money)).is_ok();
        assert!(held(&executive, &executive) && held(&viewer, &executive) && held(&viewer, &viewer));
        assert!(!held(&executive, &viewer), "the file holds revenue");
        assert!(!held(&viewer, &rights(&[Role::DataSource], None)), "no right to the measure any more");

        let bound = |ids| rights(&[Role::ReportViewer], Some(ids));
        assert!(held(&bound(&["A"]), &bound(&["A", "B"])) && held(&bound(&["A"]), &viewer));
        assert!(!held(&bound(&["A", "B"]), &bound(&["A"])) && !held(&viewer, &bound(&["A"])));

        let users = query(&[Measure::ActiveUsers]);
        let sales = rights(&[Role::SalesAgent], None);
        assert!(sales.still_held_by(&sales, &policy, Some(&users)).is_ok());
        assert!(sales.still_held_by(&viewer, &policy, Some(&users)).is_err());
    }
}
