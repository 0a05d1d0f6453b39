//! What somebody may see, as it was when they ordered and as it is when they download.

use std::collections::BTreeSet;

use insights_access::{Demand, FieldClass, Policy, Principal, REPORTING_SERVICE, RoleSet, role_from_name, role_name};
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
}
