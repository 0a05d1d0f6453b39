//! Field paths of violations: metrics names fields of its own requests, callers sent requests of reporting.

use insights_service::{Error, FieldViolation};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Rewrites the paths of field violations; other statuses stay as they are.
pub fn rename(status: Status, name: impl Fn(&str) -> String) -> Status {
    if status.code() != Code::InvalidArgument {
        return status;
    }
    let Some(found) = status.get_details_bad_request() else { return status };
    let mut violations: Vec<FieldViolation> = Vec::new();
    for violation in found.field_violations {
        let violation = FieldViolation::new(name(&violation.field), violation.description);
        // Several queries of one page have the same fault.
        if !violations.contains(&violation) {
            violations.push(violation);
        }
    }
    Error::Invalid(violations).into()
}

/// `queries[0].from_month` of a single query is `query.from_month`.
pub fn of_query(path: &str) -> String {
    behind(path).map_or_else(|| path.to_owned(), |rest| format!("query.{rest}"))
}

/// `queries[3].filters[0].values` of any query of a page is `page.filters[0].values`.
pub fn of_page(path: &str) -> String {
    behind(path).map_or_else(|| path.to_owned(), |rest| format!("page.{rest}"))
}

/// The status of a query that metrics answered for an export: `query.from_month` is `order.query.from_month`.
pub fn rename_order(status: Status) -> Status {
    rename(insights_service::forward(status), |path| {
        if path.starts_with("query") { format!("order.{path}") } else { path.to_owned() }
    })
}

/// The path after `queries[n].` or `explain[n].`.
fn behind(path: &str) -> Option<&str> {
    let (first, rest) = path.split_once('.')?;
    (first.starts_with("queries[") || first.starts_with("explain[")).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::{of_page, of_query};

    #[test]
    fn paths_are_those_of_the_request() {
        assert_eq!(of_query("queries[0].filters[2].values[0]"), "query.filters[2].values[0]");
        assert_eq!(of_query("min_version"), "min_version");
        assert_eq!(of_page("explain[1].as_of"), "page.as_of");
        assert_eq!(of_page("min_version"), "min_version");
    }
}
