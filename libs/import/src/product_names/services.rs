//! Which service a service plan belongs to.

/// Beginnings of service plan names, in upper case, and the service each belongs to; the first that fits decides.
const PLANS: &[(&str, &str)] = &[
    ("EXCHANGE", "Exchange"),
    ("BPOS_S_EXCHANGE", "Exchange"),
    ("SHAREPOINT", "SharePoint"),
    ("ONEDRIVE", "SharePoint"),
    ("TEAMS", "Teams"),
    ("YAMMER", "Yammer"),
    ("VIVAENGAGE", "Yammer"),
    ("MCO", "Skype for Business"),
    ("OFFICESUBSCRIPTION", "Office apps"),
    ("OFFICE_BUSINESS", "Office apps"),
    ("OFFICEMOBILE_SUBSCRIPTION", "Office apps"),
    ("OFFICE_PROPLUS", "Office apps"),
    ("BI_AZURE", "Power BI"),
    ("POWER_BI", "Power BI"),
    ("POWERAPPS", "Power Apps"),
    ("FLOW", "Power Automate"),
    ("POWERAUTOMATE", "Power Automate"),
    ("POWER_AUTOMATE", "Power Automate"),
    ("PROJECTWORKMANAGEMENT", "Planner"),
    ("PROJECT", "Project"),
    ("VISIO", "Visio"),
    ("INTUNE", "Intune"),
    ("AAD_", "Microsoft Entra ID"),
    ("FORMS_PLAN", "Forms"),
    ("STREAM", "Stream"),
    ("SWAY", "Sway"),
    ("WHITEBOARD", "Whiteboard"),
];

/// Beginnings of the plans that are applications of Dynamics 365.
const DYNAMICS: &[&str] = &["DYN365", "DYNAMICS_365", "D365", "CRM", "NAV_"];

/// The service of a plan: by the table, or none when the table does not know it.
pub fn service_of_plan(plan: &str) -> Option<&'static str> {
    let plan = plan.trim().to_ascii_uppercase();
    if DYNAMICS.iter().any(|start| plan.starts_with(start)) {
        return Some("Dynamics 365");
    }
    PLANS.iter().find(|(start, _)| plan.starts_with(start)).map(|(_, service)| *service)
}

/// Names of workloads and of the services of user reports, letters and digits only in lower case.
const WORKLOADS: &[(&str, &str)] = &[
    ("exchange", "Exchange"),
    ("exchangeonline", "Exchange"),
    ("exo", "Exchange"),
    ("outlook", "Exchange"),
    ("sharepoint", "SharePoint"),
    ("sharepointonline", "SharePoint"),
    ("spo", "SharePoint"),
    ("onedrive", "SharePoint"),
    ("onedriveforbusiness", "SharePoint"),
    ("odb", "SharePoint"),
    ("teams", "Teams"),
    ("microsoftteams", "Teams"),
    ("yammer", "Yammer"),
    ("yammerenterprise", "Yammer"),
    ("vivaengage", "Yammer"),
    ("skypeforbusiness", "Skype for Business"),
    ("skypeforbusinessonline", "Skype for Business"),
    ("sfb", "Skype for Business"),
    ("lync", "Skype for Business"),
    ("officeproplus", "Office apps"),
    ("office365proplus", "Office apps"),
    ("microsoft365apps", "Office apps"),
    ("m365apps", "Office apps"),
    ("proplus", "Office apps"),
    ("powerbi", "Power BI"),
    ("intune", "Intune"),
    ("visio", "Visio"),
    ("project", "Project"),
    ("planner", "Planner"),
    ("forms", "Forms"),
    ("stream", "Stream"),
];

/// The service of a workload: by the table, or none when the table does not know it.
pub fn service_of_workload(name: &str) -> Option<&'static str> {
    let bare: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    WORKLOADS.iter().find(|(workload, _)| *workload == bare).map(|(_, service)| *service)
}

/// OneDrive and OneDrive for Business are SharePoint: they are counted together.
pub fn fold(service: &str) -> &str {
    let bare: String = service.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if matches!(bare.as_str(), "onedrive" | "onedriveforbusiness") { "SharePoint" } else { service }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_find_their_service() {
        for (plan, service) in [
            ("EXCHANGE_S_ENTERPRISE", Some("Exchange")),
            ("exchange_s_foundation ", Some("Exchange")),
            ("SHAREPOINTWAC", Some("SharePoint")),
            ("ONEDRIVE_BASIC", Some("SharePoint")),
            ("TEAMS1", Some("Teams")),
            ("YAMMER_ENTERPRISE", Some("Yammer")),
            ("DYN365_ENTERPRISE_SALES", Some("Dynamics 365")),
            ("NBENTERPRISE", None),
        ] {
            assert_eq!(service_of_plan(plan), service, "{plan}");
        }
        assert_eq!(service_of_workload("Exchange Online"), Some("Exchange"));
        assert_eq!(service_of_workload("Skype For Business"), Some("Skype for Business"));
        assert_eq!(service_of_workload("Loop"), None);
        assert_eq!(fold("OneDrive for Business"), "SharePoint");
        assert_eq!(fold("Teams"), "Teams");
    }
}
