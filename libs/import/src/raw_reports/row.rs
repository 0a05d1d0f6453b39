//! One row of a raw report: cells as values, and what the row knows of the things it names.

use insights_domain::calendar::{Day, Month};
use insights_domain::ids::canonical_id;
use insights_proto::ingestion::v1::{Attribution, Customer, Location, Sku};

use super::{
    Notes, Table,
    columns::{PRODUCT_KEYS, RawReportColumn, SKU_KEYS},
    gather::OtherRevenue,
    values,
};
use crate::reader::{DateOrder, Mending, Rejection};
use crate::text::dates::{self, Dated};
use crate::text::numbers::{self, ReadAmount};
use crate::text::table::Row;
use crate::text::values::one_spaced;

/// Reads the cells of a row.
pub(super) struct RowReader<'a, 't> {
    pub(super) table: &'a Table<'t, RawReportColumn>,
    pub(super) row: &'a Row,
    /// Of the file's dates.
    pub(super) dates: Option<DateOrder>,
}

impl RowReader<'_, '_> {
    pub(super) fn text(&self, key: RawReportColumn) -> Option<String> {
        self.table.text(self.row, key).map(str::to_owned)
    }

    pub(super) fn reject(&self, key: RawReportColumn, reason: String) -> Rejection {
        Rejection { row: self.row.line, field: self.table.name(key).into(), reason }
    }

    pub(super) fn id(&self, key: RawReportColumn) -> Result<String, Rejection> {
        self.text(key).map(|id| canonical_id(&id)).ok_or_else(|| self.reject(key, "is missing".into()))
    }

    pub(super) fn parsed<T>(
        &self,
        key: RawReportColumn,
        parse: impl Fn(&str) -> Result<T, values::ValueFault>,
    ) -> Result<T, Rejection> {
        parse(self.table.raw(self.row, key)).map_err(|reason| self.reject(key, reason))
    }

    pub(super) fn month(&self) -> Result<Month, Rejection> {
        self.parsed(RawReportColumn::Month, |text| values::report_month(text, self.dates))
    }

    fn mended(&self, key: RawReportColumn, what: Mending, notes: &mut Notes) {
        notes.mended(self.row.line, self.table.name(key), what);
    }

    /// A date that the row can do without.
    pub(super) fn date(&self, key: RawReportColumn, notes: &mut Notes) -> Option<Day> {
        self.text(key)?;
        let mending = match dates::date(self.table.raw(self.row, key), self.dates) {
            Ok(Dated::On(day)) => return Some(day),
            Ok(Dated::Never) => Mending::NoDay,
            Err(_) => Mending::DateLeftOut,
        };
        self.mended(key, mending, notes);
        None
    }

    pub(super) fn flag(&self, key: RawReportColumn) -> Option<bool> {
        self.text(key).and_then(|word| values::yes_or_no(&word))
    }

    /// The amount in dollars, without which the rest of the row counts all the same.
    pub(super) fn revenue(&self, notes: &mut Notes) -> Option<String> {
        let key = RawReportColumn::Revenue;
        let Ok(read) = numbers::dollars(self.table.text(self.row, key).unwrap_or_default()) else {
            self.mended(key, Mending::AmountLeftOut, notes);
            return None;
        };
        read.map(|amount| self.rounded(key, amount, notes))
    }

    pub(super) fn other_revenue(&self, notes: &mut Notes) -> Vec<OtherRevenue> {
        let key = RawReportColumn::OtherRevenue;
        let Ok(read) = values::amounts(self.table.text(self.row, key).unwrap_or_default()) else {
            self.mended(key, Mending::AmountLeftOut, notes);
            return Vec::new();
        };
        let mut one = |(currency, amount)| OtherRevenue { currency, amount: self.rounded(key, amount, notes) };
        read.into_iter().map(&mut one).collect()
    }

    fn rounded(&self, key: RawReportColumn, amount: ReadAmount, notes: &mut Notes) -> String {
        if amount.rounded {
            self.mended(key, Mending::Rounded, notes);
        }
        amount.text
    }

    /// What tells the SKU apart, if anything does.
    pub(super) fn sku(&self) -> Option<String> {
        let id = SKU_KEYS.iter().chain(PRODUCT_KEYS).find_map(|key| self.text(*key))?;
        Some(canonical_id(&one_spaced(&id)))
    }

    pub(super) fn attribution(&self) -> Option<Attribution> {
        let attribution = Attribution {
            location_id: self.text(RawReportColumn::Location),
            r#type: self.text(RawReportColumn::AttributionType),
        };
        Some(attribution).filter(|it| it.location_id.is_some() || it.r#type.is_some())
    }

    fn country(&self, key: RawReportColumn, notes: &mut Notes) -> Option<String> {
        let named = self.text(key)?;
        let code = values::country(&named);
        if code.is_none() {
            notes.unknown_country(&named);
        }
        code
    }

    pub(super) fn customer(&self, customer_id: &str, notes: &mut Notes) -> Customer {
        Customer {
            customer_id: customer_id.to_owned(),
            name: self.text(RawReportColumn::CustomerName).or_else(|| self.text(RawReportColumn::TenantName)),
            country: self.country(RawReportColumn::Market, notes),
            tenant_country: self.country(RawReportColumn::TenantCountry, notes),
            segment: self.text(RawReportColumn::Segment),
            industry: self.text(RawReportColumn::Industry),
            domain: self.text(RawReportColumn::Domain),
        }
    }

    pub(super) fn sku_stub(&self, sku_id: &str, product_of_all: Option<&str>) -> Sku {
        let name = self
            .text(RawReportColumn::Sku)
            .or_else(|| self.text(RawReportColumn::RawProduct))
            .map_or_else(|| sku_id.to_owned(), |name| one_spaced(&name));
        let product = self.text(RawReportColumn::Product).map(|product| one_spaced(&product));
        let product = product.or_else(|| product_of_all.map(str::to_owned)).unwrap_or_else(|| name.clone());
        let free = match self.text(RawReportColumn::Free) {
            Some(word) => word.eq_ignore_ascii_case("free"),
            None => values::names_free(&name),
        };
        Sku { sku_id: sku_id.to_owned(), name, product, services: Vec::new(), free }
    }

    /// None without a country: a location cannot be stored without one, and attributions do not need it.
    pub(super) fn location_stub(&self, notes: &mut Notes) -> Option<Location> {
        let location_id = self.text(RawReportColumn::Location)?;
        let country = self.country(RawReportColumn::LocationCountry, notes)?;
        Some(Location {
            name: self.text(RawReportColumn::LocationName).unwrap_or_else(|| location_id.clone()),
            location_id,
            country,
        })
    }
}
