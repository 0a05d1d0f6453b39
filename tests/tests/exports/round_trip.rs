//! Reports exported as CSV or TSV and imported into an empty product give the same figures, for all that the file carries.

use serde_json::Value;

use crate::partner::{Partner, caller, differences};

/// A report, how it is read back, and what it carries.
struct Carried {
    report: &'static str,
    format: &'static str,
    measures: &'static [&'static str],
    by: &'static [&'static str],
    /// Flags of the export, and those of each pair of questions.
    export: &'static [&'static str],
    asked: &'static [&'static [&'static str]],
}

const COUNTS: &str = "customers,new,existing,churned,returning";
const ALL: &[&str] = &["--scope", "all", "--include-grace", "--include-free"];

const SUBSCRIPTIONS: Carried = Carried {
    report: "subscriptions",
    format: "insights-subscriptions",
    measures: &[
        COUNTS,
        "subscriptions,available,assigned,new_seats,deployment_opportunity,deployment_percent",
        "billed_revenue",
    ],
    by: &[
        "",
        "product",
        "sku",
        "country",
        "segment",
        "industry",
        "customer",
        "subscription",
        "location,attribution_type",
        "sales_channel,pricing_model",
        "seller,standing",
        "product,country",
    ],
    export: ALL,
    asked: &[ALL, &["--scope", "sold-or-managed"], &["--scope", "own", "--include-grace"]],
};

const LICENCES: Carried = Carried {
    report: "licence-usage",
    format: "insights-dynamics-usage",
    measures: &[
        COUNTS,
        "subscriptions,available,assigned,active,new_seats,active_usage_percent,deployment_opportunity",
    ],
    ..SUBSCRIPTIONS
};

const DYNAMICS: Carried = Carried {
    report: "dynamics-usage",
    // Without a switch the file carries the figures without it.
    export: &[],
    asked: &[&["--scope", "sold-or-managed"]],
    by: &["product", "product,sku", "product,country", "product,segment", "product,customer"],
    ..LICENCES
};

const CUSTOMERS: Carried = Carried {
    report: "customers",
    format: "insights-customers",
    measures: &[COUNTS, "billed_revenue"],
    // Which of the customer's subscriptions of a SKU belongs where has no place in it.
    by: &["", "product", "sku", "country", "segment", "industry", "customer", "product,country"],
    export: &[],
    asked: &[&["--scope", "sold-or-managed"]],
};

const OFFICE: Carried = Carried {
    report: "office-usage",
    format: "insights-office-usage",
    measures: &["active_users,total_users,usage_percent"],
    by: &["service", "service,country", "service,segment", "service,industry", "service,customer"],
    export: &[],
    asked: &[&["--scope", "all"]],
};

const REPORTS: [Carried; 5] = [SUBSCRIPTIONS, LICENCES, DYNAMICS, CUSTOMERS, OFFICE];

/// The last part of a key names the measure.
fn is_use(key: &[String]) -> bool {
    key.last().is_some_and(|measure| {
        measure.starts_with("active") || ["usage_percent", "usage_percent_numerator"].contains(&measure.as_str())
    })
}

/// Goes there and back; how many figures were compared.
fn goes_round(partner: &Partner, postgres: bool, carried: &Carried, format: &str) -> usize {
    let admin = caller("global_admin", &[]);
    let (file, _) = partner.export(&admin, carried.report, format, carried.export).unwrap();
    let again = Partner::empty(postgres, partner.months.clone());
    again.import(carried.format, &[&file]);
    let mut compared = 0;
    for asked in carried.asked {
        for by in carried.by {
            for measures in carried.measures {
                let mut left = partner.figures(&admin, measures, by, asked);
                left.retain(|key, _| carried.report != DYNAMICS.report || key[1].starts_with("Dynamics 365"));
                // What is of no service is no row of a report by workload.
                left.retain(|key, _| carried.report != OFFICE.report || !key[1].is_empty());
                let mut right = again.figures(&admin, measures, by, asked);
                // Use is unknown as soon as it is of one row; a file has the other rows' use, and read back that is all there is.
                right.retain(|key, _| left.contains_key(key) || !is_use(key));
                let what = format!("{} {measures} by {by:?} {asked:?}", carried.report);
                assert_eq!(differences(&left, &right), [""; 0], "{what}");
                compared += left.len();
            }
        }
    }
    compared
}

/// What the incumbent's reports have no place for: a subscription has one SKU in all months of a file, and one seller, and
/// a report of usage names a part's SKU only beside others; units in grace have no column of their own.
fn sayable(record: &mut Value) {
    let kind = record["kind"].as_str().unwrap_or_default().to_owned();
    if let Some(fields) = record.as_object_mut() {
        if kind == "subscription_state" {
            fields.remove("sku_id");
        }
        if kind == "reported_seats" || kind == "revenue" {
            fields.remove("seller");
            fields.remove("grace");
            if fields.contains_key("subscription_id") {
                fields.remove("sku_id");
            }
        }
    }
}

/// Texts that a file of text must write in other words.
fn hostile(record: &mut Value) {
    sayable(record);
    if record["kind"] == "customer" {
        let hostile = match record["segment"].as_str() {
            Some("SMB") => "=HYPERLINK(\"http://x\",\"y\")",
            Some(_) => "'@twice, and\r\ntwo lines",
            None => return,
        };
        record["segment"] = hostile.into();
        record["industry"] = "\t-tab".into();
    }
}

#[test]
fn a_believable_partner_comes_back() {
    let partner = Partner::generated(false, 11);
    let compared = REPORTS.map(|carried| goes_round(&partner, false, &carried, "csv"));
    println!("figures compared: {compared:?}");
    assert!(compared.iter().all(|figures| *figures > 500), "{compared:?}");
}

#[test]
fn a_believable_partner_comes_back_on_postgres() {
    let partner = Partner::generated(true, 12);
    let compared = [SUBSCRIPTIONS, OFFICE].map(|carried| goes_round(&partner, true, &carried, "tsv"));
    assert!(compared.iter().all(|figures| *figures > 500), "{compared:?}");
}

#[test]
fn odd_partners_come_back() {
    let mut compared = 0;
    for seed in [2, 5, 9] {
        let partner = Partner::random(false, seed, if seed == 9 { hostile } else { sayable });
        for (at, carried) in REPORTS.iter().enumerate() {
            compared += goes_round(&partner, false, carried, if at % 2 == 0 { "tsv" } else { "csv" });
        }
    }
    println!("figures compared: {compared}");
    assert!(compared > 3_000, "{compared}");
}

/// All reports together: none counts twice what another has.
#[test]
fn reports_of_one_partner_go_together() {
    let (partner, admin) = (Partner::generated(false, 13), caller("global_admin", &[]));
    let again = Partner::empty(false, partner.months.clone());
    for carried in [CUSTOMERS, SUBSCRIPTIONS, LICENCES, OFFICE] {
        let (file, _) = partner.export(&admin, carried.report, "csv", carried.export).unwrap();
        again.import(carried.format, &[&file]);
    }
    for by in ["", "product", "sku", "country", "segment"] {
        for measures in [SUBSCRIPTIONS.measures, &["active,active_usage_percent"]].concat() {
            let flags = ["--scope", "sold-or-managed"];
            let [left, right] = [&partner, &again].map(|it| it.figures(&admin, measures, by, &flags));
            assert_eq!(differences(&left, &right), [""; 0], "{measures} by {by:?}");
        }
    }
}
