//! Rows of a file, and the cells of a report's rows.
//!
//! As in the incumbent's files, a subscription or SKU with several attributions has a row for each. All but the first are
//! marked as duplicates, so that their seats and revenue are not summed twice.

use insights_domain::measures::unassigned;
use insights_domain::percentage::Percentage;
use insights_domain::standing::Standing;
use insights_proto::metrics::v1::{ReportAttribution, ReportRow, Row, RowBlock, StreamQueryResponse};

use super::cell::CellValue;
use super::report::ReportField;
use ReportField as S;

/// The currency with a column of its own.
const DOLLARS: &str = "USD";

/// Rows of one message of the answer of metrics.
#[derive(Debug, Default)]
pub struct RowBatch {
    columns: RowBlock,
    groups: Vec<Row>,
    report: Vec<ReportRow>,
}

/// One row of a file.
#[derive(Clone, Copy, Debug)]
pub enum ExportRow<'a> {
    /// A row of a query's result in columns, by its position.
    Columnar(&'a RowBlock, usize),
    /// A row of a query's result from a version of metrics without columns.
    Group(&'a Row),
    /// A row of a report.
    Report(ReportRowRef<'a>),
}

impl From<StreamQueryResponse> for RowBatch {
    fn from(part: StreamQueryResponse) -> Self {
        Self { columns: part.block.unwrap_or_default(), groups: part.rows, report: part.report_rows }
    }
}

impl RowBatch {
    /// Number of rows in the file.
    pub fn row_count(&self) -> usize {
        let groups = self.columns.rows as usize + self.groups.len();
        groups + self.report.iter().map(|row| row.attributions.len().max(1)).sum::<usize>()
    }

    /// Calls a function with each row.
    pub fn each<E>(&self, mut each: impl FnMut(ExportRow<'_>) -> Result<(), E>) -> Result<(), E> {
        (0..self.columns.rows as usize).try_for_each(|at| each(ExportRow::Columnar(&self.columns, at)))?;
        self.groups.iter().try_for_each(|row| each(ExportRow::Group(row)))?;
        self.report.iter().try_for_each(|row| each_attribution(row, |row| each(ExportRow::Report(row))))
    }
}

/// A row of a report for one of its attributions.
#[derive(Clone, Copy, Debug)]
pub struct ReportRowRef<'a> {
    row: &'a ReportRow,
    texts: &'a ComposedTexts,
    attribution: Option<&'a ReportAttribution>,
    duplicate: bool,
}

/// Texts that are composed from a row's values.
#[derive(Debug)]
struct ComposedTexts {
    month: String,
    channels: String,
    other_revenue: String,
}

fn each_attribution<E>(row: &ReportRow, mut each: impl FnMut(ReportRowRef<'_>) -> Result<(), E>) -> Result<(), E> {
    let elsewhere = row.revenue.iter().filter(|amount| amount.currency != DOLLARS);
    let elsewhere: Vec<String> = elsewhere.map(|amount| format!("{} {}", amount.currency, amount.amount)).collect();
    let texts = ComposedTexts {
        month: format!("{}-01", row.month),
        channels: row.sales_channels.join("; "),
        other_revenue: elsewhere.join("; "),
    };
    for at in 0..row.attributions.len().max(1) {
        each(ReportRowRef { row, texts: &texts, attribution: row.attributions.get(at), duplicate: at > 0 })?;
    }
    Ok(())
}

impl<'a> ReportRowRef<'a> {
    /// The value of a column.
    pub fn cell(self, shown: ReportField) -> CellValue<'a> {
        let row = self.row;
        let known =
            |value: Option<&'a str>| value.filter(|text| !text.is_empty()).map_or(CellValue::Null, CellValue::Text);
        let count = |count: Option<i64>| count.map_or(CellValue::Null, CellValue::Count);
        let customer = row.customer.as_ref();
        let sku = row.sku.as_ref();
        let subscription = row.subscription.as_ref();
        match shown {
            S::Month => CellValue::Text(&self.texts.month),
            S::CustomerName => known(customer.and_then(|it| it.name.as_deref())),
            S::Customer => known(customer.map(|it| it.id.as_str())),
            S::Segment => known(customer.and_then(|it| it.segment.as_deref())),
            S::Country => known(customer.and_then(|it| it.country.as_deref())),
            S::Industry => known(customer.and_then(|it| it.industry.as_deref())),
            S::Domain => known(customer.and_then(|it| it.domain.as_deref())),
            S::CustomerStatus => CellValue::Text(if counts(&row.standing) { "Active" } else { "Inactive" }),
            S::Product => known(sku.map(|it| it.product.as_str())),
            S::SkuName => known(sku.map(|it| it.name.as_str())),
            S::Sku => known(sku.map(|it| it.id.as_str())),
            S::Free => sku.map_or(CellValue::Null, |it| CellValue::Text(if it.free { "Free" } else { "Paid" })),
            S::Service => known(row.service.as_deref()),
            S::Subscription => known(subscription.map(|it| it.id.as_str())),
            S::Start => known(subscription.and_then(|it| it.start.as_deref())),
            S::End => known(subscription.and_then(|it| it.end.as_deref())),
            S::State(ended) => CellValue::Text(state(&row.standing, ended)),
            S::Trial => CellValue::Flag(row.trial),
            S::Seller => known(Some(&row.seller)),
            S::SalesChannel => known(match subscription {
                Some(subscription) => subscription.sales_channel.as_deref(),
                None => Some(&self.texts.channels),
            }),
            S::PricingModel => known(subscription.and_then(|it| it.pricing_model.as_deref())),
            S::Location => known(self.attribution.and_then(|it| it.location_id.as_deref())),
            S::LocationName => known(self.attribution.and_then(|it| it.location_name.as_deref())),
            S::AttributionType => known(self.attribution.and_then(|it| it.r#type.as_deref())),
            S::Duplicate => CellValue::Count(i64::from(self.duplicate)),
            S::OtherRevenue => known(Some(&self.texts.other_revenue)),
            S::Dollars => {
                let amount = row.revenue.iter().find(|amount| amount.currency == DOLLARS);
                amount.map_or(CellValue::Null, |amount| CellValue::amount(&amount.amount))
            }
            S::Available => count(row.available),
            S::NewSeats => count(row.new_seats),
            S::Assigned => count(row.assigned),
            S::Active => count(row.active),
            S::Unassigned => count(unassigned_seats(row)),
            S::ActivePercent => active_percent(row).map_or(CellValue::Null, CellValue::Percent),
            S::TotalUsers => count(row.total_users),
            S::ActiveUsers => count(row.active_users),
        }
    }
}

fn unassigned_seats(row: &ReportRow) -> Option<i64> {
    let (available, assigned) = (seats(row.available)?, seats(row.assigned)?);
    unassigned(available, assigned).try_into().ok()
}

fn active_percent(row: &ReportRow) -> Option<f64> {
    Percentage { numerator: seats(row.active), denominator: seats(row.available) }.value()
}

fn seats(count: Option<i64>) -> Option<u64> {
    u64::try_from(count?).ok()
}

/// Whether the standing makes the subscription count.
fn counts(standing: &str) -> bool {
    Standing::from_name(standing).is_some_and(Standing::counts)
}

/// A standing in the incumbent's words, which the import reads back as the same standing; `ended` is the word for a disabled
/// subscription, `None` the one for a month without a standing.
fn state(standing: &str, ended: &'static str) -> &'static str {
    if standing.is_empty() {
        return "None";
    }
    match Standing::from_name(standing).unwrap_or(Standing::Other) {
        Standing::Active => "Active",
        Standing::Grace => "In Grace Period",
        Standing::Suspended => "Suspended",
        Standing::Disabled => ended,
        Standing::Upgraded => "Upgraded",
        Standing::Pending => "Pending",
        Standing::Other => "Other",
    }
}
