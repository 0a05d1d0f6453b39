//! A partner in a product of its own, asked and exported through the command line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use insights_domain::amount::Amount;
use insights_testkit::insights;
use insights_tests::differential::product::Product;
use insights_tests::differential::question::Caller;
use insights_tests::differential::random_partner::{self, NOW};
use serde_json::Value;

/// The name of the partner everywhere.
const PARTNER: &str = "contoso";

/// A running product with one partner in it.
pub struct Partner {
    product: Product,
    folder: tempfile::TempDir,
    /// The first and last month that questions are about.
    pub months: (String, String),
}

/// Figures by month, group and measure; what is nothing is left out.
pub type Figures = BTreeMap<Vec<String>, String>;

/// A caller with one role, bound to locations.
pub fn caller(role: &'static str, locations: &[&'static str]) -> Caller {
    Caller { role, locations: locations.to_vec() }
}

impl Partner {
    /// A product without records.
    pub fn empty(postgres: bool, months: (String, String)) -> Self {
        Self { product: Product::start(postgres, NOW), folder: tempfile::tempdir().unwrap(), months }
    }

    /// The random partner of a seed; `change` may change its records.
    pub fn random(postgres: bool, seed: u64, change: impl Fn(&mut Value)) -> Self {
        let made = random_partner::make(seed);
        let partner = Self::empty(postgres, made.months);
        for file in &made.files {
            let lines = file.lines().map(|line| match serde_json::from_str::<Value>(line) {
                Ok(mut record) => {
                    change(&mut record);
                    record.to_string()
                }
                Err(_) => line.to_owned(),
            });
            partner.product.import(PARTNER, &lines.collect::<Vec<_>>().join("\n"));
        }
        partner
    }

    /// A believable partner.
    pub fn generated(postgres: bool, seed: u64) -> Self {
        let partner = Self::empty(postgres, ("2024-08".into(), "2025-03".into()));
        let out = partner.folder.path().join("generated");
        let mut generate = insights();
        generate.args(["generate", "--customers", "42", "--months", "8", "--end", "2025-03-10", "--json"]);
        generate.args(["--seed", &seed.to_string()]).arg("--out").arg(&out);
        let made = generate.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        let files: Vec<&str> = made["files"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        partner.import("ndjson", &files);
        partner
    }

    /// Takes files in; nothing of them is rejected.
    pub fn import(&self, format: &str, files: &[&str]) {
        let args = [&["import", format][..], files].concat();
        let output = self.product.client(PARTNER, &caller("global_admin", &[]), &args);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let summary: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(summary["rejected"], 0, "{summary}");
    }

    /// A file of a report, or why there is none.
    pub fn export(
        &self,
        caller: &Caller,
        report: &str,
        format: &str,
        more: &[&str],
    ) -> Result<(String, Value), String> {
        let (from, to) = &self.months;
        let out: PathBuf = self.folder.path().join(format!("{report}.{format}"));
        let path = out.display().to_string();
        let args = ["export", "create", "--report", report, "--from", from, "--to", to, "--format", format];
        let args = [&args[..], &["--out", &path], more].concat();
        let output = self.product.client(PARTNER, caller, &args);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok((path, serde_json::from_slice(&output.stdout).unwrap()))
    }

    /// Runs another command, which answers JSON.
    pub fn json(&self, caller: &Caller, args: &[&str]) -> Value {
        let output = self.product.client(PARTNER, caller, args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a query answers.
    pub fn figures(&self, caller: &Caller, measures: &str, by: &str, more: &[&str]) -> Figures {
        let (from, to) = &self.months;
        let mut args = vec!["--measures", measures, "--from", from, "--to", to];
        if !by.is_empty() {
            args.extend(["--by", by]);
        }
        args.extend(more);
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        let rows = self.product.ask(PARTNER, caller, "query", &args).unwrap();
        let mut figures = Figures::new();
        for row in rows {
            let text = |name: &str| match &row[name] {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            let group: Vec<String> = by.split(',').filter(|by| !by.is_empty()).map(text).collect();
            for measure in measures.split(',') {
                let names = ["", "_numerator", "_denominator"].map(|part| format!("{measure}{part}"));
                let told = names.iter().filter(|name| row.get(*name).is_some());
                for name in told {
                    let unit = if measure == "billed_revenue" { text("currency") } else { String::new() };
                    let value = if unit.is_empty() { text(name) } else { amount(&text(name)) };
                    let name = format!("{name} {unit}").trim().to_owned();
                    let key = [&[text("month")][..], &group, &[name]].concat();
                    add(&mut figures, key, &value);
                }
            }
        }
        figures
    }
}

/// The digits that files have: JSON knows no trailing zeros, and may have an exponent.
fn amount(digits: &str) -> String {
    let plain = digits.parse::<f64>().ok().filter(|_| digits.contains('e')).map(|number| format!("{number:.6}"));
    Amount::from_str(plain.as_deref().unwrap_or(digits)).map_or_else(|_| digits.to_owned(), |amount| amount.to_string())
}

/// Adds a figure, unless it is nothing.
fn add(figures: &mut Figures, key: Vec<String>, value: &str) {
    let nothing = value.is_empty() || value.parse::<f64>().is_ok_and(|number| number == 0.0);
    if !nothing {
        assert_eq!(figures.insert(key.clone(), value.to_owned()), None, "{key:?} is there twice");
    }
}

/// Where one of two says otherwise; at most ten places.
pub fn differences(left: &Figures, right: &Figures) -> Vec<String> {
    let keys: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    let differ = keys.into_iter().filter(|key| left.get(*key) != right.get(*key));
    differ.take(10).map(|key| format!("{key:?}: {:?} and {:?}", left.get(key), right.get(key))).collect()
}
