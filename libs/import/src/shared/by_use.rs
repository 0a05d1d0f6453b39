//! What is paid by use: it has no seats, whatever quantity a source gives.

/// Whether a product's name says that it is an Azure plan.
pub(crate) fn names_azure_plan(name: &str) -> bool {
    name.to_lowercase().split(|sign: char| !sign.is_alphanumeric()).collect::<String>().contains("azureplan")
}

/// Whether a source's word for a unit or a way of billing means use, such as `Usage-based`.
pub(crate) fn means_use(word: &str) -> bool {
    let word: String = word.to_lowercase().split(|sign: char| !sign.is_alphanumeric()).collect();
    matches!(word.as_str(), "usage" | "usagebased")
}

#[cfg(test)]
mod tests {
    use super::{means_use, names_azure_plan};

    #[test]
    fn azure_plans_and_usage_are_told_by_their_words() {
        for name in ["Azure plan", "Microsoft  Azure Plan", "AZURE_PLAN", "azure-plan (DZH318Z0BPS6)"] {
            assert!(names_azure_plan(name), "{name}");
        }
        for name in ["Azure Information Protection Plan 1", "Azure", "Microsoft Entra ID P1", ""] {
            assert!(!names_azure_plan(name), "{name}");
        }
        assert!(["usage", "Usage-based", "usage_based", "UsageBased"].map(means_use).into_iter().all(|it| it));
        assert!(!["Licenses", "license", "none", ""].map(means_use).into_iter().any(|it| it));
    }
}
