//! `insights config`.

use insights_product::{Resolved, listed};
use serde_json::{Map, Value, json};

use crate::{failure::Failure, output};

/// Prints every setting and where it comes from.
pub fn run(resolved: &Resolved, json: bool) -> Result<(), Failure> {
    let settings = listed(resolved);
    if json {
        let all: Map<String, Value> = settings
            .into_iter()
            .map(|(setting, value, origin)| (setting, json!({"value": value, "origin": origin.to_string()})))
            .collect();
        return output::print_json(&all);
    }
    let rows: Vec<Vec<String>> = settings
        .into_iter()
        .map(|(setting, value, origin)| vec![setting, value.to_string(), origin.to_string()])
        .collect();
    output::print(&output::table(&["setting", "value", "from"], &rows, &[false; 3]))
}
