//! What every word and number of the product means, how it is computed, and cases worked out.

use insights_proto::reporting::v1::{GlossaryKind, GlossaryTerm, WorkedExample};

use super::{Language, message, title};

/// A term: where its texts are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub kind: GlossaryKind,
    /// With `-` for `_`.
    pub id: &'static str,
    /// It has one.
    pub formula: bool,
    /// Numbers of the worked examples it stands in.
    pub examples: &'static [i32],
}

const fn term(kind: GlossaryKind, id: &'static str, formula: bool, examples: &'static [i32]) -> Term {
    Term { kind, id, formula, examples }
}

/// The glossary, in the order in which terms build on each other.
#[rustfmt::skip]
pub(super) const TERMS: &[Term] = &[
    term(GlossaryKind::Word, "partner", false, &[]),
    term(GlossaryKind::Word, "partner-location", false, &[]),
    term(GlossaryKind::Word, "service-fold", false, &[]),
    term(GlossaryKind::Word, "attribution", false, &[6]),
    term(GlossaryKind::Word, "seat", false, &[]),
    term(GlossaryKind::Word, "assignment", false, &[1]),
    term(GlossaryKind::Word, "activity", false, &[]),
    term(GlossaryKind::Word, "entitlement", false, &[2]),
    term(GlossaryKind::Word, "snapshot-day", false, &[]),
    term(GlossaryKind::Word, "complete-through", false, &[]),
    term(GlossaryKind::Word, "window", true, &[1, 7]),
    term(GlossaryKind::Word, "range", false, &[]),
    term(GlossaryKind::Word, "match", false, &[]),
    term(GlossaryKind::Word, "good-standing", true, &[]),
    term(GlossaryKind::Word, "restricting-services", false, &[]),
    term(GlossaryKind::Word, "rollup-of-parts", true, &[]),
    term(GlossaryKind::Word, "percentage", true, &[]),
    term(GlossaryKind::Word, "covered", true, &[1, 2, 4, 8]),
    term(GlossaryKind::Measure, "customers", true, &[3, 5]),
    term(GlossaryKind::Measure, "active-customers", true, &[3]),
    term(GlossaryKind::Measure, "new", true, &[5]),
    term(GlossaryKind::Measure, "existing", true, &[]),
    term(GlossaryKind::Measure, "churned", true, &[5]),
    term(GlossaryKind::Measure, "returning", true, &[5]),
    term(GlossaryKind::Measure, "subscriptions", true, &[]),
    term(GlossaryKind::Measure, "available", true, &[1, 3]),
    term(GlossaryKind::Measure, "assigned", true, &[1]),
    term(GlossaryKind::Measure, "active", true, &[1, 2, 8]),
    term(GlossaryKind::Measure, "new-seats", true, &[]),
    term(GlossaryKind::Measure, "deployment-opportunity", true, &[]),
    term(GlossaryKind::Measure, "idle-seats", true, &[]),
    term(GlossaryKind::Measure, "active-usage-percent", true, &[1, 2, 3, 8]),
    term(GlossaryKind::Measure, "deployment-percent", true, &[]),
    term(GlossaryKind::Measure, "active-users", true, &[4]),
    term(GlossaryKind::Measure, "total-users", true, &[4, 9]),
    term(GlossaryKind::Measure, "usage-percent", true, &[2, 4, 9]),
    term(GlossaryKind::Measure, "active-entitlements", true, &[]),
    term(GlossaryKind::Measure, "total-entitlements", true, &[]),
    term(GlossaryKind::Measure, "billed-revenue", true, &[]),
    term(GlossaryKind::RangeFigure, "added", true, &[]),
    term(GlossaryKind::RangeFigure, "churned-over-range", true, &[]),
    term(GlossaryKind::RangeFigure, "net-added", true, &[]),
    term(GlossaryKind::RangeFigure, "last-month-churn", true, &[]),
    term(GlossaryKind::RangeFigure, "change-of-stock", true, &[]),
    term(GlossaryKind::RangeFigure, "change-of-flow", true, &[]),
    term(GlossaryKind::RangeFigure, "change-in-points", true, &[]),
    term(GlossaryKind::RangeFigure, "churn-percent", true, &[]),
    term(GlossaryKind::RangeFigure, "share", true, &[]),
    term(GlossaryKind::Standing, "active", false, &[]),
    term(GlossaryKind::Standing, "grace", false, &[]),
    term(GlossaryKind::Standing, "suspended", false, &[]),
    term(GlossaryKind::Standing, "disabled", false, &[]),
    term(GlossaryKind::Standing, "upgraded", false, &[]),
    term(GlossaryKind::Standing, "pending", false, &[]),
    term(GlossaryKind::Standing, "other", false, &[]),
    term(GlossaryKind::Scope, "sold-or-managed", false, &[]),
    term(GlossaryKind::Scope, "all-sellers", false, &[]),
    term(GlossaryKind::Scope, "own", false, &[]),
    term(GlossaryKind::Basis, "users", true, &[9]),
    term(GlossaryKind::Basis, "entitlements", true, &[2]),
    term(GlossaryKind::Reason, "trial", false, &[3]),
    term(GlossaryKind::Reason, "not-in-good-standing", false, &[2]),
    term(GlossaryKind::Reason, "free", false, &[]),
    term(GlossaryKind::Reason, "license-transferred", false, &[1]),
    term(GlossaryKind::Reason, "unlicensed-use", false, &[4]),
    term(GlossaryKind::Reason, "over-assigned", false, &[8]),
    term(GlossaryKind::Dimension, "country", false, &[]),
    term(GlossaryKind::Dimension, "segment", false, &[]),
    term(GlossaryKind::Dimension, "industry", false, &[]),
    term(GlossaryKind::Dimension, "customer", false, &[]),
    term(GlossaryKind::Dimension, "product", false, &[]),
    term(GlossaryKind::Dimension, "sku", false, &[]),
    term(GlossaryKind::Dimension, "service", false, &[]),
    term(GlossaryKind::Dimension, "location", false, &[6]),
    term(GlossaryKind::Dimension, "attribution-type", false, &[]),
    term(GlossaryKind::Dimension, "sales-channel", false, &[]),
    term(GlossaryKind::Dimension, "pricing-model", false, &[]),
    term(GlossaryKind::Dimension, "seller", false, &[]),
    term(GlossaryKind::Dimension, "trial", false, &[]),
    term(GlossaryKind::Dimension, "standing", false, &[]),
    term(GlossaryKind::Dimension, "subscription", false, &[]),
    term(GlossaryKind::Mark, "version", false, &[]),
    term(GlossaryKind::Mark, "partial", false, &[]),
    term(GlossaryKind::Mark, "redacted", false, &[]),
    term(GlossaryKind::Mark, "overlapping", false, &[6]),
    term(GlossaryKind::Mark, "lower-bound", false, &[]),
    term(GlossaryKind::Mark, "carried", false, &[]),
    term(GlossaryKind::Mark, "source", false, &[]),
    term(GlossaryKind::Mark, "missing-value", false, &[]),
    term(GlossaryKind::Mark, "min-version", false, &[]),
];

impl Term {
    /// The message of its texts.
    pub fn message_id(&self) -> String {
        match self.kind {
            GlossaryKind::Standing => format!("term-standing-{}", self.id),
            GlossaryKind::Scope => format!("term-scope-{}", self.id),
            GlossaryKind::Basis => format!("term-basis-{}", self.id),
            GlossaryKind::Reason => format!("term-reason-{}", self.id),
            _ => format!("term-{}", self.id),
        }
    }

    /// The enum's value whose title is the term's; none: the term has a title of its own.
    pub fn value_name(&self) -> Option<String> {
        let prefix = match self.kind {
            GlossaryKind::Measure => "MEASURE",
            GlossaryKind::Dimension => "DIMENSION",
            GlossaryKind::Reason => "REASON",
            GlossaryKind::Scope => "SCOPE",
            GlossaryKind::Basis => "BASIS",
            _ => return None,
        };
        Some(format!("{prefix}_{}", self.id).to_uppercase().replace('-', "_"))
    }

    /// As answers and queries spell it: standings and reasons in upper case.
    fn api_id(&self) -> String {
        let id = self.id.replace('-', "_");
        match self.kind {
            GlossaryKind::Standing | GlossaryKind::Reason => id.to_uppercase(),
            _ => id,
        }
    }

    fn said(&self, language: Language) -> GlossaryTerm {
        let id = self.message_id();
        let text = |attribute| message(language, &id, attribute, &[]).unwrap_or_default();
        let example = |number: &i32| WorkedExample {
            number: *number,
            text: message(language, &format!("example-{number}"), None, &[]).unwrap_or_default(),
        };
        GlossaryTerm {
            id: self.api_id(),
            kind: self.kind.into(),
            title: self.value_name().map_or_else(|| text(None), |name| title(language, &name)),
            definition: text(Some("definition")),
            formula: if self.formula { text(Some("formula")) } else { String::new() },
            examples: self.examples.iter().map(example).collect(),
        }
    }
}

/// All of it.
#[must_use]
pub fn glossary(language: Language) -> Vec<GlossaryTerm> {
    TERMS.iter().map(|term| term.said(language)).collect()
}

/// What tells terms apart.
#[must_use]
pub fn term_key(term: &GlossaryTerm) -> String {
    format!("{}.{}", term.kind, term.id)
}
