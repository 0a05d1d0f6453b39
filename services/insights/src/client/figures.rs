//! What an import does to the figures: those before it, those after it, and what moved.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use insights_access::{Policy, REPORTING_SERVICE, Viewer};
use insights_domain::calendar::{Day, Month};
use insights_proto::{
    access::v1::WhoAmIResponse,
    ingestion::v1::{IngestBatchRequest, record::Kind},
    metrics::v1::{self as metrics, Freshness, Measure, Query, Result as QueryResult, value},
    reporting::v1::{GetFreshnessRequest, PreviewImportRequest, PreviewImportResponse, QueryRequest},
};
use prost::Message as _;
use serde::Serialize;
use tonic::Code;

use super::{Caller, batch::Batch};
use crate::failure::Failure;

/// The measures that tell what a file did.
pub const MEASURES: [Measure; 6] = [
    Measure::Customers,
    Measure::Subscriptions,
    Measure::Available,
    Measure::Assigned,
    Measure::Active,
    Measure::TotalUsers,
];
/// Months that are compared: ten years up to today.
const MONTHS: i32 = 120;
/// How long the figures of a version may take.
const DEADLINE: Duration = Duration::from_secs(120);
/// Bytes of batches that are kept to be tried together.
const KEPT: usize = 32 << 20;
/// How often an import is tried, as somebody else may import meanwhile.
const TRIES: usize = 3;
/// A figure that moves by more than one part in so many is worth a warning.
const PART: i64 = 5;

/// The first month that is compared.
#[must_use]
pub fn earliest(today: Day) -> Month {
    today.month().plus(1 - MONTHS)
}

/// Those of [`MEASURES`] that a caller may see.
#[must_use]
pub fn shown_to(caller: &WhoAmIResponse) -> Vec<Measure> {
    let viewer = metrics::Viewer { partner: caller.partner.clone(), roles: caller.roles.clone(), bound_to: None };
    let (Ok(policy), Some(viewer)) = (Policy::product(), Viewer::from_message(Some(viewer))) else { return Vec::new() };
    let allowed = |measure: &Measure| policy.authorise_measures(&viewer, REPORTING_SERVICE, &[*measure]).is_ok();
    MEASURES.into_iter().filter(allowed).collect()
}

/// The months that records name: those of their days, and those they are about.
#[derive(Clone, Debug, Default)]
pub struct TouchedMonths(BTreeSet<Month>);

impl TouchedMonths {
    /// Takes the months of a batch. What begins or ends on a day, as subscriptions do, is about no month of its own.
    pub fn take(&mut self, batch: &Batch) {
        let days = batch.activity.day.iter().copied().collect::<BTreeSet<i32>>();
        self.0.extend(days.into_iter().filter_map(Day::from_epoch_days).map(Day::month));
        self.0.extend(batch.records.iter().filter_map(|record| record.kind.as_ref()).filter_map(month_of));
    }
}

fn month_of(kind: &Kind) -> Option<Month> {
    let month = |text: &str| text.get(..7).and_then(|text| text.parse().ok());
    match kind {
        Kind::SubscriptionState(state) => month(&state.effective),
        Kind::Revenue(revenue) => month(&revenue.month),
        Kind::SupportCases(cases) => month(&cases.month),
        Kind::ReportedSeats(seats) => month(&seats.month),
        Kind::ReportedUsage(usage) => month(&usage.month),
        Kind::LicenceList(list) => month(&list.day),
        _ => None,
    }
}

/// The figures of all months at one version.
#[derive(Clone, Debug, Default)]
pub struct FiguresAt {
    version: i64,
    /// The first and the last month asked for; none: there is no data.
    span: Option<(Month, Month)>,
    measures: Vec<Measure>,
    rows: BTreeMap<Month, Vec<Option<i64>>>,
    /// Months that no report covers, whose seats are those of the month before.
    carried: BTreeSet<Month>,
}

impl FiguresAt {
    /// The figures at this version or a later one, from a month on.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn read(caller: &Caller, measures: &[Measure], earliest: Month, version: i64) -> Result<Self, Failure> {
        let request = caller.request(GetFreshnessRequest { min_version: version }, DEADLINE);
        let freshness = caller.reporting().get_freshness(request).await?.into_inner().freshness.unwrap_or_default();
        let Some((first, last)) = span(&freshness, earliest) else {
            return Ok(Self::none(freshness.version, measures));
        };
        let query = query(measures, first, last);
        let message = QueryRequest { query: Some(query), min_version: freshness.version, max_bytes: 0 };
        let answer = caller.reporting().query(caller.request(message, DEADLINE)).await?.into_inner();
        Ok(Self::of(measures, earliest, &answer.freshness.unwrap_or(freshness), answer.result.as_ref()))
    }

    fn none(version: i64, measures: &[Measure]) -> Self {
        Self { version, measures: measures.to_vec(), ..Self::default() }
    }

    fn of(measures: &[Measure], earliest: Month, freshness: &Freshness, result: Option<&QueryResult>) -> Self {
        let figure = |value: &metrics::Value| match value.kind {
            Some(value::Kind::Count(count)) => Some(count),
            _ => None,
        };
        let rows = result.iter().flat_map(|result| &result.rows);
        let carried = rows.clone().filter(|row| row.carried).filter_map(|row| row.month.parse().ok()).collect();
        let rows = rows.filter_map(|row| Some((row.month.parse().ok()?, row.values.iter().map(figure).collect())));
        let (version, measures) = (freshness.version, measures.to_vec());
        Self { version, span: span(freshness, earliest), measures, rows: rows.collect(), carried }
    }

    /// A figure of a month; none while the month has none.
    fn figure(&self, month: Month, measure: usize) -> Option<i64> {
        let (first, last) = self.span?;
        match self.rows.get(&month) {
            _ if month > last => None,
            Some(row) if month >= first => row.get(measure).copied().flatten(),
            _ => Some(0),
        }
    }
}

/// The query for the figures of months.
fn query(measures: &[Measure], first: Month, last: Month) -> Query {
    Query {
        measures: measures.iter().map(|measure| *measure as i32).collect(),
        from_month: first.to_string(),
        to_month: last.to_string(),
        ..Query::default()
    }
}

/// The months with data, from one on.
fn span(freshness: &Freshness, earliest: Month) -> Option<(Month, Month)> {
    let first: Month = freshness.first_month.parse().ok()?;
    let last = freshness.complete_through.parse::<Day>().ok()?.month();
    Some((first.max(earliest), last)).filter(|(first, last)| first <= last)
}

/// What an import that is tried would do.
#[derive(Debug)]
pub struct TriedFigures {
    /// The figures before it.
    pub before: FiguresAt,
    /// The figures after it.
    pub after: FiguresAt,
    /// Accepted records that would wait, each batch counted after those before it.
    pub waiting: u64,
}

/// The batches of an import that is tried, as far as there is room for them.
#[derive(Debug, Default)]
pub struct KeptBatches {
    batches: Vec<IngestBatchRequest>,
    bytes: usize,
    /// There was no room, and nothing is kept any more.
    full: bool,
}

impl KeptBatches {
    /// Keeps a batch.
    pub fn keep(&mut self, batch: &Batch) {
        if self.full {
            return;
        }
        let activity = Some(batch.activity.clone()).filter(|columns| !columns.day.is_empty());
        let records = batch.records.clone();
        let batch = IngestBatchRequest { records, activity, validate_only: true, ..IngestBatchRequest::default() };
        self.bytes += batch.encoded_len();
        self.batches.push(batch);
        if self.bytes > KEPT {
            *self = Self { full: true, ..Self::default() };
        }
    }

    /// The figures before and after, as the server works them out without storing anything.
    ///
    /// # Errors
    /// Says why they cannot be had.
    pub async fn figures(&self, caller: &Caller, measures: &[Measure], today: Day) -> Result<TriedFigures, Failure> {
        if self.full {
            let most = KEPT >> 20;
            return Err(Failure::Failed(format!(
                "the files have more than {most} MiB of records to be tried together"
            )));
        }
        let answer = self.tried(caller, measures, today).await?;
        let at = |freshness: Option<Freshness>, result: Option<&QueryResult>| {
            FiguresAt::of(measures, earliest(today), &freshness.unwrap_or_default(), result)
        };
        Ok(TriedFigures {
            before: at(answer.freshness_before, answer.before.as_ref()),
            after: at(answer.freshness_after, answer.after.as_ref()),
            waiting: answer.waiting.max(0).cast_unsigned(),
        })
    }

    async fn tried(&self, caller: &Caller, measures: &[Measure], today: Day) -> Result<PreviewImportResponse, Failure> {
        // The data ends today at the latest, in whichever time zone that is.
        let query = query(measures, earliest(today), today.month().plus(1));
        let mut tries = 0;
        loop {
            tries += 1;
            let first = PreviewImportRequest { query: Some(query.clone()), batch: None, done: false };
            let batches = self.batches.clone().into_iter();
            let batches = batches.map(|batch| PreviewImportRequest { batch: Some(batch), ..Default::default() });
            let end = PreviewImportRequest { done: true, ..PreviewImportRequest::default() };
            let messages: Vec<_> = std::iter::once(first).chain(batches).chain([end]).collect();
            let request = caller.request(tokio_stream::iter(messages), DEADLINE);
            match caller.reporting().preview_import(request).await {
                Err(status) if status.code() == Code::Aborted && tries < TRIES => {}
                answer => return Ok(answer?.into_inner()),
            }
        }
    }
}

/// A figure before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Before the import; none while the month had none.
    pub before: Option<i64>,
    /// After it.
    pub after: Option<i64>,
}

impl Moved {
    /// Whether it moved by more than a fifth. What was nothing before has nothing to be measured by.
    fn is_far(self) -> bool {
        let Self { before: Some(before), after: Some(after) } = self else { return false };
        before > 0 && (after - before).saturating_mul(PART).saturating_abs() > before
    }
}

/// The figures of a month before and after.
#[derive(Clone, Debug, Serialize)]
pub struct MonthMoved {
    /// The month.
    pub month: String,
    /// By measure.
    #[serde(flatten)]
    pub figures: BTreeMap<String, Moved>,
}

/// A figure that moved by more than a fifth.
#[derive(Clone, Debug, Serialize)]
pub struct FarMoved {
    /// The month.
    pub month: String,
    /// The measure.
    pub measure: String,
    /// Before and after.
    #[serde(flatten)]
    pub moved: Moved,
    /// Why, as far as it is known.
    pub reasons: Vec<String>,
}

/// What an import did to the figures, or would do.
#[derive(Clone, Debug, Serialize)]
pub struct MovedFigures {
    /// The version before.
    pub version_before: i64,
    /// The version after; none after a dry run, which makes none.
    pub version_after: Option<i64>,
    /// The months that the files name, and every other in which a figure moved, in their order.
    pub months: Vec<MonthMoved>,
    /// Those of the months that no report covers after it: seats are those of the month before, use is unknown.
    pub carried: Vec<String>,
    /// What moved by more than a fifth.
    pub warnings: Vec<FarMoved>,
}

impl MovedFigures {
    /// Compares the figures before and after. Of nothing touched and nothing moved, the last month is shown.
    #[must_use]
    pub fn between(before: &FiguresAt, after: &FiguresAt, touched: &TouchedMonths, reasons: &[String]) -> Option<Self> {
        let spans = [before.span, after.span];
        let first = spans.iter().flatten().map(|(first, _)| *first).min()?;
        let last = spans.iter().flatten().map(|(_, last)| *last).max()?;
        let moved = |month: Month| -> Vec<Moved> {
            let figure = |measure| Moved { before: before.figure(month, measure), after: after.figure(month, measure) };
            (0..before.measures.len()).map(figure).collect()
        };
        let mut shown: Vec<(Month, Vec<Moved>)> = (first.index()..=last.index())
            .filter_map(Month::from_index)
            .map(|month| (month, moved(month)))
            .filter(|(month, figures)| touched.0.contains(month) || figures.iter().any(|it| it.before != it.after))
            .collect();
        if shown.is_empty() {
            shown.push((last, moved(last)));
        }
        let named = |measure: usize| before.measures[measure].short_name().to_owned();
        let far = shown.iter().flat_map(|(month, figures)| {
            let far = figures.iter().enumerate().filter(|(_, moved)| moved.is_far());
            far.map(|(measure, moved)| FarMoved {
                month: month.to_string(),
                measure: named(measure),
                moved: *moved,
                reasons: reasons.to_vec(),
            })
        });
        let warnings = far.collect();
        let carried = shown.iter().map(|(month, _)| month).filter(|month| after.carried.contains(month));
        let carried = carried.map(Month::to_string).collect();
        let months = shown.into_iter().map(|(month, figures)| MonthMoved {
            month: month.to_string(),
            figures: figures.into_iter().enumerate().map(|(measure, moved)| (named(measure), moved)).collect(),
        });
        let months = months.collect();
        Some(Self { version_before: before.version, version_after: Some(after.version), months, carried, warnings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    fn at(version: i64, first: &str, last: &str, rows: &[(&str, Option<i64>)]) -> FiguresAt {
        FiguresAt {
            version,
            span: Some((month(first), month(last))),
            measures: vec![Measure::Customers],
            rows: rows.iter().map(|(text, figure)| (month(text), vec![*figure])).collect(),
            carried: BTreeSet::new(),
        }
    }

    fn lines(moved: &MovedFigures) -> Vec<(&str, Option<i64>, Option<i64>)> {
        let line = |it: &'_ MonthMoved| it.figures["customers"];
        moved.months.iter().map(|it| (it.month.as_str(), line(it).before, line(it).after)).collect()
    }

    #[test]
    fn months_that_moved_or_were_named_are_shown() {
        let before = at(3, "2026-01", "2026-03", &[("2026-01", Some(10)), ("2026-02", Some(10)), ("2026-03", Some(4))]);
        let after = at(
            5,
            "2025-12",
            "2026-04",
            &[
                ("2025-12", Some(1)),
                ("2026-01", Some(10)),
                ("2026-02", Some(8)),
                ("2026-03", Some(3)),
                ("2026-04", None),
            ],
        );
        let after = FiguresAt { carried: [month("2025-11"), month("2026-02")].into(), ..after };
        let touched = TouchedMonths([month("2026-01"), month("2031-01")].into());
        let moved = MovedFigures::between(&before, &after, &touched, &["because".into()]).unwrap();
        assert_eq!(
            lines(&moved),
            [
                ("2025-12", Some(0), Some(1)),
                ("2026-01", Some(10), Some(10)),
                ("2026-02", Some(10), Some(8)),
                ("2026-03", Some(4), Some(3)),
            ]
        );
        assert_eq!((moved.version_before, moved.version_after), (3, Some(5)));
        assert_eq!(moved.carried, ["2026-02"], "of what is shown");
        // A fifth exactly is no warning, a quarter is; from nothing to something is none.
        let warned: Vec<_> = moved.warnings.iter().map(|it| (it.month.as_str(), it.reasons.len())).collect();
        assert_eq!(warned, [("2026-03", 1)]);
        let same = MovedFigures::between(&before, &before, &TouchedMonths::default(), &[]).unwrap();
        assert_eq!(lines(&same), [("2026-03", Some(4), Some(4))]);
        assert!(MovedFigures::between(&FiguresAt::default(), &FiguresAt::default(), &touched, &[]).is_none());
    }

    #[test]
    fn who_may_not_see_a_measure_is_not_asked_for_it() {
        use insights_access::Role;
        let shown = |roles: &[Role]| {
            let roles = roles.iter().copied().map(i32::from).collect();
            shown_to(&WhoAmIResponse { partner: "p".into(), roles, ..WhoAmIResponse::default() })
        };
        assert_eq!(shown(&[Role::GlobalAdmin]), MEASURES);
        assert_eq!(shown(&[Role::DataSource]), []);
        assert_eq!(shown(&[Role::DataSource, Role::ReportViewer]), MEASURES[..5]);
    }
}
