//! Whose rights apply.

use std::collections::BTreeSet;

use insights_proto::metrics::v1::{self as metrics, ViewerLocations};

use crate::{FieldClass, Role, RoleSet, role_from_name, role_name};

/// Whose rights apply to a read: a partner, roles and partner locations. A caller's is part of the [`Principal`](crate::Principal);
/// that of an order carried out later was stored with the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub(crate) partner: String,
    pub(crate) roles: RoleSet,
    pub(crate) locations: Option<BTreeSet<String>>,
}

impl Viewer {
    /// The viewer of a service's request; `None` where the request names no partner. Only a services' RPC may trust it.
    #[must_use]
    pub fn from_message(message: Option<metrics::Viewer>) -> Option<Self> {
        let message = message.filter(|message| !message.partner.is_empty())?;
        Some(Self {
            roles: message.roles.iter().filter_map(|role| Role::try_from(*role).ok()).collect(),
            locations: message.bound_to.map(|bound| bound.location_ids.into_iter().collect()),
            partner: message.partner,
        })
    }

    /// The viewer in a request of our own.
    #[must_use]
    pub fn to_message(&self) -> metrics::Viewer {
        let locations = self.locations.clone();
        metrics::Viewer {
            partner: self.partner.clone(),
            roles: self.roles.iter().map(i32::from).collect(),
            bound_to: locations.map(|ids| ViewerLocations { location_ids: ids.into_iter().collect() }),
        }
    }

    /// A stored viewer, as [`Self::roles_text`] and [`Self::locations_text`] wrote it. Locations that cannot be read are none:
    /// the viewer then sees nothing.
    #[must_use]
    pub fn stored(partner: &str, roles: &str, locations: Option<&str>) -> Self {
        Self {
            partner: partner.to_owned(),
            roles: roles.split(' ').filter_map(role_from_name).collect(),
            locations: locations.map(|text| serde_json::from_str(text).unwrap_or_default()),
        }
    }

    /// The roles by name, with blanks between.
    #[must_use]
    pub fn roles_text(&self) -> String {
        self.roles.iter().map(role_name).collect::<Vec<_>>().join(" ")
    }

    /// The locations as a JSON array; `None` when bound to none.
    #[must_use]
    pub fn locations_text(&self) -> Option<String> {
        self.locations.as_ref().map(|locations| serde_json::json!(locations).to_string())
    }

    /// The same for people to read, within about so many bytes: the first locations, and how many more there are.
    #[must_use]
    pub fn short_locations_text(&self, bytes: usize) -> Option<String> {
        let locations = self.locations.as_ref()?;
        let (mut shown, mut room) = (Vec::new(), bytes);
        for location in locations {
            let Some(left) = room.checked_sub(location.len() + 3) else { break };
            room = left;
            shown.push(location.clone());
        }
        if shown.len() < locations.len() {
            shown.push(format!("… and {} more", locations.len() - shown.len()));
        }
        Some(serde_json::json!(shown).to_string())
    }

    /// The partner whose data is seen.
    #[must_use]
    pub fn partner(&self) -> &str {
        &self.partner
    }

    /// The roles held; unknown ones are left out.
    #[must_use]
    pub fn roles(&self) -> RoleSet {
        self.roles
    }

    /// The partner locations the viewer is bound to; `None` when bound to none. An empty set sees nothing.
    #[must_use]
    pub fn locations(&self) -> Option<&BTreeSet<String>> {
        self.locations.as_ref()
    }

    /// Whether the viewer sees fields of the class.
    #[must_use]
    pub fn can_see(&self, class: FieldClass) -> bool {
        self.roles.can_see(class)
    }

    /// Whether this viewer sees no locations beyond those of the other.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        match (&self.locations, &other.locations) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(mine), Some(theirs)) => mine.is_subset(theirs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_survive_storage_and_messages() {
        for (roles, locations) in [
            (vec![Role::AdminAgent, Role::ReportViewer], None),
            (vec![Role::ExecutiveReportViewer], Some(vec!["L 1", "L\"2"])),
            (vec![Role::SalesAgent], Some(vec![])),
        ] {
            let viewer = Viewer {
                partner: "contoso".into(),
                roles: roles.into_iter().collect(),
                locations: locations.map(|ids| ids.into_iter().map(str::to_owned).collect()),
            };
            let stored = Viewer::stored("contoso", &viewer.roles_text(), viewer.locations_text().as_deref());
            assert_eq!(stored, viewer);
            assert_eq!(Viewer::from_message(Some(viewer.to_message())), Some(viewer));
        }
        let unreadable = Viewer::stored("contoso", "report_viewer", Some("nonsense"));
        assert_eq!(unreadable.locations(), Some(&BTreeSet::new()));
        assert_eq!(Viewer::from_message(Some(metrics::Viewer::default())), None);
    }
}
