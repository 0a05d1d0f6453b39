//! The definitions of Partner Insights as pure functions and types: no clock, no storage, no network.
//!
//! A customer's [`facts`] are rolled up by [`rollup::roll_up`] into figures per subscription and month and into
//! classes of users per customer and month; every measure of the metric dictionary is a sum over these two grains.

pub mod amount;
pub mod calendar;
pub mod coverage;
pub mod facts;
pub mod filter_value;
pub mod ids;
pub mod measures;
pub mod percentage;
pub mod personal_text;
mod reported;
pub mod rollup;
pub mod standing;
pub mod usage;
mod user_classes;

/// The name under which a service is counted: OneDrive and OneDrive for Business are SharePoint.
///
/// Blanks around the name are dropped; case is kept, but for the fold it does not matter.
pub fn service_fold(name: &str) -> &str {
    let name = name.trim();
    let folded = ["onedrive", "onedrive for business", "sharepoint"];
    if folded.iter().any(|word| name.eq_ignore_ascii_case(word)) { "SharePoint" } else { name }
}

#[cfg(test)]
mod tests {
    use super::service_fold;

    #[test]
    fn onedrive_is_sharepoint() {
        for name in ["OneDrive", " onedrive for Business ", "SharePoint"] {
            assert_eq!(service_fold(name), "SharePoint");
        }
        assert_eq!(service_fold(" Teams "), "Teams");
        assert_eq!(service_fold("OneDriveX"), "OneDriveX");
    }
}
