//! Random questions: every measure and dimension, pairs, filters, switches, scopes and callers.

use super::random::Random;
use naive::query::{BY_SEAT, CUSTOMER_LEVEL, OTHER_MEASURES, SUBSCRIPTION_LEVEL, WHAT};
use std::collections::BTreeSet;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Caller {
    /// The role of the token.
    pub role: &'static str,
    /// The partner locations the token is bound to.
    pub locations: Vec<&'static str>,
}

impl Caller {
    /// Sees everything.
    pub fn admin() -> Self {
        Self { role: "global_admin", locations: Vec::new() }
    }

    /// Whether the role sees amounts of money.
    pub fn sees_revenue(&self) -> bool {
        ["global_admin", "executive_report_viewer"].contains(&self.role)
    }
}

/// One call of the command line.
#[derive(Clone, Debug)]
pub struct Question {
    /// `query` or `explain`.
    pub command: &'static str,
    /// Its arguments.
    pub args: Vec<String>,
    /// Who asks.
    pub caller: Caller,
}

impl Question {
    /// The same question about reported rows as they stood at a time.
    pub fn as_of(&self, time: &str) -> Self {
        let mut asked = self.clone();
        asked.args.extend(["--as-of".into(), time.into()]);
        asked
    }

    /// The same question for the second implementation.
    pub fn query(&self) -> naive::Query {
        let mut query = naive::Query::parse(&self.args).expect("a question is well-formed");
        query.sees_revenue = self.caller.sees_revenue();
        if !self.caller.locations.is_empty() {
            let locations: BTreeSet<String> = self.caller.locations.iter().map(|l| l.to_string()).collect();
            query.bound = Some(locations);
        }
        query
    }
}

/// Every dimension.
pub fn dimensions() -> Vec<&'static str> {
    [CUSTOMER_LEVEL.as_slice(), &WHAT, &SUBSCRIPTION_LEVEL].concat()
}

/// Values that filters may name, by dimension.
pub struct Values<'a>(pub &'a naive::Facts);

impl Values<'_> {
    /// A value to filter by; sometimes the missing value, sometimes one that no row has.
    pub fn pick(&self, random: &mut Random, dimension: &str) -> String {
        let subscriptions = self.0.subscriptions.values().map(|contract| contract.subscription.id.clone());
        let known: Vec<String> = match dimension {
            "country" => texts(&["BR", "US", "DE", "PT", "(none)"]),
            "segment" => texts(&["SMB", "Enterprise", "(none)", "Nobody's"]),
            "industry" => texts(&["Retail", "Health", "(none)"]),
            "customer" => self.0.customers.keys().cloned().collect(),
            "product" => self.0.skus.values().map(|sku| sku.product.clone()).collect(),
            "sku" => self.0.skus.keys().cloned().collect(),
            "service" => texts(&["Exchange", "SharePoint", "OneDrive", "Teams", "Yammer", "Sales", "(none)"]),
            "location" => texts(&["L0", "L1", "L2", "(none)"]),
            "attribution_type" => texts(&["CSP", "PAL", "(none)"]),
            "sales_channel" => texts(&["Web", "Reseller", "(none)"]),
            "pricing_model" => texts(&["Legacy", "Modern", "(none)"]),
            "seller" => texts(&["own", "other", "direct"]),
            "trial" => texts(&["true", "false"]),
            "standing" => {
                texts(&["ACTIVE", "ACTIVE", "GRACE", "SUSPENDED", "DISABLED", "UPGRADED", "PENDING", "OTHER"])
            }
            _ => subscriptions.collect(),
        };
        if known.is_empty() { "nothing".into() } else { random.one(&known) }
    }
}

fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(|text| text.to_string()).collect()
}

/// How a question is narrowed: filters, switches, scope, basis.
fn narrow(random: &mut Random, values: &Values, args: &mut Vec<String>, filters: usize) {
    let mut left = dimensions();
    for _ in 0..filters {
        let dimension = left.remove(random.below(left.len()));
        let values: Vec<String> = (0..random.between(1, 2)).map(|_| values.pick(random, dimension)).collect();
        args.extend(["--filter".into(), format!("{dimension}={}", values.join(","))]);
    }
    if random.chance(40) {
        args.extend(["--scope".into(), random.pick(&["own", "sold-or-managed", "all"]).into()]);
    }
    if random.chance(40) {
        args.extend(["--basis".into(), random.pick(&["users", "entitlements"]).into()]);
    }
    for switch in ["--include-grace", "--include-free"] {
        if random.chance(35) {
            args.push(switch.into());
        }
    }
}

fn by_service(args: &[String], by: &[&str]) -> bool {
    by.contains(&"service") || args.iter().any(|arg| arg.starts_with("service="))
}

/// A question about every measure that the dimensions allow.
fn question(random: &mut Random, values: &Values, by: &[&str], filters: usize, months: &(String, String)) -> Question {
    let mut args = Vec::new();
    narrow(random, values, &mut args, filters);
    let service = by_service(&args, by);
    let mut caller = caller(random);
    let mut measures = OTHER_MEASURES.to_vec();
    if service {
        // On the entitlements basis it is a seat measure.
        measures.retain(|measure| *measure != "usage_percent" || !args.contains(&"entitlements".to_owned()));
    } else {
        measures.extend(BY_SEAT);
    }
    if caller.role == "report_viewer" || caller.role == "executive_report_viewer" {
        measures.retain(|m| !["active_users", "total_users", "usage_percent"].contains(m));
    }
    if random.chance(15) {
        // One measure alone: which rows there are and where they come from depends on what is asked for.
        measures = vec![random.one(&measures)];
    }
    let explain = random.chance(25);
    if explain {
        let seats = args.contains(&"entitlements".to_owned()) || (!service && random.chance(30));
        measures = vec![if seats && !service && random.chance(50) { "active_usage_percent" } else { "usage_percent" }];
        if service {
            args.retain(|arg| arg != "--basis" && arg != "entitlements" && arg != "users");
        }
        if caller.role.ends_with("report_viewer") {
            caller.role = "admin_agent";
        }
    }
    args.extend(["--measures".into(), measures.join(","), "--from".into(), months.0.clone()]);
    args.extend(["--to".into(), months.1.clone()]);
    if !by.is_empty() {
        args.extend(["--by".into(), by.join(",")]);
    }
    Question { command: if explain { "explain" } else { "query" }, args, caller }
}

fn caller(random: &mut Random) -> Caller {
    let role = match random.below(10) {
        0 => "report_viewer",
        1 => "executive_report_viewer",
        2 => "admin_agent",
        _ => "global_admin",
    };
    let locations = match random.below(6) {
        0 => vec!["L0"],
        1 => vec!["L1", "L2"],
        _ => vec![],
    };
    Caller { role, locations }
}

/// The questions about a partner: alone, by every dimension, by pairs, and filtered.
pub fn questions(random: &mut Random, values: &Values, months: &(String, String), extra: usize) -> Vec<Question> {
    let mut questions = vec![question(random, values, &[], 0, months)];
    for dimension in dimensions() {
        questions.push(question(random, values, &[dimension], 0, months));
    }
    for _ in 0..extra {
        let mut by = dimensions();
        random.shuffle(&mut by);
        by.truncate(random.one(&[0, 1, 1, 2, 2, 2]));
        let filters = random.below(4);
        questions.push(question(random, values, &by, filters, months));
    }
    // What services do not define is refused.
    let mut refused = question(random, values, &["service"], 0, months);
    refused.command = "query";
    if let Some(at) = refused.args.iter().position(|arg| arg == "--measures") {
        refused.args[at + 1] = random.one(&BY_SEAT).into();
    }
    questions.push(refused);
    questions
}

/// Questions to be asked as of several times: broad ones, which reported rows show in.
pub fn looking_back(random: &mut Random, values: &Values, months: &(String, String), count: usize) -> Vec<Question> {
    let one = |_| {
        let mut by = dimensions();
        random.shuffle(&mut by);
        by.truncate(random.below(2));
        let filters = usize::from(random.chance(25));
        question(random, values, &by, filters, months)
    };
    (0..count).map(one).collect()
}
