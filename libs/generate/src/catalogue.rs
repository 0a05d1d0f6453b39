//! What the partner sells, where, and at which price.

use insights_proto::ingestion::v1::{Location, Sku};

/// An office of the partner.
pub(super) struct Office {
    pub(super) id: &'static str,
    name: &'static str,
    country: &'static str,
    pub(super) currency: &'static str,
    /// What a US dollar costs there.
    pub(super) rate: f64,
}

impl Office {
    pub(super) fn record(&self) -> Location {
        Location { location_id: self.id.into(), name: self.name.into(), country: self.country.into() }
    }
}

/// The offices; the first serves whoever lives nowhere near another.
pub(super) const LOCATIONS: &[Office] = &[
    Office { id: "4710001", name: "Northwind Seattle", country: "US", currency: "USD", rate: 1.0 },
    Office { id: "4710002", name: "Northwind São Paulo", country: "BR", currency: "BRL", rate: 5.4 },
    Office { id: "4710003", name: "Northwind München", country: "DE", currency: "EUR", rate: 0.92 },
    Office { id: "4710004", name: "Northwind London", country: "GB", currency: "GBP", rate: 0.79 },
    Office { id: "4710005", name: "Northwind Bengaluru", country: "IN", currency: "INR", rate: 84.0 },
];

/// Countries of customers: (code, place in `LOCATIONS`), weight. A few are not known.
pub(super) const COUNTRIES: &[((&str, usize), u32)] = &[
    (("US", 0), 30),
    (("BR", 1), 12),
    (("DE", 2), 12),
    (("GB", 3), 10),
    (("IN", 4), 8),
    (("FR", 2), 6),
    (("CA", 0), 5),
    (("MX", 0), 4),
    (("ES", 2), 3),
    (("NL", 2), 3),
    (("IE", 3), 2),
    (("PT", 1), 2),
    (("AU", 4), 2),
    (("", 0), 2),
];

/// Industries of customers; a few are not known.
pub(super) const INDUSTRIES: &[(&str, u32)] = &[
    ("Professional Services", 20),
    ("Retail", 16),
    ("Manufacturing", 14),
    ("Healthcare", 12),
    ("Education", 10),
    ("Financial Services", 9),
    ("Construction", 8),
    ("Government", 5),
    ("", 6),
];

/// A SKU of the catalogue.
pub(super) struct CatalogueProduct {
    pub(super) id: &'static str,
    name: &'static str,
    product: &'static str,
    pub(super) services: &'static [&'static str],
    pub(super) free: bool,
    /// US dollars a seat and month.
    pub(super) price: f64,
}

impl CatalogueProduct {
    pub(super) fn record(&self) -> Sku {
        Sku {
            sku_id: self.id.into(),
            name: self.name.into(),
            product: self.product.into(),
            services: self.services.iter().map(ToString::to_string).collect(),
            free: self.free,
        }
    }
}

const fn sku(
    id: &'static str,
    name: &'static str,
    product: &'static str,
    services: &'static [&'static str],
    price: f64,
) -> CatalogueProduct {
    CatalogueProduct { id, name, product, services, free: false, price }
}

const fn free(
    id: &'static str,
    name: &'static str,
    product: &'static str,
    services: &'static [&'static str],
) -> CatalogueProduct {
    CatalogueProduct { id, name, product, services, free: true, price: 0.0 }
}

const SUITE: &[&str] = &["Exchange", "SharePoint", "Teams", "Yammer"];
const SUITE_WITH_APPS: &[&str] = &["Exchange", "SharePoint", "Teams", "Yammer", "Office apps"];

pub(super) const BASIC: &str = "M365-BUSINESS-BASIC";
pub(super) const STANDARD: &str = "M365-BUSINESS-STANDARD";
pub(super) const PREMIUM: &str = "M365-BUSINESS-PREMIUM";
pub(super) const E3: &str = "M365-E3";
pub(super) const E5: &str = "M365-E5";
pub(super) const F3: &str = "M365-F3";
pub(super) const SALES: &str = "D365-SALES-ENT";
pub(super) const SERVICE: &str = "D365-SERVICE-ENT";
pub(super) const CENTRAL: &str = "D365-BC-ESSENTIALS";
pub(super) const TEAM: &str = "D365-TEAM";
pub(super) const POWER_BI: &str = "POWER-BI-PRO";
pub(super) const POWER_BI_FREE: &str = "POWER-BI-FREE";
pub(super) const AUTOMATE_FREE: &str = "POWER-AUTOMATE-FREE";
pub(super) const VISIO: &str = "VISIO-PLAN-2";
pub(super) const EMS: &str = "EMS-E3";
pub(super) const AZURE: &str = "AZURE-PLAN";

/// The catalogue.
pub(super) const SKUS: &[CatalogueProduct] = &[
    sku(BASIC, "Microsoft 365 Business Basic", "Office 365", SUITE, 6.0),
    sku(STANDARD, "Microsoft 365 Business Standard", "Office 365", SUITE_WITH_APPS, 12.5),
    sku(PREMIUM, "Microsoft 365 Business Premium", "Office 365", SUITE_WITH_APPS, 22.0),
    sku(E3, "Microsoft 365 E3", "Office 365", SUITE_WITH_APPS, 36.0),
    sku(
        E5,
        "Microsoft 365 E5",
        "Office 365",
        &["Exchange", "SharePoint", "Teams", "Yammer", "Office apps", "Power BI"],
        57.0,
    ),
    sku(F3, "Microsoft 365 F3", "Office 365", &["Exchange", "OneDrive", "Teams", "Yammer"], 8.0),
    sku(SALES, "Dynamics 365 Sales Enterprise", "Dynamics 365 Sales", &["Dynamics 365 Sales"], 95.0),
    sku(
        SERVICE,
        "Dynamics 365 Customer Service Enterprise",
        "Dynamics 365 Customer Service",
        &["Dynamics 365 Customer Service"],
        95.0,
    ),
    sku(
        CENTRAL,
        "Dynamics 365 Business Central Essentials",
        "Dynamics 365 Business Central",
        &["Dynamics 365 Business Central"],
        70.0,
    ),
    sku(TEAM, "Dynamics 365 Team Members", "Dynamics 365 Sales", &["Dynamics 365 Sales"], 8.0),
    sku(POWER_BI, "Power BI Pro", "Power BI", &["Power BI"], 10.0),
    free(POWER_BI_FREE, "Power BI (free)", "Power BI", &["Power BI"]),
    free(AUTOMATE_FREE, "Microsoft Power Automate Free", "Power Automate", &["Power Automate"]),
    sku(VISIO, "Visio Plan 2", "Visio", &["Visio"], 15.0),
    sku(EMS, "Enterprise Mobility + Security E3", "Enterprise Mobility + Security", &["Intune"], 10.6),
    sku(AZURE, "Azure plan", "Azure", &[], 0.0),
];

/// The SKU of an id of `SKUS`.
pub(super) fn product(id: &str) -> &'static CatalogueProduct {
    SKUS.iter().find(|sku| sku.id == id).unwrap_or(&SKUS[0])
}

/// How likely somebody who holds a service uses it in a month, before all else.
pub(super) fn appeal(service: &str) -> f64 {
    match service {
        "Exchange" => 0.93,
        "Teams" => 0.84,
        "Office apps" => 0.78,
        "SharePoint" | "OneDrive" => 0.6,
        "Yammer" => 0.12,
        "Power BI" => 0.45,
        "Power Automate" => 0.2,
        "Visio" => 0.4,
        service if service.starts_with("Dynamics 365") => 0.72,
        _ => 0.55,
    }
}

/// How busy a calendar month is (1 = January): holidays are quiet.
pub(super) fn season(month: u32) -> f64 {
    match month {
        7 => 0.88,
        8 => 0.8,
        12 => 0.84,
        1 => 0.93,
        3 | 9 | 10 => 1.05,
        _ => 1.0,
    }
}

/// How many customers sign in a calendar month, against the mean: budgets are spent in spring and autumn.
pub(super) fn sales_season(month: u32) -> f64 {
    match month {
        1 | 9 => 1.4,
        3 | 10 => 1.25,
        6 => 1.15,
        7 | 8 => 0.6,
        12 => 0.55,
        _ => 1.0,
    }
}

pub(super) const FIRST_WORDS: &[&str] = &[
    "Alpine",
    "Amber",
    "Bay",
    "Blue Harbor",
    "Cedar",
    "City",
    "Coastal",
    "Copper",
    "Crescent",
    "Delta",
    "Eastgate",
    "Evergreen",
    "Falcon",
    "First",
    "Golden",
    "Granite",
    "Green Valley",
    "Highland",
    "Horizon",
    "Iron",
    "Juniper",
    "Lakeside",
    "Liberty",
    "Maple",
    "Meridian",
    "Metro",
    "Northern",
    "Oak",
    "Orchid",
    "Pacific",
    "Pioneer",
    "Quartz",
    "Redwood",
    "River",
    "Silver",
    "Southern",
    "Summit",
    "Sunrise",
    "Tidewater",
    "Union",
    "Valley",
    "Vista",
    "Westbrook",
    "Willow",
];

pub(super) const SECOND_WORDS: &[&str] = &[
    "Analytics",
    "Builders",
    "Clinics",
    "Consulting",
    "Dental",
    "Design",
    "Education",
    "Electric",
    "Engineering",
    "Farms",
    "Finance",
    "Foods",
    "Freight",
    "Furniture",
    "Health",
    "Hotels",
    "Insurance",
    "Labs",
    "Legal",
    "Logistics",
    "Machinery",
    "Media",
    "Motors",
    "Optics",
    "Packaging",
    "Pharma",
    "Printing",
    "Realty",
    "Schools",
    "Software",
    "Solar",
    "Sports",
    "Steel",
    "Textiles",
    "Tools",
    "Travel",
    "Water",
    "Works",
];

pub(super) const FIRST_NAMES: &[&str] = &[
    "ana", "ben", "carla", "dev", "elena", "farid", "grace", "hugo", "ines", "jonas", "kiran", "lucia", "marco",
    "nina", "oliver", "priya", "quinn", "rosa", "samir", "tara", "uma", "victor", "wanda", "yusuf", "zoe",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "almeida", "becker", "costa", "dubois", "evans", "fischer", "garcia", "hansen", "iyer", "jones", "kumar", "lopez",
    "meyer", "novak", "okafor", "patel", "rossi", "silva", "tanaka", "usman", "vargas", "weber", "young", "zhang",
];
