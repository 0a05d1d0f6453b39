//! What the rows of one table are called, so that no two read alike.

use std::collections::{BTreeMap, HashMap};

use crate::output;

/// Rounds of telling labels apart: a name may be what another thing is called with its id.
const ROUNDS: usize = 2;

/// What things are called, by id; without an id: the missing value, or what stands for several.
#[derive(Debug, Default)]
pub struct Labels(BTreeMap<Option<String>, String>);

impl Labels {
    /// The name of each, with its id where another would read alike. `others` is what other rows are called.
    pub fn of(things: impl IntoIterator<Item = (Option<String>, String)>, others: &[String]) -> Self {
        let names: BTreeMap<Option<String>, String> =
            things.into_iter().map(|(id, name)| (id, without_gaps(&name))).collect();
        let mut labels = names.clone();
        for _ in 0..ROUNDS {
            let mut count: HashMap<String, usize> = HashMap::new();
            for label in labels.values().chain(others) {
                *count.entry(label.clone()).or_default() += 1;
            }
            for (id, label) in &mut labels {
                if let Some(id) = id
                    && count.get(label.as_str()).is_some_and(|count| *count > 1)
                {
                    *label = told_apart(id, &names[&Some(id.clone())]);
                }
            }
        }
        Self(labels)
    }

    /// What a thing is called.
    pub fn get(&self, id: Option<&str>) -> &str {
        self.0.get(&id.map(str::to_owned)).map(String::as_str).unwrap_or_default()
    }
}

/// A name with its id; a value that has no name is quoted: it is not what it seems to be, such as no value at all.
fn told_apart(id: &str, name: &str) -> String {
    let id = without_gaps(id);
    if id == name { format!("“{id}”") } else { format!("{name} ({id})") }
}

/// In a line, without blanks that nobody sees.
fn without_gaps(text: &str) -> String {
    output::line(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(things: &[(Option<&str>, &str)], others: &[&str]) -> Vec<String> {
        let owned = things.iter().map(|(id, name)| (id.map(str::to_owned), (*name).to_owned()));
        let others: Vec<String> = others.iter().map(|it| (*it).to_owned()).collect();
        let labels = Labels::of(owned, &others);
        things.iter().map(|(id, _)| labels.get(*id).to_owned()).collect()
    }

    #[test]
    fn ids_stand_where_names_do_not_tell_apart() {
        assert_eq!(labels(&[(Some("1"), "A"), (Some("2"), "B"), (None, "(none)")], &[]), ["A", "B", "(none)"]);
        assert_eq!(labels(&[(Some("1"), "A b"), (Some("2"), "A  b\n")], &[]), ["A b (1)", "A b (2)"]);
        assert_eq!(labels(&[(Some("1"), "A"), (Some("1"), "A")], &[]), ["A", "A"], "it is the same thing");
        assert_eq!(labels(&[(Some("(none)"), "(none)"), (None, "(none)")], &[]), ["“(none)”", "(none)"]);
        assert_eq!(labels(&[(Some("9"), "2 others")], &["2 others"]), ["2 others (9)"]);
        assert_eq!(
            labels(&[(Some("1"), "A"), (Some("2"), "A"), (Some("3"), "A (1)")], &[]),
            ["A (1)", "A (2)", "A (1) (3)"]
        );
    }
}
