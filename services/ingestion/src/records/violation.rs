//! Violations: what is wrong with a record.

/// A field of a record that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Such as `subscription_state.seats`.
    pub field: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// Longest reason that is kept and told, in bytes; a whole list has thousands of ids, each of which may be wrong.
const LONGEST_REASON: usize = 2_000;

/// The first field at fault, and all reasons in one sentence, as far as it goes.
pub(crate) fn summary(violations: &[Violation]) -> (String, String) {
    let Some((first, rest)) = violations.split_first() else { return (String::new(), String::new()) };
    let mut reason = first.reason.clone();
    for (told, more) in rest.iter().enumerate() {
        if reason.len() > LONGEST_REASON {
            reason.push_str(&format!("; and {} more", rest.len() - told));
            break;
        }
        reason.push_str("; ");
        reason.push_str(&more.field);
        reason.push(' ');
        reason.push_str(&more.reason);
    }
    (first.field.clone(), reason)
}
