//! What became of an import.

use std::collections::{BTreeMap, BTreeSet};

use insights_import::{MendedRows, Notes, Rejection};
use insights_proto::ingestion::v1::IngestBatchResponse;
use serde::Serialize;

use super::figures::MovedFigures;

/// Rejections listed; all are counted.
const LISTED: usize = 100_000;
/// Reasons told apart.
const REASONS: usize = 1_000;

// House: one field for each count and list of the JSON that the command prints.
/// What became of an import.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Records that changed something.
    pub accepted: u64,
    /// Records that changed nothing, because what they say is there already.
    pub duplicates: u64,
    /// Records that changed nothing, because something newer stands.
    pub superseded: u64,
    /// Rows and records that were refused.
    pub rejected: u64,
    /// Records of customers and users who were erased: refused, and no fault of the file.
    #[serde(skip_serializing_if = "is_zero")]
    pub erased: u64,
    /// Why, in the order of the rows.
    pub rejections: Vec<Listed>,
    /// The partner's version afterwards; none after a dry run.
    pub version: Option<i64>,
    /// Accepted records that wait for what they refer to.
    pub waiting: u64,
    /// How many were refused for which reason; values are left out of the reasons.
    pub rejected_by_reason: BTreeMap<String, u64>,
    /// Columns that no format knows.
    pub unknown_columns: BTreeSet<String>,
    /// Service plans and workloads without a known service.
    pub unmapped_services: BTreeSet<String>,
    /// Status words nobody has seen before.
    pub unknown_statuses: BTreeSet<String>,
    /// Countries that no list knows.
    pub unknown_countries: BTreeSet<String>,
    /// In how many rows what was done to which field, so that the row could be taken.
    pub mended: BTreeMap<String, u64>,
    /// Records that stand in for what a file names and nobody sent yet: those among the accepted.
    pub stubs_created: u64,
    /// What became of each file.
    pub files: Vec<FileSummary>,
    /// What the user should know besides.
    pub notes: Vec<String>,
    /// Why some files could not be imported to their end.
    pub failures: Vec<String>,
    /// How many of which kind, such as subscriptions, whole lists name no longer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
    /// What the import did to the figures; none where they are not known.
    pub figures: Option<MovedFigures>,
}

/// What became of a file.
#[derive(Debug, Default, Serialize)]
pub struct FileSummary {
    /// The file.
    pub file: String,
    /// What it was taken for; none: not recognised, not imported.
    pub format: Option<String>,
    /// The customer it was taken to be about, where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The month it was taken to be about, where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// As in the summary of all.
    #[serde(flatten)]
    pub counts: SummaryCounts,
}

/// Records by what became of them, as in the summary of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SummaryCounts {
    /// Changed something.
    pub accepted: u64,
    /// Are there already.
    pub duplicates: u64,
    /// Are older than what stands.
    pub superseded: u64,
    /// Were refused.
    pub rejected: u64,
}

impl std::ops::Sub for SummaryCounts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            accepted: self.accepted - before.accepted,
            duplicates: self.duplicates - before.duplicates,
            superseded: self.superseded - before.superseded,
            rejected: self.rejected - before.rejected,
        }
    }
}

/// A rejection, and the file when there are several.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// The file; absent when only one was imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Row, field, reason.
    #[serde(flatten)]
    pub rejection: Rejection,
}

impl Summary {
    /// What became of the records so far.
    #[must_use]
    pub fn counts(&self) -> SummaryCounts {
        let Self { accepted, duplicates, superseded, rejected, .. } = *self;
        SummaryCounts { accepted, duplicates, superseded, rejected }
    }

    pub(super) fn add(&mut self, answer: &IngestBatchResponse, stubs: bool) {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        self.accepted += count(answer.accepted);
        self.duplicates += count(answer.duplicates);
        self.superseded += count(answer.superseded);
        self.rejected += count(answer.rejected - answer.erased);
        self.erased += count(answer.erased);
        self.waiting += count(answer.waiting);
        self.version = self.version.max(Some(answer.version));
        if stubs {
            self.stubs_created += count(answer.accepted);
        }
    }

    pub(super) fn list(&mut self, file: Option<&str>, rejection: Rejection) {
        let reason = format!("{}: {}", rejection.field, without_values(&rejection.reason));
        if self.rejected_by_reason.len() < REASONS || self.rejected_by_reason.contains_key(&reason) {
            *self.rejected_by_reason.entry(reason).or_default() += 1;
        } else {
            *self.rejected_by_reason.entry("other reasons".into()).or_default() += 1;
        }
        if self.rejections.len() < LISTED {
            self.rejections.push(Listed { file: file.map(str::to_owned), rejection });
        }
    }

    /// Counts what a whole list names no longer.
    pub(super) fn leaves_out(&mut self, what: &str, count: i64) {
        let what = if what == "skus" { "SKUs" } else { what };
        if let Ok(count @ 1..) = u64::try_from(count) {
            *self.left_out.entry(what.to_owned()).or_default() += count;
        }
    }

    /// Why figures may have moved, as far as the import itself knows.
    pub(super) fn reasons(&self) -> Vec<String> {
        let lists = self.left_out.iter().map(|(what, count)| (*count, format!("{what} are not in this list any more")));
        let known = [
            (self.rejected, "rows were rejected".to_owned()),
            (self.erased, "records are of customers or users who were erased".to_owned()),
            (self.waiting, "records wait for what they refer to".to_owned()),
            (self.superseded, "records change nothing because something newer stands".to_owned()),
        ];
        let known = lists.chain(known).filter(|(count, _)| *count > 0);
        known.map(|(count, what)| format!("{count} {what}")).collect()
    }

    pub(super) fn take_notes(&mut self, notes: Notes, file: &str) {
        let Notes {
            unknown_columns,
            unmapped_services,
            unknown_countries,
            unknown_statuses,
            perhaps_free,
            free_without_end,
            mended,
            remarks,
        } = notes;
        let mut note = |what: &str, items: Vec<&String>| {
            if !items.is_empty() {
                let items: Vec<&str> = items.into_iter().map(String::as_str).collect();
                self.notes.push(format!("{file}: {what}: {}", items.join(", ")));
            }
        };
        note("columns nobody knows, not used", unknown_columns.iter().collect());
        note("services nobody knows, each a service of its own name", unmapped_services.iter().collect());
        note("status words nobody knows, kept, in good standing nowhere", unknown_statuses.iter().collect());
        note("countries nobody knows, left out", unknown_countries.iter().collect());
        note("SKUs with seats without end, free by all appearance; the catalogue says", perhaps_free.iter().collect());
        let free = "SKUs with seats without end, free by their name or part number, in seats with --include-free only";
        note(free, free_without_end.iter().collect());
        for ((field, what), MendedRows { rows, first }) in mended {
            let rows_are = if rows == 1 { "row" } else { "rows" };
            self.notes.push(format!("{file}: {field}: {what}: {rows} {rows_are}, the first is {first}"));
            *self.mended.entry(format!("{field}: {what}")).or_default() += rows;
        }
        self.notes.extend(remarks.into_iter().map(|remark| format!("{file}: {remark}")));
        self.unknown_columns.extend(unknown_columns);
        self.unmapped_services.extend(unmapped_services);
        self.unknown_statuses.extend(unknown_statuses);
        self.unknown_countries.extend(unknown_countries);
    }
}

/// A reason without what stands between quotes, and without numbers that are no part of a word: so that equal faults are counted
/// as one.
fn without_values(reason: &str) -> String {
    let mut text = String::new();
    for (at, part) in reason.split('"').enumerate() {
        if at % 2 == 1 {
            text.push('…');
            continue;
        }
        let mut digits = false;
        // `UTF-8` is a word, `-7` is a number.
        let mut word = false;
        for letter in part.chars() {
            if letter.is_ascii_digit() && !word {
                if !digits {
                    text.push('#');
                }
                digits = true;
            } else {
                digits = false;
                word = letter.is_alphanumeric() || word && letter == '-';
                text.push(letter);
            }
        }
    }
    text
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_faults_are_counted_as_one() {
        let mut summary = Summary::default();
        for (row, reason) in [(2, "\"1/2\" is not a date"), (3, "\"x\" is not a date"), (4, "-7 seats cannot be")] {
            summary.list(None, Rejection { row, field: "Month".into(), reason: reason.into() });
        }
        let counts: Vec<_> = summary.rejected_by_reason.into_iter().collect();
        assert_eq!(counts, [("Month: -# seats cannot be".into(), 1), ("Month: … is not a date".into(), 2)]);
        assert_eq!(summary.rejections.len(), 3);
        assert_eq!(without_values("the text is not UTF-8: row 12"), "the text is not UTF-8: row #");
    }

    #[test]
    fn what_is_known_of_an_import_is_a_reason() {
        let mut summary = Summary { rejected: 2, ..Summary::default() };
        for (what, count) in [("subscriptions", 30), ("skus", 1), ("subscriptions", 8), ("customers", 0)] {
            summary.leaves_out(what, count);
        }
        let lists = ["1 SKUs are not in this list any more", "38 subscriptions are not in this list any more"];
        assert_eq!(summary.reasons(), [lists[0], lists[1], "2 rows were rejected"]);
    }
}
