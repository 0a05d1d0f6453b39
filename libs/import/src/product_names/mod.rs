//! "Product names and service plan identifiers for licensing": the catalogue, one line per SKU and service plan.

pub(crate) mod services;

use std::{
    collections::{BTreeSet, HashMap},
    io::BufRead,
};

use insights_domain::ids::{canonical_id, is_guid};
use insights_proto::ingestion::v1::{Record, Sku, record::Kind};

use crate::product_names::services::service_of_plan;
use crate::reader::{Notes, ReadError, Rejection, Sink};
use crate::text::table::{Row, Table, TableColumn};
use crate::text::values::names_free;

#[derive(Clone, Copy, PartialEq, Eq)]
enum CatalogueColumn {
    Name,
    Guid,
    Plan,
    PartNumber,
}

const COLUMNS: &[TableColumn<CatalogueColumn>] = &[
    TableColumn { key: CatalogueColumn::Name, names: &["Product_Display_Name", "ProductName"], required: true },
    TableColumn { key: CatalogueColumn::Guid, names: &["GUID", "SkuId", "ProductSkuId"], required: true },
    TableColumn { key: CatalogueColumn::Plan, names: &["Service_Plan_Name", "ServicePlanName"], required: true },
    TableColumn { key: CatalogueColumn::PartNumber, names: &["String_Id", "SkuPartNumber"], required: false },
];

const IGNORED: &[&str] = &["Service_Plan_Id", "Service_Plans_Included_Friendly_Names"];

struct CatalogueEntry {
    row: u64,
    sku: Sku,
    services: BTreeSet<String>,
}

/// Reads the catalogue. The rows of a SKU may stand anywhere in the file.
pub(crate) fn read(input: &mut dyn BufRead, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let mut table = Table::open(input, COLUMNS, IGNORED)?;
    let mut notes = Notes { unknown_columns: table.unknown.clone(), ..Notes::default() };
    let mut entries: Vec<CatalogueEntry> = Vec::new();
    let mut by_guid: HashMap<String, usize> = HashMap::new();
    while let Some(row) = table.next_row()? {
        let parsed = row.and_then(|row| parse(&table, &row));
        match parsed {
            Err(rejection) => sink.rejected(rejection)?,
            Ok(CatalogueLine { row, guid, name, plan, free }) => {
                let at = *by_guid.entry(guid.clone()).or_insert_with(|| {
                    entries.push(CatalogueEntry { row, sku: sku(guid, name, free), services: BTreeSet::new() });
                    entries.len() - 1
                });
                if let Some(plan) = plan {
                    entries[at].services.insert(service(plan, &mut notes));
                }
            }
        }
    }
    table.noted(&mut notes);
    for CatalogueEntry { row, mut sku, services } in entries {
        sku.services = services.into_iter().collect();
        sink.record(row, Record { kind: Some(Kind::Sku(sku)), ..Record::default() })?;
    }
    Ok(notes)
}

/// One row. Part numbers stand on more than one GUID and carry stray blanks: SKUs are told apart by GUID alone.
struct CatalogueLine {
    row: u64,
    guid: String,
    name: String,
    plan: Option<String>,
    free: bool,
}

fn parse(table: &Table<'_, CatalogueColumn>, row: &Row) -> Result<CatalogueLine, Rejection> {
    let reject = |key, reason: &str| Rejection { row: row.line, field: table.name(key).into(), reason: reason.into() };
    let guid = table
        .text(row, CatalogueColumn::Guid)
        .map(canonical_id)
        .ok_or_else(|| reject(CatalogueColumn::Guid, "is missing: SKUs are told apart by it"))?;
    if !is_guid(&guid) {
        return Err(reject(CatalogueColumn::Guid, &format!("\"{guid}\" is not a GUID")));
    }
    let name = table.text(row, CatalogueColumn::Name).ok_or_else(|| reject(CatalogueColumn::Name, "is missing"))?;
    let plan = table.text(row, CatalogueColumn::Plan).map(str::to_owned);
    let free = names_free(name) || table.text(row, CatalogueColumn::PartNumber).is_some_and(names_free);
    Ok(CatalogueLine { row: row.line, guid, name: name.to_owned(), plan, free })
}

fn sku(sku_id: String, name: String, free: bool) -> Sku {
    Sku { sku_id, product: product(&name).to_owned(), free, name, services: Vec::new() }
}

pub(crate) fn service(plan: String, notes: &mut Notes) -> String {
    match service_of_plan(&plan) {
        Some(service) => service.to_owned(),
        None => {
            notes.unmapped_service(&plan);
            plan
        }
    }
}

/// Beginnings of display names, in lower case, and the product each belongs to.
const PRODUCTS: &[(&str, &str)] = &[
    ("dynamics 365", "Dynamics 365"),
    ("microsoft dynamics", "Dynamics 365"),
    ("dynamics", "Dynamics 365"),
    ("office 365", "Office 365"),
    ("microsoft 365", "Office 365"),
    ("exchange online", "Office 365"),
    ("sharepoint", "Office 365"),
    ("onedrive", "Office 365"),
    ("microsoft teams", "Office 365"),
    ("teams", "Office 365"),
    ("yammer", "Office 365"),
    ("skype for business", "Office 365"),
    ("enterprise mobility", "Enterprise Mobility + Security"),
    ("microsoft intune", "Enterprise Mobility + Security"),
    ("intune", "Enterprise Mobility + Security"),
    ("power bi", "Power BI"),
    ("microsoft power bi", "Power BI"),
    ("power apps", "Power Apps"),
    ("microsoft power apps", "Power Apps"),
    ("power automate", "Power Automate"),
    ("microsoft power automate", "Power Automate"),
    ("azure", "Microsoft Azure"),
    ("microsoft azure", "Microsoft Azure"),
    ("windows", "Windows"),
    ("visio", "Visio"),
    ("project", "Project"),
];

/// The product a SKU of this display name belongs to; a name no table knows is a product of its own.
pub(crate) fn product(name: &str) -> &str {
    let lower = name.to_lowercase();
    PRODUCTS.iter().find(|(start, _)| lower.starts_with(start)).map_or(name, |(_, product)| product)
}
