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
use crate::reader::Rejection;
use crate::text::table::Row;

/// Reads the cells of a row.
pub(super) struct RowReader<'a, 't> {
    pub(super) table: &'a Table<'t, RawReportColumn>,
    pub(super) row: &'a Row,
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
        self.parsed(RawReportColumn::Month, values::report_month)
    }

    pub(super) fn date(&self, key: RawReportColumn) -> Result<Option<Day>, Rejection> {
        if self.text(key).is_none() {
            return Ok(None);
        }
        self.parsed(key, values::report_date).map(Some)
    }

    pub(super) fn flag(&self, key: RawReportColumn) -> Option<bool> {
        self.text(key).and_then(|word| values::yes_or_no(&word))
    }

    pub(super) fn other_revenue(&self) -> Result<Vec<OtherRevenue>, Rejection> {
        let amounts = self.parsed(RawReportColumn::OtherRevenue, values::amounts)?;
        Ok(amounts.into_iter().map(|(currency, amount)| OtherRevenue { currency, amount }).collect())
    }

    /// What tells the SKU apart, if anything does.
    pub(super) fn sku(&self) -> Option<String> {
        SKU_KEYS.iter().chain(PRODUCT_KEYS).find_map(|key| self.text(*key)).map(|id| canonical_id(&id))
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

    pub(super) fn sku_stub(&self, sku_id: &str, product: Option<&str>) -> Sku {
        let name = self
            .text(RawReportColumn::Sku)
            .or_else(|| self.text(RawReportColumn::RawProduct))
            .unwrap_or_else(|| sku_id.to_owned());
        let product =
            self.text(RawReportColumn::Product).or_else(|| product.map(str::to_owned)).unwrap_or_else(|| name.clone());
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
